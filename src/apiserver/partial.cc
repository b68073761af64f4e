#include "apiserver/partial.h"

#include "gen/meta/v1.h"
#include "schema/proto_struct.h"

namespace apiserver {
namespace {

using Partial = ::api::meta::v1::PartialObjectMetadata;

// Compat: metadata is taken before the conversion that writes these annotations.
bool hides_annotations(const Endpoint* endpoint) {
  if (!endpoint || !endpoint->rules) return false;
  return !endpoint->rules->converted_annotation().empty() ||
         (endpoint->conversion && !endpoint->conversion->written_annotations.empty());
}

void erase_hidden(const Endpoint& endpoint, std::map<std::string, std::string>& annotations) {
  annotations.erase(std::string(endpoint.rules->converted_annotation()));
  if (!endpoint.conversion) return;
  for (const char* name : endpoint.conversion->written_annotations) annotations.erase(name);
}

}  // namespace

base::Result<std::string> partial_message(const Endpoint* endpoint, std::string_view raw) {
  Partial partial;
  TRY(schema::decode_struct(gen::message_of<Partial>(), raw, &partial));
  if (hides_annotations(endpoint)) erase_hidden(*endpoint, partial.metadata.annotations);
  std::string out;
  schema::encode_struct(gen::message_of<Partial>(), &partial, out);
  return out;
}

base::Result<void> append_partial_json(const Endpoint* endpoint, std::string_view raw, std::string_view form_version,
                                       int64_t revision, std::string& out) {
  return append_partial(endpoint, raw, {MediaType::kJson, Place::kInside, form_version}, revision, out);
}

base::Result<void> append_partial(const Endpoint* endpoint, std::string_view raw, const DocumentForm& form,
                                  int64_t revision, std::string& out) {
  const std::string version = "meta.k8s.io/" + std::string(form.version);
  const std::string rv = revision > 0 ? std::to_string(revision) : std::string();
  std::string bare;
  if (hides_annotations(endpoint)) {
    TRY_ASSIGN(bare, partial_message(endpoint, raw));
    raw = bare;
  }
  return append_document(form.type, form.place, gen::message_of<Partial>(), raw,
                         {{version, "PartialObjectMetadata"}, rv}, out);
}

}  // namespace apiserver
