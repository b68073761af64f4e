// Tables: what kubectl prints. Compat: meta.k8s.io Table, wide cells always included; the client hides them.
#pragma once

#include <string>
#include <string_view>

#include "apiserver/context.h"
#include "base/result.h"

namespace apiserver {

// query includeObject. kBadRequest for anything else.
enum class IncludeObject : uint8_t { kNone, kMetadata, kObject };
base::Result<IncludeObject> parse_include_object(const Query& query);

enum class WithColumns : uint8_t { kNo, kYes };
// {"kind":"Table",…,"columnDefinitions":[…],"rows":[ — up to where the rows go, and after them.
void append_table_head(const Endpoint& endpoint, std::string_view form_version, std::string_view list_metadata_json,
                       WithColumns columns, std::string& out);
inline constexpr std::string_view kTableEnd = "]}";
// One row; stored message bytes.
base::Result<void> append_table_row(const Endpoint& endpoint, std::string_view stored_raw, int64_t revision,
                                    std::string_view form_version, IncludeObject include, base::WallTime now,
                                    std::string& out);

// The Table of one object, as compact JSON.
base::Result<std::string> encode_table_of_one(RequestContext& context, const Answer& answer);

// The Table of a Scale, which is no row of its workload's.
base::Result<std::string> encode_scale_table(const RequestContext& context, const Answer& answer);

}  // namespace apiserver
