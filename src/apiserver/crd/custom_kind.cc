#include "apiserver/crd/custom_kind.h"

#include <algorithm>

#include "api/apiextensions/embedded_resource.h"
#include "api/apiextensions/validation_rules.h"
#include "apiserver/crd/conditions.h"
#include "gen/codec.h"
#include "object/json.h"
#include "object/time.h"
#include "schema/custom_content.h"
#include "schema/proto_struct.h"
#include "schema/proto_value.h"
#include "schema/structural/json_path.h"

namespace apiserver {
namespace {

using api::CustomObject;
using object::Value;

constexpr std::string_view kCreated = ".metadata.creationTimestamp";

const CustomObject& ref(const void* object) { return *static_cast<const CustomObject*>(object); }
CustomObject& mut(void* object) { return *static_cast<CustomObject*>(object); }

// A value as field selectors write it.
std::string selector_text(const Value& value) {
  if (const std::string* text = value.string_if()) return *text;
  return value.is_null() ? std::string() : object::to_json(value);
}

// Puts `from`'s status in place of the object's own; none when it has none.
void take_status(CustomObject& object, const CustomObject& from) {
  Value tree = object.tree();
  const Value other = from.tree();
  tree.object_if()->erase("status");
  if (const Value* status = other.find("status")) tree.object_if()->set("status", *status);
  object.set_tree(tree);
}

}  // namespace

namespace {

// What tells schemas apart: a digest (FNV-1a) of their text. The same in every run: it stands in stored objects.
uint64_t schema_mark(const ::api::apiextensions::v1::CustomResourceDefinitionVersion& version) {
  std::string text;
  if (version.schema) text = gen::encode(*version.schema);
  uint64_t mark = 0xcbf29ce484222325;
  for (unsigned char c : text) mark = (mark ^ c) * 0x100000001b3;
  return (mark >> 1) | 1;  // never 0, and positive in a signed field
}

}  // namespace

CustomKind::CustomKind(const CustomSource& source, size_t index, std::string_view name)
    : group_(source.group),
      kind_(source.kind),
      version_(name),
      storage_version_(source.storage_version),
      webhook_(source.webhook),
      index_(index),
      stored_(source.stored) {
  const auto& version = source.definition->spec.versions[index];
  mark_ = schema_mark(version);
  terminating_ = is_condition(*source.definition, "Terminating", "True");
  if (version.subresources) {
    has_status_ = static_cast<bool>(version.subresources->status);
    if (version.subresources->scale) scale_ = *version.subresources->scale;
  }
  for (const auto& column : version.additional_printer_columns) {
    columns_.push_back(
        {column.name, column.type, column.format, column.json_path, column.description, column.priority});
  }
  // Compat: without columns there is one, the age.
  if (columns_.empty()) columns_.push_back({"Age", "date", "", ".metadata.creationTimestamp", "", 0});
  for (const auto& field : version.selectable_fields) {
    selectable_.push_back(field.json_path.starts_with('.') ? field.json_path.substr(1) : field.json_path);
  }
}

CustomKind::~CustomKind() = default;

bool CustomKind::equal_any(const void* object, const void* other) const { return ref(object) == ref(other); }

void CustomKind::prepare_for_create_any(api::RuleContext&, void* object) const {
  CustomObject& made = mut(object);
  // Compat: with a status subresource, a create says nothing of the status. What the schema has for it by default is
  // there nonetheless: upstream's reads put it in.
  if (has_status_) {
    Value tree = made.tree();
    if (tree.object_if()->erase("status")) {
      if (const schema::SchemaNode node = root()) schema::set_defaults(node, tree);
      made.set_tree(tree);
    }
  }
  made.metadata.generation = 1;
}

void CustomKind::prepare_for_update_any(api::RuleContext&, void* object, const void* old) const {
  CustomObject& made = mut(object);
  if (has_status_) take_status(made, ref(old));
  // Compat: whatever changes but metadata (and a status of its own) is a new generation.
  made.metadata.generation = ref(old).metadata.generation + (made.content == ref(old).content ? 0 : 1);
}

void CustomKind::prepare_for_subresource_any(std::string_view subresource, api::RuleContext&, void* object,
                                             const void* old) const {
  if (subresource != "status") return;
  CustomObject& made = mut(object);
  // Compat: nothing but the status and the managed fields can change.
  CustomObject kept = ref(old);
  kept.metadata.managed_fields = std::move(made.metadata.managed_fields);
  take_status(kept, made);
  made = std::move(kept);
}

void CustomKind::parse_paths() const {
  std::call_once(paths_once_, [this] {
    // Checked when the definition was made; a path that finds nothing stands in for one that is malformed.
    const auto parse = [](const std::string& text) {
      auto path = schema::JsonPath::parse(text);
      return path ? *std::move(path) : *schema::JsonPath::parse(".metadata.none");
    };
    for (const Column& column : columns_) column_paths_.push_back(parse(column.path));
    for (const std::string& field : selectable_) selectable_paths_.push_back(parse("." + field));
  });
}

Value CustomKind::full_tree(const CustomObject& object) const {
  Value tree = object.tree();
  object::Object& members = *tree.object_if();
  const std::string api_version = std::string(group_) + "/" + std::string(version_);
  members.set("apiVersion", api_version);
  members.set("kind", kind_);
  std::string raw;
  schema::encode_struct(gen::message_of<api::meta::v1::ObjectMeta>(), &object.metadata, raw);
  if (auto metadata = schema::decode_value(gen::message_of<api::meta::v1::ObjectMeta>(), raw))
    members.set("metadata", *std::move(metadata));
  return tree;
}

// Compat: the order in which upstream's checks run.
void CustomKind::check(api::RuleContext& context, const CustomObject& object, const CustomObject* old,
                       object::FieldErrors& errors) const {
  const schema::SchemaNode node = root();
  if (!node && !scale_) return;
  const Value tree = full_tree(object);
  const object::FieldPath path;
  Value before;
  if (node) {
    if (old) before = full_tree(*old);
    schema::validate(node, tree, old ? &before : nullptr, path, errors);
  }
  if (scale_) {
    api::validate_scale_spec(*scale_, tree, errors);
    api::validate_scale_status(*scale_, tree, errors);
  }
  if (!node) return;
  api::validate_embedded(node, tree, schema::Place::kPart, path, errors);
  schema::validate_list_types(node, tree, path, errors);
  if (const api::ValidationRules* expressions = rules(); expressions && !api::blocks_rules(errors)) {
    expressions->validate(tree, old ? &before : nullptr, path, errors, api::ValidationRules::Ratcheting::kOn,
                          context.warnings);
  }
}

void CustomKind::validate_any(api::RuleContext& context, const void* object, object::FieldErrors& errors) const {
  check(context, ref(object), nullptr, errors);
}

void CustomKind::validate_update_any(api::RuleContext& context, const void* object, const void* old,
                                     object::FieldErrors& errors) const {
  check(context, ref(object), &ref(old), errors);
}

void CustomKind::validate_subresource_any(std::string_view, api::RuleContext& context, const void* object,
                                          const void* old, object::FieldErrors& errors) const {
  check(context, ref(object), &ref(old), errors);
}

void CustomKind::cells_any(const void* object, base::WallTime now, api::TableRow& row) const {
  row.cells.emplace_back(ref(object).metadata.name);
  parse_paths();
  const std::vector<schema::JsonPath>& paths = column_paths_;
  const CustomObject& shown = ref(object);
  // Most columns are of the content; metadata as a tree costs more than all else.
  const bool whole = std::ranges::any_of(columns_, [](const Column& column) {
    return column.path != kCreated && (!column.path.starts_with('.') || column.path.starts_with(".metadata") ||
                                       column.path.starts_with(".kind") || column.path.starts_with(".apiVersion"));
  });
  Value tree = whole ? full_tree(shown) : shown.tree();
  if (!whole) {
    object::Object metadata;
    if (!shown.metadata.creation_timestamp.zero())
      metadata.set("creationTimestamp", object::format_time(shown.metadata.creation_timestamp));
    tree.object_if()->set("metadata", std::move(metadata));
  }
  for (size_t i = 0; i < columns_.size(); ++i)
    row.cells.push_back(schema::column_cell(paths[i], columns_[i].type, tree, now));
}

std::string CustomKind::column_description(std::string_view column) const {
  for (const Column& each : columns_) {
    if (each.name != column) continue;
    if (!each.description.empty()) return each.description;
    return "Custom resource definition column (in JSONPath format): " + each.path;
  }
  return "The " + std::string(column) + " of the object.";
}

std::vector<api::SelectableField> CustomKind::selectable_fields_any(const void* object) const {
  std::vector<api::SelectableField> fields;
  if (selectable_.empty()) return fields;
  parse_paths();
  const Value tree = ref(object).tree();
  for (const std::string& path : selectable_) {
    std::string text;
    const auto found = selectable_paths_[fields.size()].find(tree);
    // Compat: of several values none is meant.
    if (found && found->size() == 1) text = selector_text(*found->front());
    fields.push_back({path, std::move(text)});
  }
  return fields;
}

std::optional<api::Scale> CustomKind::scale_any(const void* object) const {
  if (!scale_) return std::nullopt;
  const Value tree = ref(object).tree();
  api::Scale scale;
  if (auto found = schema::nested_integer(tree, scale_->spec_replicas_path))
    scale.spec_replicas = static_cast<int32_t>(found->value_or(0));
  if (auto found = schema::nested_integer(tree, scale_->status_replicas_path))
    scale.status_replicas = static_cast<int32_t>(found->value_or(0));
  if (scale_->label_selector_path && !scale_->label_selector_path->empty()) {
    if (auto found = schema::nested_string(tree, *scale_->label_selector_path)) scale.selector = found->value_or("");
  }
  return scale;
}

void CustomKind::set_scale_any(void* object, int32_t replicas) const {
  if (!scale_) return;
  Value tree = mut(object).tree();
  if (schema::set_nested(tree, scale_->spec_replicas_path, static_cast<int64_t>(replicas))) mut(object).set_tree(tree);
}

std::vector<std::string_view> CustomKind::reset_fields(std::string_view subresource) const {
  if (!has_status_) return {};
  if (subresource.empty()) return {"status"};
  return {};
}

}  // namespace apiserver
