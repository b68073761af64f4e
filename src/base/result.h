// Expected failures. An Error has the Kubernetes API's words: a reason, a message, causes, a delay before a retry.
// A bug is not an Error; it is a CHECK (base/check.h). Thread: any; values are plain data.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace base {

// metav1.StatusReason, plus what only we need. The HTTP code belongs to apiserver/respond.cc alone.
enum class Reason : uint8_t {
  kUnknown,
  kUnauthorized,
  kForbidden,
  kNotFound,
  kAlreadyExists,
  kConflict,
  kGone,
  kInvalid,
  kServerTimeout,
  kStoreReadError,
  kTimeout,
  kTooManyRequests,
  kBadRequest,
  kMethodNotAllowed,
  kNotAcceptable,
  kRequestEntityTooLarge,
  kUnsupportedMediaType,
  kInternalError,
  kExpired,
  kServiceUnavailable,
  kOutcomeUnknown,  // the request may or may not have taken effect; never reported as "failed"
};

// Upstream's spelling ("NotFound"); kUnknown and kOutcomeUnknown are "".
std::string_view reason_name(Reason reason);
// The inverse; kUnknown for anything else.
Reason reason_from_name(std::string_view name);

// One entry of Status.details.causes.
struct Cause {
  std::string reason;  // upstream's cause type, e.g. "FieldValueInvalid"
  std::string message;
  std::string field;
};

// Status.details, for errors that have it.
struct ErrorDetails {
  std::string name;
  std::string group;
  std::string kind;
  std::string uid;
  std::vector<Cause> causes;
  int32_t retry_after_seconds = 0;
};

struct Error {
  Reason reason = Reason::kUnknown;
  std::string message;
  std::shared_ptr<const ErrorDetails> details;  // null when the Status has none

  Error() = default;
  Error(Reason r, std::string m) : reason(r), message(std::move(m)) {}
  Error(Reason r, std::string m, ErrorDetails d)
      : reason(r), message(std::move(m)), details(std::make_shared<const ErrorDetails>(std::move(d))) {}
};

template <typename T>
using Result = std::expected<T, Error>;

// return fail(Reason::kBadRequest, "…") from a function that returns any Result.
[[nodiscard]] inline std::unexpected<Error> fail(Reason reason, std::string message) {
  return std::unexpected(Error(reason, std::move(message)));
}
[[nodiscard]] inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace base

// TRY(expression of type Result<void>): returns its error from the calling function.
#define TRY(expression)                                                                                        \
  do {                                                                                                         \
    if (auto try_result_ = (expression); !try_result_) return std::unexpected(std::move(try_result_).error()); \
  } while (false)

#define TRY_CONCAT_INNER_(a, b) a##b
#define TRY_CONCAT_(a, b) TRY_CONCAT_INNER_(a, b)
// TRY_ASSIGN(auto x, expression of type Result<T>): declares x or returns the error.
#define TRY_ASSIGN(declaration, expression)                                       \
  auto TRY_CONCAT_(try_value_, __LINE__) = (expression);                          \
  if (!TRY_CONCAT_(try_value_, __LINE__))                                         \
    return std::unexpected(std::move(TRY_CONCAT_(try_value_, __LINE__)).error()); \
  declaration = *std::move(TRY_CONCAT_(try_value_, __LINE__))
