// The embedded store: MvccStore over a log and snapshots in one data directory that it has for itself.
//
// Directory: FORMAT (text, the format's version), LOCK (held while open), log-<number> (segments), snapshot-<number>,
// *.tmp (unfinished; removed at open). Formats: docs/formats/log.md, docs/formats/snapshot.md.
// Thread: open from any; then as Store.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "kv/file.h"
#include "kv/limits.h"
#include "kv/mvcc_store.h"
#include "kv/store.h"

namespace kv {

struct EmbeddedOptions {
  uint64_t first_segment_bytes = kFirstSegmentBytes;
  uint64_t segment_bytes = kSegmentBytes;
  uint64_t snapshot_after_bytes = kSnapshotAfterBytes;
  uint64_t history_after_restart_bytes = kHistoryAfterRestartBytes;
};

// Recovers what is in the directory, or begins a new store in an empty one. Errors name the directory or file and say
// what to do: another process has it open, a newer format, damage, no permission.
base::Result<std::unique_ptr<Store>> open_embedded_store(Environment environment, std::unique_ptr<Directory> directory,
                                                         EmbeddedOptions options = {});
base::Result<std::unique_ptr<Store>> open_embedded_store(Environment environment, const std::string& path,
                                                         EmbeddedOptions options = {});

}  // namespace kv
