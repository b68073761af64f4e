// The continue token of a paged list. Compat: base64url without padding of {"v":"meta.k8s.io/v1","rv":N,"start":"…"};
// start is relative to the list's key prefix; rv -1 continues at the newest state. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace storage {

struct ContinueToken {
  int64_t revision = 0;  // > 0, or -1: list the rest from the newest state
  std::string start;     // the key to start at, below the prefix
};

std::string encode_continue(const ContinueToken& token);
// kBadRequest with upstream's message for anything that is no token of ours.
base::Result<ContinueToken> decode_continue(std::string_view text);

}  // namespace storage
