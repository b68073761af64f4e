// The options that a request's query carries, checked as upstream checks them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "admission/admission.h"
#include "apiserver/request_info.h"
#include "base/result.h"
#include "client/transport.h"
#include "object/field_error.h"
#include "object/selector.h"

namespace apiserver {

enum class FieldValidation : uint8_t { kIgnore, kWarn, kStrict };
using admission::DryRun;

struct WriteOptions {
  DryRun dry_run = DryRun::kNo;
  FieldValidation field_validation = FieldValidation::kWarn;
  std::string field_manager;
  std::optional<bool> force;  // patch only
};
// The dryRun values of a query; those that upstream does not know become errors.
base::Result<void> check_dry_run(const Query& query, object::FieldErrors& errors, DryRun& dry_run);

// kind: "CreateOptions", "UpdateOptions" or "PatchOptions", for messages.
base::Result<WriteOptions> parse_write_options(std::string_view kind, const Query& query, std::string_view user_agent);

enum class VersionMatch : uint8_t { kUnset, kExact, kNotOlderThan };
enum class Bookmarks : uint8_t { kNo, kYes };

struct ListOptions {
  object::LabelSelector labels;
  object::FieldSelector fields;
  std::string resource_version;
  VersionMatch match = VersionMatch::kUnset;
  int64_t limit = 0;
  std::string continue_token;
  std::optional<int64_t> timeout_seconds;
  Bookmarks bookmarks = Bookmarks::kNo;
  std::optional<bool> send_initial_events;
};
// kPlainWatch: of a server whose gate WatchList is off.
enum class ListUse : uint8_t { kList, kWatch, kPlainWatch, kDeleteCollection };
base::Result<ListOptions> parse_list_options(const Query& query, ListUse use);

// "" = 0. kBadRequest/500 with upstream's message otherwise.
base::Result<uint64_t> parse_resource_version(std::string_view text);

struct DeleteOptions {
  DryRun dry_run = DryRun::kNo;
  std::optional<int64_t> grace_period_seconds;
  client::Propagation propagation = client::Propagation::kUnset;
  std::optional<bool> orphan_dependents;
  std::string precondition_uid;
  bool has_precondition_uid = false;
  std::string precondition_resource_version;
  bool has_precondition_resource_version = false;
};

}  // namespace apiserver
