// The image of the whole state on disk (docs/formats/snapshot.md), so that the log before it can go.
// Thread: any; a snapshot is written from immutable data.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "kv/file.h"
#include "kv/mvcc_store.h"

namespace kv {

struct SnapshotImage {
  Tree tree;
  int64_t revision = 0;
  uint64_t log_number = 0;  // the last record that the state contains
  std::map<int64_t, LeaseRecord> leases;
};

// "snapshot-" and the log number, twenty digits.
std::string snapshot_name(uint64_t log_number);

// Writes to a temporary file, syncs, renames, syncs the directory. Returns the size of the file.
FileResult<uint64_t> write_snapshot(Directory& directory, const SnapshotImage& image);

// Reads and checks a whole snapshot; `signer` becomes the tree's. An error names file and offset.
base::Result<SnapshotImage> read_snapshot(Directory& directory, const std::string& name,
                                          const Signer* signer = nullptr);

}  // namespace kv
