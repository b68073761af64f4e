#include "schema/apply/managed_entry.h"

#include <algorithm>
#include <tuple>

#include "codec/json_text.h"
#include "object/json.h"

namespace schema {
namespace {

using object::Array;
using object::Object;
using object::Value;

std::string text_of(const Value& entry, std::string_view name) { return std::string(entry.string_at({name})); }

// "" or what is wrong with the entry. Compat: upstream's checks in their order.
std::string check_entry(SaidEntry& said, size_t i, ManagedEntry& entry) {
  if (said.operation != "Apply" && said.operation != "Update") return "operation must be `Apply` or `Update`";
  entry.operation = said.operation == "Apply" ? ManageOperation::kApply : ManageOperation::kUpdate;
  entry.api_version = std::move(said.api_version);
  if (entry.api_version.empty()) return "apiVersion must not be empty";
  if (said.fields_type.empty()) return "missing fieldsType in managed fields entry " + std::to_string(i);
  if (said.fields_type != "FieldsV1") {
    return "invalid fieldsType " + codec::go_quoted(said.fields_type) + " in managed fields entry " + std::to_string(i);
  }
  entry.manager = std::move(said.manager);
  entry.time = std::move(said.time);
  entry.subresource = std::move(said.subresource);
  entry.fields = said.fields ? std::move(*said.fields) : "{}";
  return "";
}

SaidEntry said_by(const Value& source) {
  SaidEntry said{text_of(source, "manager"),
                 text_of(source, "operation"),
                 text_of(source, "apiVersion"),
                 text_of(source, "time"),
                 text_of(source, "fieldsType"),
                 text_of(source, "subresource"),
                 std::nullopt};
  const Value* fields = source.find("fieldsV1");
  if (!fields || fields->is_null()) return said;
  const std::string* text = fields->string_if();
  said.fields = text ? *text : object::to_json(*fields);
  return said;
}

bool is_empty_entry(const SaidEntry& said) {
  return said.manager.empty() && said.operation.empty() && said.api_version.empty() && said.time.empty() &&
         said.fields_type.empty() && said.subresource.empty() && (!said.fields || said.fields->empty());
}

bool is_empty_entry(const Value& entry) {
  const Object* object = entry.object_if();
  if (!object) return entry.is_null();
  return std::ranges::all_of(*object, [](const object::Member& member) {
    const std::string* text = member.value.string_if();
    return member.value.is_null() || (text && text->empty());
  });
}

ReadEntries checked(std::vector<SaidEntry> said) {
  ReadEntries result;
  result.state = ManagedState::kEntries;
  result.entries.reserve(said.size());
  for (size_t i = 0; i < said.size(); ++i) {
    result.error = check_entry(said[i], i, result.entries.emplace_back());
    if (result.error.empty()) continue;
    result.state = ManagedState::kInvalid;
    result.entries.clear();
    break;
  }
  return result;
}

}  // namespace

ReadEntries read_managed_fields(const Value& object) {
  const Value* list = object.at_path({"metadata", "managedFields"});
  const Array* array = list ? list->array_if() : nullptr;
  if (!array) return {};
  if (array->empty() || (array->size() == 1 && is_empty_entry((*array)[0]))) return {ManagedState::kReset, {}, {}};
  std::vector<SaidEntry> said;
  said.reserve(array->size());
  for (const Value& entry : *array) said.push_back(said_by(entry));
  return checked(std::move(said));
}

ReadEntries read_entries(std::vector<SaidEntry> said) {
  if (said.empty()) return {};
  if (said.size() == 1 && is_empty_entry(said[0])) return {ManagedState::kReset, {}, {}};
  return checked(std::move(said));
}

void remove_managed_fields(Value& object) {
  Value* metadata = object.find("metadata");
  if (Object* members = metadata ? metadata->object_if() : nullptr) members->erase("managedFields");
}

void write_managed_fields(Value& object, const ManagedEntries& entries, FieldsForm form) {
  if (entries.empty()) return remove_managed_fields(object);
  Array list;
  list.reserve(entries.size());
  for (const ManagedEntry& entry : entries) {
    Object out;
    out.reserve(7);
    if (!entry.manager.empty()) out.append("manager", entry.manager);
    out.append("operation", entry.operation == ManageOperation::kApply ? "Apply" : "Update");
    out.append("apiVersion", entry.api_version);
    if (!entry.time.empty()) out.append("time", entry.time);
    out.append("fieldsType", "FieldsV1");
    if (form == FieldsForm::kText) {
      out.append("fieldsV1", entry.fields);
    } else {
      auto fields = object::parse_json(entry.fields);
      out.append("fieldsV1", fields ? std::move(*fields) : Value(Object()));
    }
    if (!entry.subresource.empty()) out.append("subresource", entry.subresource);
    list.push_back(std::move(out));
  }
  Value& metadata = (*object.object_if())["metadata"];
  if (!metadata.is_object()) metadata = Object();
  metadata.object_if()->set("managedFields", std::move(list));
}

std::string manager_identifier(const ManagedEntry& entry) {
  std::string out = "{";
  auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (out.size() > 1) out += ',';
    codec::append_json_string(out, name);
    out += ':';
    codec::append_json_string(out, value);
  };
  const bool applied = entry.operation == ManageOperation::kApply;
  add("manager", entry.manager);
  add("operation", applied ? "Apply" : "Update");
  add("apiVersion", applied ? std::string_view() : std::string_view(entry.api_version));
  add("subresource", entry.subresource);
  return out + "}";
}

void sort_entries(ManagedEntries& entries) {
  auto rank = [](const ManagedEntry& entry) {
    return std::tie(entry.operation, entry.time, entry.manager, entry.api_version, entry.subresource);
  };
  std::ranges::sort(entries, [&](const ManagedEntry& a, const ManagedEntry& b) { return rank(a) < rank(b); });
}

bool equal_but_for_times(const Value& a, const Value& b) {
  auto without_times = [](const Value& object) {
    Value copy = object;
    Value* metadata = copy.find("metadata");
    Value* list = metadata ? metadata->find("managedFields") : nullptr;
    if (Array* array = list ? list->array_if() : nullptr) {
      for (Value& entry : *array) {
        if (Object* members = entry.object_if()) members->erase("time");
      }
    }
    return copy;
  };
  return without_times(a) == without_times(b);
}

}  // namespace schema
