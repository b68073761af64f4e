// Scripts of writes by several managers: each file is the life of one object. See testdata/managed_*.txt.
#include <gtest/gtest.h>

#include "gen/catalogue.h"
#include "object/json.h"
#include "schema/apply/server_side_apply.h"
#include "schema/apply/typed.h"
#include "script.h"

namespace {

using object::Value;

std::string error_text(const base::Error& error) {
  const std::string_view reason = base::reason_name(error.reason);
  return "error " + (reason.empty() ? std::string("500") : std::string(reason)) + ": " + error.message;
}

// v2 calls "replicas" what v1 calls "size"; v0 is unknown.
std::optional<schema::VersionedObject> convert(const Value& object, std::string_view api_version) {
  if (api_version != "v1" && api_version != "v2") return std::nullopt;
  Value out = object::Object();
  for (const auto& [name, value] : *object.object_if()) {
    const bool renamed = name == "size" || name == "replicas";
    if (name != "apiVersion") {
      out.object_if()->set(renamed ? (api_version == "v1" ? "size" : "replicas") : name, value);
    }
  }
  out.object_if()->set("apiVersion", std::string(api_version));
  return schema::VersionedObject{std::move(out), schema::deduced_type()};
}

class Life {
 public:
  std::string run(const script::Block& block) {
    const std::string& command = block.command[0];
    if (command == "validate") return run_validate(block);
    if (command == "versions") {
      versions_ = true;
      return "versions convert";
    }
    if (command == "live") live_ = block.json("object");
    if (command == "update") update(block);
    if (command == "apply") {
      if (std::string error = apply(block); !error.empty()) return error;
    }
    return live_ ? show() : "none";
  }

 private:
  schema::ManageContext context(const script::Block& block) {
    static constexpr std::string_view kStatus[] = {"status"};
    static constexpr std::string_view kSpec[] = {"spec", "metadata.labels"};
    static constexpr std::string_view kResources[] = {"spec.containers.*.resources"};
    schema::ManageContext context;
    const std::string type = block.argument("type", type_);
    type_ = type;
    const size_t dot = type.rfind('.');
    context.type = type == "deduced"
                       ? schema::deduced_type()
                       : schema::message_type(*gen::find_message(type.substr(0, dot), type.substr(dot + 1)));
    api_version_ = block.argument("version", "v1");
    subresource_ = block.argument("subresource");
    kind_ = type.substr(dot + 1);
    context.api_version = api_version_;
    context.kind = kind_;
    context.subresource = subresource_;
    context.reset_fields.paths = kStatus;
    if (subresource_ == "status") context.reset_fields.paths = kSpec;
    if (subresource_ == "resize") context.reset_fields = {schema::ResetFields::Mode::kOnly, kResources};
    if (versions_) context.converter = &converter_;
    return context;
  }

  void update(const script::Block& block) {
    const Value nothing = object::Object();
    Value updated = block.json("object");
    const Value* managed = live_ ? live_->at_path({"metadata", "managedFields"}) : nullptr;
    if (!updated.find("metadata")) updated.object_if()->set("metadata", object::Object());
    Value& metadata = *updated.find("metadata");
    if (managed && !metadata.find("managedFields")) metadata.object_if()->set("managedFields", *managed);
    schema::update_managed_fields(context(block), live_ ? *live_ : nothing, updated, block.argument("manager", "m"),
                                  block.argument("time"));
    live_ = std::move(updated);
  }

  std::string apply(const script::Block& block) {
    const Value config = block.json("config");
    const bool force = block.argument("force") == "yes";
    auto applied = schema::server_side_apply(
        context(block), {config, live_ ? &*live_ : nullptr, block.argument("manager", "m"), block.argument("time"),
                         force ? schema::OnConflict::kForce : schema::OnConflict::kFail});
    if (!applied) {
      std::string text = error_text(applied.error());
      if (applied.error().details) {
        for (const auto& cause : applied.error().details->causes) {
          text += "\ncause " + cause.reason + ": " + cause.field + ": " + cause.message;
        }
      }
      return text;
    }
    if (applied->effect == schema::ApplyEffect::kChanged) live_ = std::move(applied->object);
    schema::write_managed_fields(*live_, applied->entries, schema::FieldsForm::kText);
    return "";
  }

  std::string run_validate(const script::Block& block) {
    const auto repeats = block.argument("repeats") == "yes" ? schema::Repeats::kAllowed : schema::Repeats::kForbidden;
    auto valid = schema::validate(context(block).type, block.json("object"), repeats);
    return valid ? "valid" : error_text(valid.error());
  }

  std::string show() const {
    Value object = *live_;
    schema::remove_managed_fields(object);
    std::string out = object::to_json(object);
    for (const schema::ManagedEntry& entry : schema::read_managed_fields(*live_).entries) {
      out += "\n" + schema::manager_identifier(entry) + " " + entry.api_version + " " + entry.time + " " + entry.fields;
    }
    return out;
  }

  std::optional<Value> live_;
  std::string type_;
  std::string api_version_;
  std::string kind_;
  std::string subresource_;
  bool versions_ = false;
  schema::VersionConverter converter_ = convert;
};

void run_life(const std::string& file) {
  Life life;
  script::run_file(file, [&](const script::Block& block) { return life.run(block); });
}

TEST(ManagedScripts, Updates) { run_life("managed_updates.txt"); }
TEST(ManagedScripts, CapOfUpdateManagers) { run_life("managed_cap.txt"); }
TEST(ManagedScripts, KubectlUpgrade) { run_life("managed_kubectl.txt"); }
TEST(ManagedScripts, ListsMerge) { run_life("managed_lists.txt"); }
TEST(ManagedScripts, Versions) { run_life("managed_versions.txt"); }
TEST(ManagedScripts, Deduced) { run_life("managed_deduced.txt"); }
TEST(ManagedScripts, Validation) { run_life("validate.txt"); }

}  // namespace
