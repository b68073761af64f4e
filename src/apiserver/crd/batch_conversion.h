// Objects of a list or of a watch's beginning, on their way through a conversion webhook: as many with one call as
// kConversionBatchBytes lets. Does nothing where there is no webhook. Thread: one that may wait (Core::pool_for).
#pragma once

#include <vector>

#include "base/result.h"
#include "kv/tree.h"

namespace apiserver {

class CustomKind;

class BatchConversion {
 public:
  // Null: a built-in kind.
  explicit BatchConversion(const CustomKind* kind);
  // Would ensure(index) call the webhook?
  bool must_ask(size_t index) const { return kind_ && index >= done_; }
  // Item `index` is in the form that is asked for, and some that follow it too.
  base::Result<void> ensure(std::vector<kv::KeyValueRef>& items, size_t index);

 private:
  const CustomKind* kind_;  // null: nothing to do
  size_t done_ = 0;
};

}  // namespace apiserver
