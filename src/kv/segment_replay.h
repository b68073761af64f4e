// Reads a log back: checks every header, checksum and link, hands the records on, and finds the end.
// Thread: the opener's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "kv/file.h"
#include "kv/store.h"

namespace kv {

struct ReplayedSegment {
  std::string name;
  uint64_t first_number = 0;
  uint64_t size = 0;
  uint64_t written = 0;  // end of the last record
};
struct ReplayedLog {
  std::vector<ReplayedSegment> segments;  // in order; empty: there is no log
  std::unique_ptr<File> last_file;        // of the last segment; synced
  uint64_t next_number = 1;
  uint32_t last_crc = 0;
  uint64_t salt = 0;  // of the last segment
};

// Calls `apply` for the records with numbers above `after`. An error names file and offset.
base::Result<ReplayedLog> replay_segments(Directory& directory, uint64_t after,
                                          FunctionRef<base::Result<void>(uint64_t, std::string_view)> apply);

}  // namespace kv
