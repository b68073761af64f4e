#include "apiserver/selection.h"

#include <algorithm>

#include "apiserver/body.h"
#include "apiserver/crd/custom_kind.h"
#include "apiserver/limits.h"
#include "schema/proto_struct.h"
#include "storage/signature.h"

namespace apiserver {
namespace {

class ViewLabels final : public object::LabelSource {
 public:
  explicit ViewLabels(const schema::StringPairs& labels) : labels_(labels) {}
  std::optional<std::string_view> find(std::string_view key) const override { return schema::find(labels_, key); }

 private:
  const schema::StringPairs& labels_;
};

// The path of a field that is a plain string in the stored message; size 0 for anything else.
schema::NumberPath string_path(const schema::Message& message, std::string_view field) {
  std::vector<std::string_view> names;
  size_t at = 0;
  while (at <= field.size()) {
    size_t dot = std::min(field.find('.', at), field.size());
    names.push_back(field.substr(at, dot - at));
    at = dot + 1;
  }
  const schema::Field* last = nullptr;
  schema::NumberPath path = schema::resolve_path(message, names, &last);
  if (path.size == 0 || !last || last->type != schema::Type::kString || last->card != schema::Card::kSingular)
    return {};
  return path;
}

// Selections are judged where nothing may wait for a conversion webhook: such objects are seen as they are stored.
base::Result<api::AnyObject> decode_selected(const Endpoint& endpoint, std::string_view raw) {
  if (!endpoint.custom || !endpoint.custom->waits()) return decode_stored(endpoint, raw);
  api::AnyObject object = api::AnyObject::make(*endpoint.stored);
  TRY(schema::decode_struct(*endpoint.stored, raw, object.get()));
  return object;
}

}  // namespace

base::Result<Selection> Selection::compile(const Endpoint& endpoint, const ListOptions& options) {
  Selection selection;
  selection.endpoint_ = &endpoint;
  selection.labels_ = options.labels;
  if (options.fields.empty()) {
    selection.derive_signatures();
    return selection;
  }
  const api::AnyObject empty = api::AnyObject::make(*endpoint.stored);
  const auto known = endpoint.rules->selectable_fields_any(empty.get());
  for (object::FieldTerm term : options.fields.terms()) {
    const std::string label = term.field;
    if (endpoint.conversion && endpoint.conversion->stored_field) {
      term.field = endpoint.conversion->stored_field(label);
    }
    Term compiled{term, {}};
    if (term.field != "metadata.name" && term.field != "metadata.namespace") {
      if (std::ranges::find(known, term.field, &api::SelectableField::name) == known.end()) {
        // Compat: kinds with field selectors of their own use other words than those without.
        return base::fail(
            base::Reason::kBadRequest,
            known.empty() && !endpoint.custom
                ? "\"" + label + "\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                : endpoint.rules->unknown_field_label(label, endpoint.api_version));
      }
      compiled.path = string_path(*endpoint.stored, term.field);
    }
    selection.fields_.push_back(std::move(compiled));
  }
  selection.derive_signatures();
  return selection;
}

// What one value fixes goes into every signature; of the sets of values, one becomes alternatives. The other operators
// match objects without the label too, or say nothing of its value.
void Selection::derive_signatures() {
  kv::Signature all;
  for (const Term& term : fields_) {
    if (term.term.op == object::FieldTerm::Op::kEquals && term.path.size > 0 &&
        std::ranges::equal(std::span<const uint32_t>(term.path),
                           std::span<const uint32_t>(storage::signed_field(endpoint_->prefix())))) {
      all = all | storage::field_signature(term.term.value);
    }
  }
  const object::Requirement* one_of = nullptr;
  for (const object::Requirement& requirement : labels_.requirements()) {
    const bool set = requirement.op == object::SelectorOp::kIn || requirement.op == object::SelectorOp::kEquals ||
                     requirement.op == object::SelectorOp::kDoubleEquals;
    if (!set || requirement.values.empty() || requirement.values.size() > kMaxSignatures) continue;
    if (requirement.values.size() == 1) {
      all = all | storage::label_signature(requirement.key, requirement.values[0]);
    } else if (!one_of || requirement.values.size() < one_of->values.size()) {
      one_of = &requirement;
    }
  }
  if (one_of) {
    for (const std::string& value : one_of->values) {
      signatures_.push_back(all | storage::label_signature(one_of->key, value));
    }
  } else if (all != kv::Signature()) {
    signatures_.push_back(all);
  }
}

std::optional<std::string> Selection::fixed(std::string_view field) const {
  for (const Term& term : fields_) {
    if (term.term.field == field && term.term.op == object::FieldTerm::Op::kEquals) return term.term.value;
  }
  return std::nullopt;
}

bool Selection::matches(std::string_view raw) const {
  if (everything()) return true;
  auto metadata = schema::view_metadata(raw);
  if (!metadata) return false;
  if (!labels_.empty() && !labels_.matches(ViewLabels(metadata->labels))) return false;
  return fields_.empty() || matches_fields(raw, *metadata);
}

bool Selection::matches_fields(std::string_view raw, const schema::MetadataView& metadata) const {
  std::vector<api::SelectableField> decoded;
  for (const auto& [term, path] : fields_) {
    std::string_view value;
    if (term.field == "metadata.name") {
      value = metadata.name;
    } else if (term.field == "metadata.namespace") {
      value = metadata.namespace_;
    } else if (path.size > 0) {
      value = schema::find_bytes(raw, path).value_or(std::string_view());
    } else {
      if (decoded.empty()) {
        auto object = decode_selected(*endpoint_, raw);
        if (!object) return false;
        decoded = endpoint_->rules->selectable_fields_any(object->get());
      }
      auto found = std::ranges::find(decoded, term.field, &api::SelectableField::name);
      if (found != decoded.end()) value = found->value;
    }
    if ((value == term.value) != (term.op == object::FieldTerm::Op::kEquals)) return false;
  }
  return true;
}

}  // namespace apiserver
