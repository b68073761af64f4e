#include "apiserver/openapi/schemas.h"

#include <algorithm>
#include <vector>

#include "apiserver/openapi/schema_facts.h"
#include "gen/catalogue.h"
#include "object/json.h"

namespace apiserver::openapi {
namespace {

using object::Array;
using object::Object;
using object::Value;
using schema::Card;
using schema::Field;
using schema::Message;
using schema::Special;
using schema::Type;

// Messages that JSON shows as one value and that have a definition of their own. Their zero is no default.
bool is_opaque(const Message& message) { return message.special != Special::kNone; }

void set_text(Object& out, std::string_view package, const std::string& name) {
  if (std::string_view text = description(package, name); !text.empty()) out.set("description", text);
}

std::string member_key(const Message& message, const Field& field) {
  return std::string(message.package) + " " + std::string(message.name) + "." + std::string(field.json);
}

// Compat: required is what is neither marked optional nor left out when empty.
bool is_required(const Message& message, const Field& field) {
  if (field.optional || (!field.required && field.omit != schema::JsonOmit::kNever)) return false;
  return std::ranges::find(kNotRequired, member_key(message, field)) == std::end(kNotRequired);
}

const schema::NamedType* named_type(const Message& message, const Field& field) {
  if (field.named) return field.named;
  const std::string key = member_key(message, field);
  const auto* borrowed = std::ranges::find(kBorrowedEnums, key, &Borrowed::member);
  if (borrowed == std::end(kBorrowedEnums)) return nullptr;
  const Message* other = gen::find_message(borrowed->package, borrowed->message);
  const Field* same = other ? schema::find_json_field(*other, borrowed->field) : nullptr;
  return same ? same->named : nullptr;
}

void add_version_info(Object& properties, Array& required) {
  for (size_t i = 0; i < std::size(kVersionInfo); ++i) {
    Object text;
    text.set("type", "string");
    if (i < kVersionInfoRequired) required.push_back(kVersionInfo[i]);
    properties.set(kVersionInfo[i], std::move(text));
  }
}

struct Writer {
  Dialect dialect;
  Messages& referred;

  bool v3() const { return dialect == Dialect::kV3; }

  // A reference with what stands beside it (default, description, extensions).
  Value refer(const Message& message, Object beside) {
    referred.insert(&message);
    const std::string target = reference(dialect, definition_name(message));
    if (v3() && !beside.empty()) {
      Array all;
      Object one;
      one.set("$ref", target);
      all.push_back(std::move(one));
      beside.set("allOf", std::move(all));
      return beside;
    }
    beside.set("$ref", target);
    return beside;
  }

  void scalar(const Field& field, const schema::NamedType* named, Object& out) const {
    switch (field.type) {
      case Type::kBool:
        out.set("type", "boolean");
        return;
      case Type::kInt32:
      case Type::kInt64:
        out.set("type", "integer");
        out.set("format", field.type == Type::kInt32 ? "int32" : "int64");
        return;
      case Type::kDouble:
        out.set("type", "number");
        out.set("format", "double");
        return;
      case Type::kBytes:
        out.set("type", "string");
        out.set("format", "byte");
        return;
      case Type::kString:
      case Type::kMessage:
        break;
    }
    out.set("type", "string");
    if (!named || !named->closed || named->values.empty()) return;
    const std::set<std::string_view> values(named->values.begin(), named->values.end());
    Array shown;
    for (std::string_view value : values) shown.push_back(value);
    out.set("enum", std::move(shown));
  }

  static Value zero(Type type) {
    switch (type) {
      case Type::kBool:
        return false;
      case Type::kInt32:
      case Type::kInt64:
      case Type::kDouble:
        return 0;
      case Type::kString:
      case Type::kBytes:
      case Type::kMessage:
        break;
    }
    return "";
  }

  // An element of a list or a map.
  Value element(const Field& field) {
    Object out;
    if (field.type == Type::kMessage) {
      if (field.message->alias) {
        out.set("type", "array");
        out.set("items", element(field.message->fields[0]));
        return out;
      }
      if (v3() && !is_opaque(*field.message)) out.set("default", Object{});
      return refer(*field.message, std::move(out));
    }
    scalar(field, field.named, out);
    if (v3() && field.type != Type::kBytes) out.set("default", zero(field.type));
    return out;
  }

  void extensions(const Field& field, Object& out) const {
    switch (field.list_type) {
      case schema::ListType::kAtomic:
        out.set("x-kubernetes-list-type", "atomic");
        break;
      case schema::ListType::kSet:
        out.set("x-kubernetes-list-type", "set");
        break;
      case schema::ListType::kMap:
        out.set("x-kubernetes-list-type", "map");
        break;
      case schema::ListType::kUnset:
        break;
    }
    if (!field.list_keys.empty()) {
      Array keys;
      for (std::string_view key : field.list_keys) keys.push_back(key);
      out.set("x-kubernetes-list-map-keys", std::move(keys));
    }
    const schema::Granularity map = field.card == Card::kMap ? field.map_type : field.struct_type;
    if (map != schema::Granularity::kUnset) {
      out.set("x-kubernetes-map-type", map == schema::Granularity::kAtomic ? "atomic" : "granular");
    }
    std::string patch;
    const std::pair<uint8_t, std::string_view> strategies[] = {
        {schema::kPatchMerge, "merge"}, {schema::kPatchRetainKeys, "retainKeys"}, {schema::kPatchReplace, "replace"}};
    for (const auto& [bit, name] : strategies) {
      if ((field.patch & bit) == 0) continue;
      if (!patch.empty()) patch += ',';
      patch += name;
    }
    if (!patch.empty()) out.set("x-kubernetes-patch-strategy", patch);
    if (!field.patch_key.empty()) out.set("x-kubernetes-patch-merge-key", field.patch_key);
  }

  Value property(const Message& message, const Field& field) {
    Object out;
    set_text(out, message.package, std::string(message.name) + "." + std::string(field.json));
    extensions(field, out);
    if (v3() && !field.default_json.empty()) {
      if (auto value = object::parse_json(field.default_json)) out.set("default", std::move(*value));
    }
    const bool list = field.card == Card::kRepeated;
    const bool alias = field.type == Type::kMessage && field.message->alias;
    if (alias && field.card == Card::kSingular) {
      out.set("type", "array");
      out.set("items", element(field.message->fields[0]));
      return out;
    }
    if (list || field.card == Card::kMap) {
      out.set("type", list ? "array" : "object");
      out.set(list ? "items" : "additionalProperties", element(field));
      return out;
    }
    if (field.type == Type::kMessage) {
      if (v3() && !field.presence && !is_opaque(*field.message) && !out.contains("default"))
        out.set("default", Object{});
      return refer(*field.message, std::move(out));
    }
    scalar(field, named_type(message, field), out);
    const bool shows_zero = !field.presence && field.omit == schema::JsonOmit::kNever && field.type != Type::kBytes;
    if (v3() && shows_zero && !out.contains("default")) out.set("default", zero(field.type));
    return out;
  }

  void members(const Message& message, Object& properties, Array& required) {
    for (const Field& field : message.fields) {
      if (field.inlined) {
        members(*field.message, properties, required);
        continue;
      }
      if (field.json.empty()) continue;
      properties.set(field.json, property(message, field));
      if (is_required(message, field)) required.push_back(field.json);
    }
  }
};

// What JSON shows of a message that is not an object of its fields. False for ordinary ones.
bool special_definition(Dialect dialect, const Message& message, Object& out) {
  const auto one_of = [&](std::string_view first, std::string_view second) {
    Object a, b;
    a.set("type", first);
    b.set("type", second);
    out.set("oneOf", Array{std::move(a), std::move(b)});
  };
  switch (message.special) {
    case Special::kNone:
    case Special::kUnknown:
    case Special::kGroupVersion:
    case Special::kCustomObject:
      return false;
    case Special::kTime:
    case Special::kMicroTime:
      out.set("type", "string");
      out.set("format", "date-time");
      break;
    case Special::kDuration:
      out.set("type", "string");
      break;
    case Special::kQuantity:
      if (dialect == Dialect::kV3) {
        one_of("string", "number");
      } else {
        out.set("type", "string");
      }
      break;
    case Special::kIntOrString:
      if (dialect == Dialect::kV3) {
        one_of("integer", "string");
      } else {
        out.set("type", "string");
      }
      out.set("format", "int-or-string");
      break;
    case Special::kRawExtension:
    case Special::kFieldsV1:
      out.set("type", "object");
      break;
    case Special::kJson:
    case Special::kSchemaOrBool:
    case Special::kSchemaOrArray:
    case Special::kSchemaOrStringArray:
      break;
  }
  return true;
}

Value group_version_kind(std::string_view group, std::string_view version, std::string_view kind) {
  Object out;
  out.set("group", group);
  out.set("kind", kind);
  out.set("version", version);
  return out;
}

// Kinds of meta/v1 that upstream registers in every group version that it knows.
bool in_every_group(const Message& message) {
  return message.package == "meta.v1" && (message.name == "DeleteOptions" || message.name == "WatchEvent");
}

// Group versions that upstream's own scheme lacks: other servers' and test groups.
bool in_upstream_scheme(std::string_view group) {
  static constexpr std::string_view kOthers[] = {"apidiscovery.k8s.io",     "meta.k8s.io",
                                                 "metrics.k8s.io",          "custom.metrics.k8s.io",
                                                 "external.metrics.k8s.io", "testapigroup.apimachinery.k8s.io"};
  return std::ranges::find(kOthers, group) == std::end(kOthers);
}

Array group_version_kinds(const Message& message) {
  Array out;
  if (in_every_group(message)) {
    std::set<std::pair<std::string_view, std::string_view>> group_versions;
    for (const schema::Kind& kind : gen::kinds()) {
      if (in_upstream_scheme(kind.group)) group_versions.emplace(kind.group, kind.version);
    }
    for (const auto& [group, version] : group_versions) out.push_back(group_version_kind(group, version, message.name));
    return out;
  }
  for (const schema::Kind& kind : gen::kinds()) {
    if (kind.message == &message && (kind.role != schema::KindRole::kOther || kind.group.empty())) {
      const std::string_view group = kind.group == "meta.k8s.io" ? std::string_view() : kind.group;
      out.push_back(group_version_kind(group, kind.version, kind.kind));
    }
  }
  // Compat: the kinds of meta/v1 are served as version v1 of the core group.
  static constexpr std::string_view kMeta[] = {"APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "Status"};
  if (out.empty() && message.package == "meta.v1" && std::ranges::find(kMeta, message.name) != std::end(kMeta)) {
    out.push_back(group_version_kind("", "v1", message.name));
  }
  return out;
}

void add_union(const Message& message, Object& out) {
  for (const Union& each : kUnions) {
    if (each.package != message.package || each.name != message.name) continue;
    Object fields, marked;
    for (const auto& [field, value] : each.fields) {
      if (!field.empty()) fields.set(field, value);
    }
    marked.set("discriminator", each.discriminator);
    marked.set("fields-to-discriminateBy", std::move(fields));
    out.set("x-kubernetes-unions", Array{std::move(marked)});
  }
}

void add_type_meta(Object& properties) {
  Object version, kind;
  version.set("description", "Version of the schema of this object, as group/version.");
  version.set("type", "string");
  kind.set("description", "Kind of this object, in CamelCase.");
  kind.set("type", "string");
  properties.set("apiVersion", std::move(version));
  properties.set("kind", std::move(kind));
}

}  // namespace

std::string definition_name(const Message& message) {
  if (message.proto_name.empty()) return "io.k8s.apimachinery.pkg.version." + std::string(message.name);
  std::string name = "io.k8s" + std::string(message.proto_name.substr(std::string_view("k8s.io").size()));
  std::ranges::replace(name, '_', '-');
  return name;
}

std::string reference(Dialect dialect, std::string_view name) {
  return (dialect == Dialect::kV2 ? "#/definitions/" : "#/components/schemas/") + std::string(name);
}

Value definition(Dialect dialect, const Message& message, Messages& referred) {
  Object out;
  set_text(out, message.package, std::string(message.name));
  if (special_definition(dialect, message, out)) return out;
  out.set("type", "object");
  Object properties;
  Array required;
  if (message.type_meta) add_type_meta(properties);
  if (message.package == "util.version" && message.name == "Info") {
    add_version_info(properties, required);
    if (dialect == Dialect::kV3) {
      for (const Value& name : required) properties.find(*name.string_if())->object_if()->set("default", "");
    }
  }
  // Compat: Patch is any document.
  if (message.name != "Patch") Writer{dialect, referred}.members(message, properties, required);
  properties.sort_by_key();
  if (!required.empty()) out.set("required", std::move(required));
  if (!properties.empty()) out.set("properties", std::move(properties));
  if (Array kinds = group_version_kinds(message); !kinds.empty())
    out.set("x-kubernetes-group-version-kind", std::move(kinds));
  if (message.struct_type == schema::Granularity::kAtomic) out.set("x-kubernetes-map-type", "atomic");
  add_union(message, out);
  return out;
}

Messages closure(const Messages& start) {
  Messages all = start;
  std::vector<const Message*> open(start.begin(), start.end());
  const auto visit = [&](const auto& self, const Message& message) -> void {
    if (message.special != Special::kNone && message.special != Special::kUnknown) return;
    if (message.name == "Patch") return;
    for (const Field& field : message.fields) {
      if (field.type != Type::kMessage || !field.message || (field.json.empty() && !field.inlined)) continue;
      if (field.inlined) {
        self(self, *field.message);
      } else if (!field.message->alias && all.insert(field.message).second) {
        open.push_back(field.message);
      }
    }
  };
  while (!open.empty()) {
    const Message* next = open.back();
    open.pop_back();
    visit(visit, *next);
  }
  return all;
}

}  // namespace apiserver::openapi
