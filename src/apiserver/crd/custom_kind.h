// One version of a custom resource: the rules of its objects (defaults, validation, status, scale, columns), and how
// the bytes that are stored become the object that this version shows, and back.
//
// In a request an object has the form of the version that is asked for; only the store holds the form of the storage
// version, marked with the schema that it was last cleaned by. Where that schema is this version's too, stored bytes
// are shown as they are; else they are cleaned and converted on the way. Thread: any; schemas are compiled on first
// use.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/custom/custom_object.h"
#include "api/rules.h"
#include "base/bytes.h"
#include "base/result.h"
#include "gen/apiextensions/v1.h"
#include "kv/tree.h"
#include "object/value.h"
#include "schema/apply/type.h"
#include "schema/structural/json_path.h"
#include "schema/structural/structural_schema.h"

namespace api {
class ValidationRules;
}

namespace apiserver {

class WebhookConversion;

// What the versions of one definition share.
struct CustomSource {
  std::string_view group;
  std::string_view kind;
  std::string_view storage_version;
  const ::api::apiextensions::v1::CustomResourceDefinition* definition = nullptr;  // while it is made
  base::SharedBytes stored;                                                        // its message, for the schemas
  std::shared_ptr<const WebhookConversion> webhook;                                // null: conversion None
};

class CustomKind final : public api::KindRules {
 public:
  struct Column {
    std::string name, type, format, path, description;
    int32_t priority = 0;
  };

  // The definition's version `index`; `name`, kept by the owner, is its name.
  CustomKind(const CustomSource& source, size_t index, std::string_view name);
  ~CustomKind() override;

  // The version that is stored; itself unless set.
  void set_storage(const CustomKind* storage) { storage_ = storage; }

  // May stored bytes be shown as they are?
  bool shows_stored(std::string_view stored_raw) const;
  base::Result<std::string> to_served(std::string_view stored_raw) const;
  // Stored objects whose way to this version leads through the webhook are replaced by what it makes of them, all with
  // one call: then to_served() has nothing to wait for. After an error all are as they were.
  base::Result<void> convert_stored(std::span<kv::KeyValueRef> objects) const;
  // The bytes to store for an object of this version.
  base::Result<std::string> to_storage(std::string_view served_raw) const;

  // May converting wait for a webhook? Then requests run on a lane of their own.
  bool waits() const { return webhook_ != nullptr; }

  // A decoded body becomes an object of this version: unknown members go (their paths to `unknown`), defaults come.
  base::Result<void> clean(object::Value& tree, std::vector<std::string>* unknown) const;
  // The openAPIV3Schema as JSON; null when there is none.
  object::Value schema_json() const;
  const std::vector<std::string>& selectable() const { return selectable_; }
  schema::TypeRef apply_type() const;
  std::string_view storage_version() const { return storage_version_; }
  bool is_terminating() const { return terminating_; }
  // ".spec.replicas" or what the scale subresource says.
  std::string_view replicas_path() const {
    return scale_ ? std::string_view(scale_->spec_replicas_path) : ".spec.replicas";
  }
  bool has_status() const { return has_status_; }
  const std::vector<Column>& columns() const { return columns_; }
  std::string column_description(std::string_view column) const;

  const schema::Message& message() const override { return api::custom_message(); }
  std::string_view group() const override { return group_; }
  std::string_view version() const override { return version_; }
  std::string_view kind() const override { return kind_; }
  bool equal_any(const void* object, const void* other) const override;
  void set_defaults_any(void*) const override {}  // clean() has done it
  void prepare_for_create_any(api::RuleContext& context, void* object) const override;
  void prepare_for_update_any(api::RuleContext& context, void* object, const void* old) const override;
  void validate_any(api::RuleContext& context, const void* object, object::FieldErrors& errors) const override;
  void validate_update_any(api::RuleContext& context, const void* object, const void* old,
                           object::FieldErrors& errors) const override;
  void prepare_for_subresource_any(std::string_view subresource, api::RuleContext& context, void* object,
                                   const void* old) const override;
  void validate_subresource_any(std::string_view subresource, api::RuleContext& context, const void* object,
                                const void* old, object::FieldErrors& errors) const override;
  void cells_any(const void* object, base::WallTime now, api::TableRow& row) const override;
  std::vector<api::SelectableField> selectable_fields_any(const void* object) const override;
  std::optional<api::Scale> scale_any(const void* object) const override;
  void set_scale_any(void* object, int32_t replicas) const override;
  std::optional<int64_t> grace_period_any(const void*, std::optional<int64_t>) const override { return std::nullopt; }
  api::UpdateWithoutVersion update_without_version() const override { return api::UpdateWithoutVersion::kRefused; }
  std::vector<std::string_view> reset_fields(std::string_view subresource) const override;

 private:
  // What the definition says of this version's objects; compiled once. Null when there is no schema.
  const schema::StructuralSchema* structural() const;
  schema::SchemaNode root() const;
  // The whole object as its schema sees it.
  object::Value full_tree(const api::CustomObject& object) const;
  // The x-kubernetes-validations; null when there are none.
  const api::ValidationRules* rules() const;
  void check(api::RuleContext& context, const api::CustomObject& object, const api::CustomObject* old,
             object::FieldErrors& errors) const;

  std::string_view group_, kind_, version_, storage_version_;  // kept by the CustomResource
  base::Result<object::Value> to_convert(object::Value tree, std::string_view metadata, std::string_view from) const;
  std::string api_version_of(std::string_view version) const {
    return std::string(group_) + "/" + std::string(version);
  }

  const CustomKind* storage_ = this;
  std::shared_ptr<const WebhookConversion> webhook_;
  size_t index_ = 0;
  base::SharedBytes stored_;  // the definition
  uint64_t mark_ = 0;         // of the schema
  void parse_paths() const;
  mutable std::once_flag paths_once_;
  mutable std::vector<schema::JsonPath> column_paths_, selectable_paths_;  // of columns_ and selectable_
  mutable std::once_flag compile_once_;
  mutable std::shared_ptr<const schema::StructuralSchema> schema_;
  mutable std::shared_ptr<const api::ValidationRules> rules_;
  bool has_status_ = false;
  bool terminating_ = false;  // the definition is being deleted
  std::optional<::api::apiextensions::v1::CustomResourceSubresourceScale> scale_;
  std::vector<Column> columns_;
  std::vector<std::string> selectable_;  // "spec.a"
};

}  // namespace apiserver
