// CustomKind: schemas, and the way between the form that is stored and the form of a version.
#include "api/apiextensions/validation_rules.h"
#include "apiserver/crd/custom_kind.h"
#include "apiserver/crd/webhook_conversion.h"
#include "base/log.h"
#include "codec/wire.h"
#include "gen/catalogue.h"
#include "schema/custom_content.h"
#include "schema/envelope.h"
#include "schema/proto_value.h"
#include "storage/stored_object.h"

namespace apiserver {
namespace {

using object::Value;

// The parts of a custom object's message (api/custom/custom_object.h).
struct Parts {
  std::string_view metadata;
  std::string_view content;
  std::optional<uint64_t> mark;
  std::string_view version;
};

bool read_parts(std::string_view raw, Parts& parts) {
  codec::WireReader reader(raw);
  while (!reader.done()) {
    uint32_t field = 0;
    codec::WireType type;
    if (!reader.read_tag(field, type)) return false;
    if (type == codec::WireType::kBytes && (field == 1 || field == 2 || field == 4)) {
      std::string_view payload;
      if (!reader.read_bytes(payload)) return false;
      (field == 1 ? parts.metadata : field == 2 ? parts.content : parts.version) = payload;
    } else if (type == codec::WireType::kVarint && field == 3) {
      uint64_t mark = 0;
      if (!reader.read_varint(mark)) return false;
      parts.mark = mark;
    } else if (!reader.skip(field, type)) {
      return false;
    }
  }
  return true;
}

std::unexpected<base::Error> damaged() {
  return base::fail(base::Reason::kInternalError, "a stored custom object is damaged");
}

void append_parts(std::string_view metadata, std::string_view content, std::string& out) {
  codec::append_bytes_field(out, 1, metadata);
  codec::append_bytes_field(out, 2, content);
}

void append_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
}

void clean_content(schema::SchemaNode node, Value& tree) {
  if (!node) return;
  schema::prune(node, tree, schema::Place::kResource);
  schema::prune_nulls(node, tree);
  schema::set_defaults(node, tree);
}

}  // namespace

Value CustomKind::schema_json() const {
  auto envelope = schema::unwrap(stored_.view());
  if (!envelope) return nullptr;
  const schema::Message& message = gen::message_of<::api::apiextensions::v1::CustomResourceDefinition>();
  auto definition = schema::decode_value(message, envelope->raw);
  if (!definition) return nullptr;
  Value* spec = definition->find("spec");
  Value* versions = spec ? spec->find("versions") : nullptr;
  if (!versions || !versions->array_if() || index_ >= versions->array_if()->size()) return nullptr;
  Value* schema = (*versions->array_if())[index_].find("schema");
  schema = schema ? schema->find("openAPIV3Schema") : nullptr;
  return schema ? std::move(*schema) : Value(nullptr);
}

const schema::StructuralSchema* CustomKind::structural() const {
  std::call_once(compile_once_, [this] {
    const Value json = schema_json();
    if (!json.is_object()) return;
    auto compiled = schema::StructuralSchema::compile(json, gen::message_of<::api::meta::v1::ObjectMeta>());
    if (compiled) {
      schema_ = *std::move(compiled);
      rules_ = api::ValidationRules::compile(json, schema_);
      return;
    }
    base::log::warning(
        "the schema of a custom resource is not used",
        {{"group", group_}, {"kind", kind_}, {"version", version_}, {"error", compiled.error().message}});
  });
  return schema_.get();
}

const api::ValidationRules* CustomKind::rules() const {
  structural();
  return rules_.get();
}

schema::SchemaNode CustomKind::root() const {
  const schema::StructuralSchema* found = structural();
  return found ? found->root() : schema::SchemaNode();
}

schema::TypeRef CustomKind::apply_type() const {
  const schema::StructuralSchema* found = structural();
  return found ? found->apply_type() : schema::deduced_type();
}

base::Result<void> CustomKind::clean(Value& tree, std::vector<std::string>* unknown) const {
  const schema::SchemaNode node = root();
  if (!node) return {};
  schema::prune(node, tree, schema::Place::kResource, unknown);
  schema::prune_nulls(node, tree);
  const object::FieldPath path;
  if (auto error =
          schema::coerce_embedded(node, tree, schema::Place::kPart, path, schema::OnMalformed::kFail, unknown)) {
    object::FieldErrors errors;
    errors.add(*std::move(error));
    return base::fail(base::Reason::kBadRequest, errors.to_string());
  }
  schema::set_defaults(node, tree);
  return {};
}

// The object as the converter sees it. `tree` is the content; metadata joins it for the way.
base::Result<Value> CustomKind::to_convert(Value tree, std::string_view metadata, std::string_view from) const {
  object::Object& members = *tree.object_if();
  members.set("apiVersion", api_version_of(from));
  members.set("kind", kind_);
  TRY_ASSIGN(Value decoded, schema::decode_value(gen::message_of<::api::meta::v1::ObjectMeta>(), metadata));
  members.set("metadata", std::move(decoded));
  return tree;
}

base::Result<void> CustomKind::convert_stored(std::span<kv::KeyValueRef> objects) const {
  if (!webhook_) return {};
  std::vector<Value> trees;
  std::vector<kv::KeyValueRef*> from;
  for (kv::KeyValueRef& kv : objects) {
    auto stored = storage::open_stored(kv);
    Parts parts;
    // What is damaged is said of when its turn comes.
    if (!stored || !read_parts(stored->raw, parts) || !parts.mark || parts.version == version_) continue;
    Value tree = schema::content_tree(parts.content);
    if (*parts.mark != storage_->mark_) clean_content(storage_->root(), tree);
    TRY_ASSIGN(tree, to_convert(std::move(tree), parts.metadata, parts.version));
    trees.push_back(std::move(tree));
    from.push_back(&kv);
  }
  TRY(webhook_->convert_all(trees, api_version_of(version_)));
  std::vector<kv::KeyValueRef> made;
  for (size_t i = 0; i < trees.size(); ++i) {
    Value tree = std::move(trees[i]);
    if (const schema::SchemaNode node = root()) schema::prune(node, tree, schema::Place::kResource);
    std::string raw, bytes;
    TRY(schema::encode_value(api::custom_message(), tree, raw));
    const std::string api_version = api_version_of(version_);
    schema::wrap({api_version, kind_}, raw, bytes);
    kv::KeyValue value = **from[i];
    value.value = base::SharedBytes(bytes);
    made.push_back(kv::KeyValueRef::make(std::move(value)));
  }
  for (size_t i = 0; i < made.size(); ++i) *from[i] = std::move(made[i]);
  return {};
}

bool CustomKind::shows_stored(std::string_view stored_raw) const {
  Parts parts;
  if (!read_parts(stored_raw, parts)) return true;  // whoever decodes it will tell
  if (!parts.mark) return true;
  return *parts.mark == mark_ && (!webhook_ || parts.version == version_);
}

base::Result<std::string> CustomKind::to_served(std::string_view stored_raw) const {
  Parts parts;
  if (!read_parts(stored_raw, parts)) return damaged();
  if (!parts.mark) return std::string(stored_raw);
  Value tree = schema::content_tree(parts.content);
  // Compat: what an older schema let in is pruned and defaulted when it is read.
  if (*parts.mark != storage_->mark_) clean_content(storage_->root(), tree);
  std::string out;
  if (webhook_ && parts.version != version_) {
    TRY_ASSIGN(tree, to_convert(std::move(tree), parts.metadata, parts.version));
    TRY_ASSIGN(tree, webhook_->convert(std::move(tree), api_version_of(version_)));
    if (const schema::SchemaNode node = root()) schema::prune(node, tree, schema::Place::kResource);
    TRY(schema::encode_value(api::custom_message(), tree, out));
    return out;
  }
  if (storage_ != this) {
    if (const schema::SchemaNode node = root()) schema::prune(node, tree, schema::Place::kResource);
  }
  append_parts(parts.metadata, schema::content_of(*tree.object_if()), out);
  return out;
}

base::Result<std::string> CustomKind::to_storage(std::string_view served_raw) const {
  Parts parts;
  if (!read_parts(served_raw, parts)) return damaged();
  std::string out;
  if (webhook_ && storage_ != this) {
    TRY_ASSIGN(Value tree, to_convert(schema::content_tree(parts.content), parts.metadata, version_));
    TRY_ASSIGN(tree, webhook_->convert(std::move(tree), api_version_of(storage_version_)));
    clean_content(storage_->root(), tree);
    TRY(schema::encode_value(api::custom_message(), tree, out));
  } else if (mark_ == storage_->mark_) {
    append_parts(parts.metadata, parts.content, out);
  } else {
    Value tree = schema::content_tree(parts.content);
    clean_content(storage_->root(), tree);
    append_parts(parts.metadata, schema::content_of(*tree.object_if()), out);
  }
  out += '\x18';  // field 3
  append_varint(out, storage_->mark_);
  codec::append_bytes_field(out, 4, storage_version_);
  return out;
}

}  // namespace apiserver
