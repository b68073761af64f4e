// What the server knows of one kind beyond its schema: defaults, preparation, validation, printed cells, field
// selectors, scale. One class a kind, in api/<group>/<kind>.cc, listed in api/catalogue.cc. Rules are pure: no clock,
// store or randomness but what the context carries; they hold no state. Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/rng.h"
#include "gen/catalogue.h"
#include "gen/meta/v1.h"
#include "object/field_error.h"
#include "object/value.h"
#include "schema/tables.h"

namespace api {

// May containers be privileged? The server's --allow-privileged.
enum class Privileged : uint8_t { kRefused, kAllowed };

// What a rule may know of the request that it serves.
struct RuleContext {
  base::WallTime now;
  base::Rng* rng = nullptr;
  std::string user_name;
  std::string user_uid;
  std::vector<std::string> user_groups;
  // Sent as "Warning: 299" headers, in order. Never null.
  std::vector<std::string>* warnings = nullptr;
  Privileged privileged = Privileged::kRefused;
  // The group of the request's version where it is not that of the stored kind ("events.k8s.io").
  std::string_view request_group;
};

// A generated struct whose type only its table knows. Movable, owns the struct.
class AnyObject {
 public:
  AnyObject() = default;
  // A new default object of the table's struct; the table must have one.
  static AnyObject make(const schema::Message& message) { return AnyObject(message, message.ops->create()); }
  AnyObject(AnyObject&& other) noexcept : message_(other.message_), pointer_(std::exchange(other.pointer_, nullptr)) {}
  AnyObject& operator=(AnyObject&& other) noexcept {
    std::swap(message_, other.message_);
    std::swap(pointer_, other.pointer_);
    return *this;
  }
  ~AnyObject() {
    if (pointer_) message_->ops->destroy(pointer_);
  }
  explicit operator bool() const { return pointer_ != nullptr; }
  const schema::Message& message() const { return *message_; }
  void* get() { return pointer_; }
  const void* get() const { return pointer_; }
  template <typename T>
  T& as() {
    return *static_cast<T*>(pointer_);
  }
  template <typename T>
  const T& as() const {
    return *static_cast<const T*>(pointer_);
  }

 private:
  AnyObject(const schema::Message& message, void* pointer) : message_(&message), pointer_(pointer) {}
  const schema::Message* message_ = nullptr;
  void* pointer_ = nullptr;
};

// The ObjectMeta of any object struct (member 1 of every object message).
meta::v1::ObjectMeta& meta_of(const schema::Message& message, void* object);
const meta::v1::ObjectMeta& meta_of(const schema::Message& message, const void* object);

// Is the name complete, or a generateName prefix (which may end in "-")?
enum class NameUse : uint8_t { kName, kPrefix };
// Upstream's messages; empty = valid.
using NameValidator = std::vector<std::string> (*)(std::string_view name, NameUse use);

// The scale subresource of a workload.
struct Scale {
  int32_t spec_replicas = 0;
  int32_t status_replicas = 0;
  std::string selector;  // label selector text
};

// One row of a Table. Cells have the order of the resource's columns in api/schema/resources.txt, wide ones too.
struct TableRow {
  std::vector<object::Value> cells;
  // Rows of finished Pods carry a condition: type, status, reason, message. Empty type = none.
  std::string condition_type, condition_status, condition_reason, condition_message;
};

// A field that field selectors may name beside metadata.name and metadata.namespace.
struct SelectableField {
  std::string_view name;  // "spec.nodeName"
  std::string value;      // of the object at hand
};

enum class UpdateWithoutVersion : uint8_t { kAllowed, kRefused };
enum class CreateOnUpdate : uint8_t { kAllowed, kRefused };
// What happens to dependents when the delete request does not say.
enum class DefaultPropagation : uint8_t { kBackground, kOrphan };

// The rules of one kind, on objects of unknown type. Derive from RulesFor<T>, not from this. `object` and `old` are
// structs of message().
class KindRules {
 public:
  virtual ~KindRules() = default;
  virtual const schema::Message& message() const = 0;
  virtual std::string_view group() const = 0;
  virtual std::string_view version() const = 0;
  virtual std::string_view kind() const = 0;

  virtual bool equal_any(const void* object, const void* other) const = 0;

  // Versioned defaulting, run on every decoded request body. Must be idempotent.
  virtual void set_defaults_any(void* object) const = 0;
  // Before validation: clear what clients may not set (status on create), bump generation, allocate nothing.
  virtual void prepare_for_create_any(RuleContext& context, void* object) const = 0;
  virtual void prepare_for_update_any(RuleContext& context, void* object, const void* old) const = 0;
  virtual void validate_any(RuleContext& context, const void* object, object::FieldErrors& errors) const = 0;
  virtual void validate_update_any(RuleContext& context, const void* object, const void* old,
                                   object::FieldErrors& errors) const = 0;
  // Updates through a subresource ("status", "resize", "ephemeralcontainers", "approval", "finalize", …): first put
  // back what the subresource may not change, then validate.
  virtual void prepare_for_subresource_any(std::string_view subresource, RuleContext& context, void* object,
                                           const void* old) const = 0;
  virtual void validate_subresource_any(std::string_view subresource, RuleContext& context, const void* object,
                                        const void* old, object::FieldErrors& errors) const = 0;
  virtual void cells_any(const void* object, base::WallTime now, TableRow& row) const = 0;
  virtual std::vector<SelectableField> selectable_fields_any(const void* object) const = 0;
  // What a field selector is told that names a field which this kind, having others, does not offer. `api_version`: of
  // the request.
  virtual std::string unknown_field_label(std::string_view label, std::string_view api_version) const;
  virtual std::optional<Scale> scale_any(const void* object) const = 0;
  virtual void set_scale_any(void* object, int32_t replicas) const = 0;
  // The annotation that clients see in the object but not in its bare metadata. Compat: upstream's conversion to the
  // served version writes it.
  virtual std::string_view converted_annotation() const { return {}; }
  // Does a creator own, in managed fields, more than it sent and the defaults? Then this adds it, to a copy.
  virtual bool owns_more() const { return false; }
  virtual void show_to_field_managers_any(void*) const {}
  // Seconds to grant before an object is removed; nullopt = this kind is removed at once. `requested` is the request's
  // gracePeriodSeconds.
  virtual std::optional<int64_t> grace_period_any(const void* object, std::optional<int64_t> requested) const = 0;

  virtual NameValidator name_validator() const;  // DNS-1123 subdomain unless overridden
  virtual UpdateWithoutVersion update_without_version() const { return UpdateWithoutVersion::kAllowed; }
  virtual CreateOnUpdate create_on_update() const { return CreateOnUpdate::kRefused; }
  virtual DefaultPropagation default_propagation() const { return DefaultPropagation::kBackground; }
  // Paths (".status", ".metadata.labels") that a write through the subresource ("" = main) never changes and therefore
  // never owns in managed fields.
  virtual std::vector<std::string_view> reset_fields(std::string_view subresource) const;
};

// Kinds derive from this and override what upstream does; the defaults suit a kind with no rules: a status, if the
// struct has one, is left alone.
template <typename T>
class RulesFor : public KindRules {
 public:
  RulesFor(std::string_view group, std::string_view version, std::string_view kind)
      : group_(group), version_(version), kind_(kind) {}
  const schema::Message& message() const final { return gen::message_of<T>(); }
  std::string_view group() const final { return group_; }
  std::string_view version() const final { return version_; }
  std::string_view kind() const final { return kind_; }

  virtual void set_defaults(T&) const {}
  virtual void prepare_for_create(RuleContext&, T&) const {}
  virtual void prepare_for_update(RuleContext&, T&, const T&) const {}
  virtual void validate(RuleContext&, const T&, object::FieldErrors&) const {}
  // Metadata is checked by the caller for every kind. Kinds call validate() themselves where upstream does.
  virtual void validate_update(RuleContext&, const T&, const T&, object::FieldErrors&) const {}
  virtual void prepare_for_subresource(std::string_view, RuleContext&, T&, const T&) const {}
  virtual void validate_subresource(std::string_view, RuleContext&, const T&, const T&, object::FieldErrors&) const {}
  // Default: name and creation time, as upstream's default columns.
  virtual void cells(const T& object, base::WallTime, TableRow& row) const { default_cells(object.metadata, row); }
  virtual std::vector<SelectableField> selectable_fields(const T&) const { return {}; }
  virtual std::optional<Scale> scale(const T&) const { return std::nullopt; }
  virtual void set_scale(T&, int32_t) const {}
  virtual std::optional<int64_t> grace_period(const T&, std::optional<int64_t>) const { return std::nullopt; }

  bool equal_any(const void* object, const void* other) const final { return ref(object) == ref(other); }
  void set_defaults_any(void* object) const final { set_defaults(mut(object)); }
  void prepare_for_create_any(RuleContext& c, void* object) const final { prepare_for_create(c, mut(object)); }
  void prepare_for_update_any(RuleContext& c, void* object, const void* old) const final {
    prepare_for_update(c, mut(object), ref(old));
  }
  void validate_any(RuleContext& c, const void* object, object::FieldErrors& e) const final {
    validate(c, ref(object), e);
  }
  void validate_update_any(RuleContext& c, const void* object, const void* old, object::FieldErrors& e) const final {
    validate_update(c, ref(object), ref(old), e);
  }
  void prepare_for_subresource_any(std::string_view s, RuleContext& c, void* object, const void* old) const final {
    prepare_for_subresource(s, c, mut(object), ref(old));
  }
  void validate_subresource_any(std::string_view s, RuleContext& c, const void* object, const void* old,
                                object::FieldErrors& e) const final {
    validate_subresource(s, c, ref(object), ref(old), e);
  }
  void cells_any(const void* object, base::WallTime now, TableRow& row) const final { cells(ref(object), now, row); }
  std::vector<SelectableField> selectable_fields_any(const void* object) const final {
    return selectable_fields(ref(object));
  }
  std::optional<Scale> scale_any(const void* object) const final { return scale(ref(object)); }
  void set_scale_any(void* object, int32_t replicas) const final { set_scale(mut(object), replicas); }
  std::optional<int64_t> grace_period_any(const void* object, std::optional<int64_t> requested) const final {
    return grace_period(ref(object), requested);
  }

 protected:
  static void default_cells(const meta::v1::ObjectMeta& metadata, TableRow& row);

 private:
  static T& mut(void* object) { return *static_cast<T*>(object); }
  static const T& ref(const void* object) { return *static_cast<const T*>(object); }
  std::string_view group_, version_, kind_;
};

// Name and creation time: upstream's default columns.
void default_table_cells(const meta::v1::ObjectMeta& metadata, TableRow& row);

template <typename T>
void RulesFor<T>::default_cells(const meta::v1::ObjectMeta& metadata, TableRow& row) {
  default_table_cells(metadata, row);
}

// A served version whose struct differs from the stored one (autoscaling/v1, events.k8s.io/v1): both directions are
// total functions between the two structs.
struct Conversion {
  const schema::Message* served;
  const schema::Message* stored;
  void (*to_stored)(const void* served, void* stored);
  void (*from_stored)(const void* stored, void* served);
  void (*set_defaults)(void* served);  // the served version's defaulting; the stored kind's rules do the rest
  // The stored kind's name of a field that a selector names in the served version; "" = not selectable. Null: the same.
  std::string_view (*stored_field)(std::string_view served_field) = nullptr;
  // Annotations that from_stored writes: clients see them in the object but not in its bare metadata.
  std::span<const char* const> written_annotations = {};
};

// A version that shares its struct with the stored one and has defaults of its own; they come before the rules'.
struct VersionDefaults {
  const schema::Message* served;
  void (*set_defaults)(void* object);
};

// Every kind with rules, and every conversion: api/catalogue.cc, one line an entry. Built once by the composition root.
class Catalogue {
 public:
  Catalogue();
  // The rules of the kind that is stored; null for a kind that has none.
  const KindRules* rules(std::string_view group, std::string_view version, std::string_view kind) const;
  // The same by the struct of the stored kind, which versions of the same members share.
  const KindRules* rules(std::string_view group, const schema::Message& stored) const;
  // All of them, in the order of discovery.
  std::span<const std::unique_ptr<const KindRules>> all() const { return rules_; }
  // By the served struct's table; null when served and stored are the same.
  const Conversion* conversion(const schema::Message& served) const;
  // Null when the version has none of its own.
  const VersionDefaults* version_defaults(const schema::Message& served) const;

 private:
  std::vector<std::unique_ptr<const KindRules>> rules_;
  std::vector<Conversion> conversions_;
  std::vector<VersionDefaults> defaults_;
};

}  // namespace api
