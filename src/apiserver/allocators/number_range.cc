#include "apiserver/allocators/number_range.h"

#include <algorithm>

namespace apiserver {

std::optional<uint64_t> NumberRange::take_any(base::Rng& rng) {
  if (auto upper = take_between(reserved_, size_, rng)) return upper;
  return take_between(0, reserved_, rng);
}

std::optional<uint64_t> NumberRange::take_between(uint64_t first, uint64_t last, base::Rng& rng) {
  if (first >= last) return std::nullopt;
  const uint64_t count = last - first;
  const uint64_t start = first + rng.below(count);
  // From a random place on to the next free one; taken_ is sorted, so a run of taken numbers is passed in one walk.
  const auto free_from = [&](uint64_t from, uint64_t to) -> std::optional<uint64_t> {
    auto at = taken_.lower_bound(from);
    for (; from < to && at != taken_.end() && *at == from; ++from) ++at;
    if (from >= to) return std::nullopt;
    return from;
  };
  std::optional<uint64_t> found = free_from(start, last);
  if (!found) found = free_from(first, start);
  if (found) taken_.insert(*found);
  return found;
}

uint64_t reserved_part(uint64_t size, uint64_t smallest, uint64_t largest, uint64_t step) {
  if (size <= smallest) return 0;
  return std::clamp(size / step, smallest, largest);
}

}  // namespace apiserver
