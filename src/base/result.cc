#include "base/result.h"

#include <array>

namespace base {
namespace {

constexpr std::array<std::string_view, 21> kNames = {"",
                                                     "Unauthorized",
                                                     "Forbidden",
                                                     "NotFound",
                                                     "AlreadyExists",
                                                     "Conflict",
                                                     "Gone",
                                                     "Invalid",
                                                     "ServerTimeout",
                                                     "StorageReadError",
                                                     "Timeout",
                                                     "TooManyRequests",
                                                     "BadRequest",
                                                     "MethodNotAllowed",
                                                     "NotAcceptable",
                                                     "RequestEntityTooLarge",
                                                     "UnsupportedMediaType",
                                                     "InternalError",
                                                     "Expired",
                                                     "ServiceUnavailable",
                                                     ""};

}  // namespace

std::string_view reason_name(Reason reason) { return kNames[static_cast<size_t>(reason)]; }

Reason reason_from_name(std::string_view name) {
  for (size_t i = 1; i + 1 < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Reason>(i);
  }
  return Reason::kUnknown;
}

}  // namespace base
