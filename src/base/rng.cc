#include "base/rng.h"

#include <sys/random.h>

#include <array>
#include <mutex>
#include <random>
#include <string_view>

#include "base/check.h"

namespace base {
namespace {

class SystemRng final : public Rng {
 public:
  uint64_t next() override {
    std::scoped_lock lock(mutex_);
    if (used_ == pool_.size()) {
      CHECK(getrandom(pool_.data(), sizeof(pool_), 0) == static_cast<ssize_t>(sizeof(pool_)));
      used_ = 0;
    }
    return pool_[used_++];
  }

 private:
  std::mutex mutex_;
  std::array<uint64_t, 32> pool_{};  // getrandom never returns short for up to 256 bytes
  size_t used_ = 32;
};

class SeededRng final : public Rng {
 public:
  explicit SeededRng(uint64_t seed) : engine_(seed) {}
  uint64_t next() override {
    std::scoped_lock lock(mutex_);
    return engine_();
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace

std::unique_ptr<Rng> system_rng() { return std::make_unique<SystemRng>(); }
std::unique_ptr<Rng> seeded_rng(uint64_t seed) { return std::make_unique<SeededRng>(seed); }

std::string new_uuid(Rng& rng) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<uint64_t, 2> bits = {rng.next(), rng.next()};
  bits[0] = (bits[0] & ~0xf000ULL) | 0x4000ULL;        // version 4: the high nibble of byte 6
  bits[1] = (bits[1] & ~(3ULL << 62)) | (2ULL << 62);  // variant 10: the high bits of byte 8
  std::string text;
  text.reserve(36);
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
    text += kHex[(bits[static_cast<size_t>(i / 16)] >> (60 - 4 * (i % 16))) & 0xf];
  }
  return text;
}

std::string random_suffix(Rng& rng, int count) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string text;
  for (int i = 0; i < count; ++i) text += kAlphabet[rng.below(kAlphabet.size())];
  return text;
}

}  // namespace base
