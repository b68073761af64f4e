#include "api/custom/custom_object.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "gen/catalogue.h"
#include "schema/custom_content.h"
#include "schema/struct_ops.h"

#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace api {
namespace {

std::vector<schema::FieldStep> steps_of(const std::vector<schema::Field>& fields) {
  std::vector<schema::FieldStep> steps;
  for (size_t i = 0; i < fields.size(); ++i) steps.push_back(schema::step_of(fields[i], i));
  std::ranges::sort(steps, {}, &schema::FieldStep::number);
  return steps;
}

// A table like another one but for the order of its fields, which is that of their JSON names.
struct SortedTable {
  explicit SortedTable(const schema::Message& like) : fields(like.fields.begin(), like.fields.end()), message(like) {
    std::ranges::sort(fields, {}, &schema::Field::json);
    by_number = steps_of(fields);
    message.fields = fields;
    message.by_number = by_number;
    message.shown_absent = schema::shown_absent_of(fields);
  }
  SortedTable(const SortedTable&) = delete;
  void refer(std::string_view json, const SortedTable& nested) {
    for (schema::Field& field : fields) {
      if (field.json == json) field.message = &nested.message;
    }
  }

  std::vector<schema::Field> fields;
  std::vector<schema::FieldStep> by_number;
  schema::Message message;
};

struct Tables {
  Tables()
      : entry(gen::message_of<meta::v1::ManagedFieldsEntry>()),
        owner(gen::message_of<meta::v1::OwnerReference>()),
        metadata(gen::message_of<meta::v1::ObjectMeta>()) {
    metadata.refer("managedFields", entry);
    metadata.refer("ownerReferences", owner);
    // The fields of PartialObjectMetadata: type and field 1, which is all that is common to objects.
    const schema::Message& partial = gen::message_of<meta::v1::PartialObjectMetadata>();
    fields.push_back(*schema::find_number(partial, 1));
    fields[0].message = &metadata.message;
    fields[0].offset = offsetof(CustomObject, metadata);
    schema::Field content{};
    content.number = 2;
    content.type = schema::Type::kBytes;
    content.card = schema::Card::kSingular;
    content.omit = schema::JsonOmit::kLen0;
    content.name = "content";
    content.offset = offsetof(CustomObject, content);
    fields.push_back(content);
    schema::Field mark = content;
    mark.number = 3;
    mark.type = schema::Type::kInt64;
    mark.presence = true;
    mark.omit = schema::JsonOmit::kNil;
    mark.name = "schemaMark";
    mark.offset = offsetof(CustomObject, schema_mark);
    fields.push_back(mark);
    schema::Field version = mark;
    version.number = 4;
    version.type = schema::Type::kString;
    version.name = "storedVersion";
    version.offset = offsetof(CustomObject, stored_version);
    fields.push_back(version);
    message.package = "custom";
    message.name = "CustomObject";
    by_number = steps_of(fields);
    message.fields = fields;
    message.by_number = by_number;
    message.shown_absent = schema::shown_absent_of(fields);
    message.unsure = true;
    message.special = schema::Special::kCustomObject;
    message.type_meta = true;
    message.ops = &schema::kStructOps<CustomObject>;
  }

  SortedTable entry, owner, metadata;
  std::vector<schema::Field> fields;
  std::vector<schema::FieldStep> by_number;
  schema::Message message{};
};

}  // namespace

const schema::Message& custom_message() {
  static const Tables kTables;
  return kTables.message;
}

object::Value CustomObject::tree() const { return schema::content_tree(content); }

void CustomObject::set_tree(const object::Value& tree) {
  content = tree.object_if() ? schema::content_of(*tree.object_if()) : std::string();
}

}  // namespace api
