// Server-side apply: merges what a manager says of an object into it, takes away what the manager no longer says, and
// tells whose fields that would overwrite. Pure; thread: any.
#pragma once

#include <string_view>

#include "base/result.h"
#include "object/value.h"
#include "schema/apply/managed_fields.h"

namespace schema {

enum class OnConflict : uint8_t { kFail, kForce };
enum class ApplyEffect : uint8_t { kUnchanged, kChanged };

struct ApplyRequest {
  const object::Value& config;  // as the client sent it
  const object::Value* live;    // null: the object does not exist
  std::string_view manager;
  std::string_view now;  // RFC 3339, as in entries
  OnConflict on_conflict = OnConflict::kFail;
};

struct Applied {
  ApplyEffect effect = ApplyEffect::kChanged;
  object::Value object;    // kChanged: without managed fields, to be defaulted; kUnchanged: null, the live object stays
  ManagedEntries entries;  // to be written into either; those of the live object when nothing at all changed
};

// `context.api_version` and `context.kind` are what the config must say. Errors, with upstream's texts: kBadRequest for
// another type or managed fields in the config; kUnknown (HTTP 500) for what does not fit the schema; kConflict with
// FieldManagerConflict causes. A config for `kubectl` may take over what `kubectl apply` wrote down in the
// last-applied-configuration annotation, which is kept up to date.
base::Result<Applied> server_side_apply(const ManageContext& context, const ApplyRequest& request);

}  // namespace schema
