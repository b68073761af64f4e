// What every kind shares: the rules of ObjectMeta, and small validators of its parts and of other common fields. Errors
// have upstream's text, paths and order. Pure; thread: any.
//
// A FieldPath is a link to its parent: name every step that outlives the statement
//   const auto spec = path.child("spec");  const auto ports = spec.child("ports");
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/rules.h"
#include "gen/meta/v1.h"
#include "object/field_error.h"
#include "object/types.h"

namespace api {

using StringMap = std::map<std::string, std::string>;
using ResourceList = std::map<std::string, object::Quantity>;

inline constexpr std::string_view kFieldImmutable = "field is immutable";
inline constexpr std::string_view kNotNegative = "must be greater than or equal to 0";

enum class Scope : uint8_t { kNamespaced, kCluster };

// Compat: upstream's own kinds check finalizers more strictly than custom resources do, and check the metadata of an
// update twice, so that every such error is reported as two causes.
enum class MetaRules : uint8_t { kBuiltIn, kCustom };
struct MetaSubject {
  Scope scope = Scope::kNamespaced;
  NameValidator names = nullptr;  // KindRules::name_validator()
  MetaRules rules = MetaRules::kBuiltIn;
};

// ObjectMeta of an object to be created, under "metadata". Name generation has been done.
void validate_object_meta(const meta::v1::ObjectMeta& metadata, const MetaSubject& subject,
                          object::FieldErrors& errors);
// What an update may not change, and the parts that it may. `metadata` is as prepare_meta_for_update() left it.
void validate_object_meta_update(const meta::v1::ObjectMeta& metadata, const meta::v1::ObjectMeta& old, MetaRules rules,
                                 object::FieldErrors& errors);

// Clears what no client may set on create: deletion fields, self link. uid, creation time and generated names are
// the caller's.
void prepare_meta_for_create(meta::v1::ObjectMeta& metadata);
// Puts back what the server owns: uid when the client left it out, creation and deletion times, and the generation.
// Call it before the kind's prepare_for_update, which may raise the generation.
void prepare_meta_for_update(meta::v1::ObjectMeta& metadata, const meta::v1::ObjectMeta& old);
// Updates through status and other subresources keep the old metadata but for labels, annotations, finalizers' kin:
// everything that ResetObjectMetaForStatus puts back upstream.
void reset_meta_for_status(meta::v1::ObjectMeta& metadata, const meta::v1::ObjectMeta& old);
// Keeps the first owner reference of each uid; appends upstream's warning when there were more.
void dedup_owner_references(meta::v1::ObjectMeta& metadata, std::vector<std::string>& warnings);

// Name rules (rules.h NameValidator). A prefix is checked with its trailing "-" made valid.
std::vector<std::string> name_is_dns_subdomain(std::string_view name, NameUse use);
std::vector<std::string> name_is_dns_label(std::string_view name, NameUse use);
std::vector<std::string> name_is_dns1035_label(std::string_view name, NameUse use);
std::vector<std::string> name_is_path_segment(std::string_view name, NameUse use);

// Parts of metadata, usable at any path (templates, claims).
void validate_labels(const StringMap& labels, const object::FieldPath& path, object::FieldErrors& errors);
void validate_annotations(const StringMap& annotations, const object::FieldPath& path, object::FieldErrors& errors);
void validate_owner_references(const std::vector<meta::v1::OwnerReference>& references, const object::FieldPath& path,
                               object::FieldErrors& errors);
void validate_finalizers(const std::vector<std::string>& finalizers, const object::FieldPath& path,
                         object::FieldErrors& errors);

// Label selectors. An update may keep label values that an older server let in.
enum class SelectorValues : uint8_t { kChecked, kUnchecked };
void validate_label_selector(const meta::v1::LabelSelector& selector, const object::FieldPath& path,
                             object::FieldErrors& errors, SelectorValues values = SelectorValues::kChecked);

// Appends a warning for an address that only lenient parsers take, or an IPv6 address that is not canonical.
void ip_warnings(std::string_view ip, const object::FieldPath& path, std::vector<std::string>& warnings);

// One line rules.
void validate_dns1123_label(std::string_view value, const object::FieldPath& path, object::FieldErrors& errors);
void validate_dns1123_subdomain(std::string_view value, const object::FieldPath& path, object::FieldErrors& errors);
void validate_qualified_name(std::string_view value, const object::FieldPath& path, object::FieldErrors& errors);
void validate_label_name(std::string_view value, const object::FieldPath& path, object::FieldErrors& errors);
void validate_not_negative(int64_t value, const object::FieldPath& path, object::FieldErrors& errors);
void validate_not_negative(const object::Quantity& value, const object::FieldPath& path, object::FieldErrors& errors);
// "must be between 1 and 65535, inclusive" for any bounds.
std::string inclusive_range_message(int64_t low, int64_t high);

// Invalid with `shown` and kFieldImmutable unless the two are equal.
template <typename T>
void validate_immutable(const T& value, const T& old, const object::BadValue& shown, const object::FieldPath& path,
                        object::FieldErrors& errors) {
  if (!(value == old)) errors.invalid(path, shown, kFieldImmutable);
}
template <typename T>
  requires std::is_constructible_v<object::BadValue, const T&>
void validate_immutable(const T& value, const T& old, const object::FieldPath& path, object::FieldErrors& errors) {
  if (!(value == old)) errors.invalid(path, value, kFieldImmutable);
}

// Values as messages show them: JSON, `null` for what is empty and a nil map or list upstream.
object::BadValue shown(const StringMap& labels);
object::BadValue shown(const meta::v1::LabelSelector& selector);
object::BadValue shown(const std::vector<std::string>& list);
object::BadValue shown(const meta::v1::OwnerReference& reference);

}  // namespace api
