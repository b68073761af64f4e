#include "storage/custom_json.h"

#include "codec/wire.h"
#include "object/json.h"
#include "schema/envelope.h"
#include "schema/proto_value.h"
#include "schema/transcode.h"

namespace storage {

base::Result<std::string> custom_to_json(const schema::Message& message, std::string_view stored) {
  TRY_ASSIGN(auto envelope, schema::unwrap(stored));
  std::string json;
  TRY(schema::append_json(message, envelope.raw, {envelope.type, ""}, json));
  return json + "\n";
}

base::Result<std::string> custom_from_json(const schema::Message& message, std::string_view json) {
  TRY_ASSIGN(object::Value tree, object::parse_json(json));
  const std::string api_version(tree.string_at({"apiVersion"})), kind(tree.string_at({"kind"}));
  if (!tree.is_object() || api_version.empty() || kind.empty()) {
    return base::fail(base::Reason::kInternalError, "a stored custom object has no kind and apiVersion");
  }
  // The store tells the revision.
  if (object::Value* metadata = tree.find("metadata"); metadata && metadata->is_object())
    metadata->object_if()->erase("resourceVersion");
  std::string raw, value;
  TRY(schema::encode_value(message, tree, raw));
  // Cleaned by no schema that we know (mark 0), in the version that it says.
  raw.append("\x18\0", 2);
  codec::append_bytes_field(raw, 4, std::string_view(api_version).substr(api_version.find('/') + 1));
  schema::wrap({api_version, kind}, raw, value);
  return value;
}

bool is_json_value(std::string_view stored) { return stored.starts_with('{'); }

}  // namespace storage
