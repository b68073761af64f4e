// The payload of a log record: one batch of events and lease changes (docs/formats/log.md). Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "kv/mvcc_store.h"

namespace kv {

// Appends the batch to `out`.
void encode_batch(std::string& out, const CommitBatch& batch);

// Applies a payload to the state it was made from. An error says what is wrong with it; the state is then half changed
// and of no more use.
base::Result<void> apply_batch(std::string_view payload, RecoveredState& state);

}  // namespace kv
