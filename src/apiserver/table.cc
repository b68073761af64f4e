#include "apiserver/table.h"

#include "api/shared/cells.h"
#include "apiserver/body.h"
#include "apiserver/crd/custom_kind.h"
#include "apiserver/partial.h"
#include "codec/json_text.h"
#include "gen/autoscaling/v1.h"
#include "gen/codec.h"
#include "object/json.h"
#include "schema/transcode.h"

namespace apiserver {
namespace {

void member(std::string& out, std::string_view name, std::string_view value) {
  codec::append_json_string(out, name);
  out += ':';
  codec::append_json_string(out, value);
}

std::string column_description(const CustomKind* custom, const schema::Column& column) {
  if (custom) return custom->column_description(column.name);
  return "The " + std::string(column.name) + " of the object.";
}

void append_columns(std::span<const schema::Column> columns, const CustomKind* custom, std::string& out) {
  bool first = true;
  for (const schema::Column& column : columns) {
    out += first ? "{" : ",{";
    first = false;
    member(out, "name", column.name);
    out += ',';
    member(out, "type", column.type);
    out += ',';
    member(out, "format", column.format);
    out += ',';
    member(out, "description", column_description(custom, column));
    out += ",\"priority\":" + std::to_string(column.priority) + "}";
  }
}

void append_conditions(const api::TableRow& row, std::string& out) {
  if (row.condition_type.empty()) return;
  out += ",\"conditions\":[{";
  member(out, "type", row.condition_type);
  out += ',';
  member(out, "status", row.condition_status);
  for (auto [name, value] : {std::pair<std::string_view, std::string_view>{"reason", row.condition_reason},
                             {"message", row.condition_message}}) {
    if (value.empty()) continue;
    out += ',';
    member(out, name, value);
  }
  out += "}]";
}

}  // namespace

base::Result<IncludeObject> parse_include_object(const Query& query) {
  const std::string_view text = query.get("includeObject");
  if (text.empty() || text == "Metadata") return IncludeObject::kMetadata;
  if (text == "None") return IncludeObject::kNone;
  if (text == "Object") return IncludeObject::kObject;
  return base::fail(base::Reason::kBadRequest,
                    "Unable to convert to Table as requested: includeObject: Invalid value: " + codec::go_quoted(text) +
                        ": must be 'Metadata', 'Object', 'None', or empty");
}

void append_table_head(const Endpoint& endpoint, std::string_view form_version, std::string_view list_metadata_json,
                       WithColumns columns, std::string& out) {
  out += R"({"kind":"Table","apiVersion":"meta.k8s.io/)";
  out += form_version;
  out += R"(","metadata":)";
  out += list_metadata_json;
  out += R"(,"columnDefinitions":)";
  if (columns == WithColumns::kYes) {
    out += '[';
    append_columns(endpoint.main->resource->columns, endpoint.custom, out);
    out += ']';
  } else {
    out += "null";
  }
  out += R"(,"rows":[)";
}

base::Result<void> append_table_row(const Endpoint& endpoint, std::string_view stored_raw, int64_t revision,
                                    std::string_view form_version, IncludeObject include, base::WallTime now,
                                    std::string& out) {
  TRY_ASSIGN(api::AnyObject object, decode_stored(endpoint, stored_raw));
  api::TableRow row;
  endpoint.rules->cells_any(object.get(), now, row);
  out += R"({"cells":)";
  object::append_json(out, object::Value(object::Array(std::move(row.cells))));
  append_conditions(row, out);
  out += R"(,"object":)";
  const std::string rv = revision > 0 ? std::to_string(revision) : std::string();
  switch (include) {
    case IncludeObject::kNone:
      out += "null";
      break;
    case IncludeObject::kMetadata: {
      TRY(append_partial_json(&endpoint, stored_raw, form_version, revision, out));
      break;
    }
    case IncludeObject::kObject: {
      TRY_ASSIGN(std::string served, to_served(endpoint, stored_raw));
      TRY(schema::append_json(*endpoint.served, served, {endpoint.type(), rv, schema::NestedTypes::kWritten}, out));
      break;
    }
  }
  out += '}';
  return {};
}

base::Result<std::string> encode_scale_table(const RequestContext& context, const Answer& answer) {
  using Scale = ::api::autoscaling::v1::Scale;
  static constexpr schema::Column kColumns[] = {{"Name", "string", "", 0},
                                                {"Desired", "integer", "", 0},
                                                {"Available", "integer", "", 0},
                                                {"Age", "string", "", 0}};
  TRY_ASSIGN(const Scale scale, gen::decode<Scale>(answer.raw));
  std::string out = R"({"kind":"Table","apiVersion":"meta.k8s.io/)" + context.accepted.form_version + "\"";
  out += R"(,"metadata":{"resourceVersion":")" + std::to_string(answer.revision) + R"("},"columnDefinitions":[)";
  append_columns(kColumns, nullptr, out);
  out += R"(],"rows":[{"cells":)";
  object::Array cells{scale.metadata.name, scale.spec.replicas, scale.status.replicas,
                      api::age_cell(scale.metadata, context.now)};
  object::append_json(out, object::Value(std::move(cells)));
  out += R"(,"object":)";
  TRY(append_partial_json(nullptr, answer.raw, context.accepted.form_version, answer.revision, out));
  out += '}';
  return out + std::string(kTableEnd);
}

base::Result<std::string> encode_table_of_one(RequestContext& context, const Answer& answer) {
  TRY_ASSIGN(IncludeObject include, parse_include_object(context.query));
  std::string out;
  const std::string rv =
      answer.revision > 0 ? "{\"resourceVersion\":\"" + std::to_string(answer.revision) + "\"}" : "{}";
  append_table_head(*answer.endpoint, context.accepted.form_version, rv, WithColumns::kYes, out);
  std::string raw = answer.raw;
  if (answer.endpoint->conversion) {
    TRY_ASSIGN(api::AnyObject stored, to_stored(*answer.endpoint, answer.raw));
    raw = encode_struct(stored);
  }
  TRY(append_table_row(*answer.endpoint, raw, answer.revision, context.accepted.form_version, include, context.now,
                       out));
  out += kTableEnd;
  return out;
}

}  // namespace apiserver
