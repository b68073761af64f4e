// NumberRange: which numbers of a range are taken. Numbers that nobody asked for by name come from the upper part, at
// random, so that the lower part stays free for those who choose themselves. Thread: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "base/rng.h"

namespace apiserver {

class NumberRange {
 public:
  // 0 … size-1; dynamic numbers from `reserved` on, and below it when those are used up.
  NumberRange(uint64_t size, uint64_t reserved) : size_(size), reserved_(reserved < size ? reserved : 0) {}

  uint64_t size() const { return size_; }
  size_t taken() const { return taken_.size(); }
  // False when it is taken already. `number` < size.
  bool take(uint64_t number) { return taken_.insert(number).second; }
  // Nothing when all are taken.
  std::optional<uint64_t> take_any(base::Rng& rng);
  void release(uint64_t number) { taken_.erase(number); }

 private:
  std::optional<uint64_t> take_between(uint64_t first, uint64_t last, base::Rng& rng);

  const uint64_t size_, reserved_;
  std::set<uint64_t> taken_;
};

// Compat: how much of the lower part upstream leaves to explicit requests: size/step within [smallest, largest].
uint64_t reserved_part(uint64_t size, uint64_t smallest, uint64_t largest, uint64_t step);

}  // namespace apiserver
