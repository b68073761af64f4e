#include "apiserver/crd/batch_conversion.h"

#include <span>

#include "apiserver/crd/custom_kind.h"
#include "apiserver/limits.h"

namespace apiserver {

BatchConversion::BatchConversion(const CustomKind* kind) : kind_(kind && kind->waits() ? kind : nullptr) {}

base::Result<void> BatchConversion::ensure(std::vector<kv::KeyValueRef>& items, size_t index) {
  if (!must_ask(index)) return {};
  size_t end = index, bytes = 0;
  while (end < items.size() && (end == index || bytes + items[end]->value.size() <= kConversionBatchBytes)) {
    bytes += items[end++]->value.size();
  }
  TRY(kind_->convert_stored(std::span(items).subspan(index, end - index)));
  done_ = end;
  return {};
}

}  // namespace apiserver
