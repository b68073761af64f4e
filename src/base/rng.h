// Randomness comes in by constructor. Implementations lock inside: any thread may draw.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace base {

class Rng {
 public:
  virtual ~Rng() = default;
  virtual uint64_t next() = 0;  // 64 uniform bits
  // Uniform in [0, bound); bound > 0.
  uint64_t below(uint64_t bound) { return next() % bound; }
};

std::unique_ptr<Rng> system_rng();               // from the kernel: for uids, tokens, keys
std::unique_ptr<Rng> seeded_rng(uint64_t seed);  // repeats exactly: for tests and simulation

// RFC 4122 version 4, lower case.
std::string new_uuid(Rng& rng);
// `count` characters of upstream's alphabet for generated names ("bcdfghjklmnpqrstvwxz2456789").
std::string random_suffix(Rng& rng, int count);

}  // namespace base
