// The two ways in which objects change: create, and read-change-write of what is there. Every verb that writes goes
// through here: preparation, validation, admission, allocation, managed fields, storage.
#pragma once

#include <functional>
#include <string>

#include "apiserver/context.h"
#include "apiserver/options.h"
#include "base/result.h"

namespace apiserver {

// Who works out the managed fields: the write itself, or it has been done (apply).
enum class FieldOwnership : uint8_t { kTrack, kDone };

// `object` is the decoded, defaulted body.
base::Result<Answer> create_object(RequestContext& context, const Endpoint& endpoint, api::AnyObject object,
                                   const WriteOptions& options, FieldOwnership ownership);

// Makes the new object from the live one. Called again when another write came between. The live object's
// metadata.resourceVersion is set.
struct Live {
  const api::AnyObject& object;
  std::string_view raw;  // stored bytes
  int64_t revision;
};
using Change = std::function<base::Result<api::AnyObject>(const Live& live)>;

struct UpdateRequest {
  std::string name;
  std::string subresource;  // whose rules apply; "" = the object itself
  WriteOptions options;
  // For PUT of a kind that may be created so, and for apply: makes the object when there is none. Empty = NotFound.
  std::function<base::Result<api::AnyObject>()> create;
  FieldOwnership ownership = FieldOwnership::kTrack;
  // The uid that the live object must have; "" = any. Compat: of a PUT the body's, a precondition of the storage; a
  // patch that changes the uid is an invalid update instead.
  std::string uid_precondition = {};
};
base::Result<Answer> update_object(RequestContext& context, const Endpoint& endpoint, const UpdateRequest& request,
                                   const Change& change);

// Is the name in a body that of the URL?
base::Result<void> check_name(std::string_view in_object, std::string_view in_url);

// The answer that shows a stored struct in the endpoint's version. `raw` is its stored encoding.
base::Result<Answer> answer_with(const Endpoint& endpoint, std::string raw, int64_t revision, int code);

// The newest accepted object, or NotFound. `raw` views the value that `kv` holds.
base::Result<api::AnyObject> read_live(RequestContext& context, const Endpoint& endpoint, std::string_view name,
                                       kv::KeyValueRef& kv, std::string_view& raw);

admission::Attributes admission_attributes(RequestContext& context, const Endpoint& endpoint, std::string_view name,
                                           admission::Operation operation, DryRun dry_run);

// Turns what the store says of a refused write into the API's error.
base::Error store_error(const kv::WriteFailure& failure);
// Is the object, as it would be stored now, ready to vanish (being deleted, nothing waits for it)?
bool may_vanish(const api::AnyObject& object);

}  // namespace apiserver
