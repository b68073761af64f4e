// Small checks that the validators of many kinds share, with upstream's messages. Pure; thread: any.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/label_selector.h"
#include "api/meta_validation.h"
#include "gen/meta/v1.h"
#include "object/field_error.h"
#include "object/types.h"

namespace api {

using object::BadValue;
using object::FieldErrors;
using object::FieldPath;

void check_positive(int64_t value, const FieldPath& path, FieldErrors& errors);
// Required when empty, unsupported when not in the list.
void check_enum(std::string_view value, const FieldPath& path, FieldErrors& errors,
                std::initializer_list<std::string_view> supported);
// An IP that may not be unspecified, loopback, link-local or link-local multicast.
void check_non_special_ip(std::string_view ip, const FieldPath& path, FieldErrors& errors);
// "acme.io/foo": required, a DNS name and a path.
void check_domain_prefixed_path(std::string_view text, const FieldPath& path, FieldErrors& errors);
// Conditions of the general kind (meta/v1).
void validate_conditions(const std::vector<meta::v1::Condition>& conditions, const FieldPath& path,
                         FieldErrors& errors);
BadValue shown(const std::vector<meta::v1::Condition>& conditions);
// Of a certificate signer: a domain with two labels or more, a slash, a name.
void validate_signer_name(const std::string& name, const FieldPath& path, FieldErrors& errors);
// Compat: IntOrString is checked as a non-negative integer or a percentage.
void check_int_or_percent(const object::IntOrString& value, const FieldPath& path, FieldErrors& errors);
// Compat: a percentage above 100 is refused where it is a share of the replicas.
void check_not_over_100_percent(const object::IntOrString& value, const FieldPath& path, FieldErrors& errors);
// The value as a number, a percentage as its number (upstream's getIntOrPercentValue); 0 when malformed.
int int_or_percent_number(const object::IntOrString& value);
BadValue bad_int_or_string(const object::IntOrString& value);
std::string int_or_string_text(const object::IntOrString& value);

// As messages show a missing selector or map: null.
BadValue shown(const base::Box<meta::v1::LabelSelector>& selector);
// The members that changed, in the place where upstream prints a difference of its structs: to stand below the first
// line of a message.
struct ChangedMember {
  std::string_view name;
  bool same;
};
std::string changed_members(std::string_view type, std::initializer_list<ChangedMember> members);
// A struct as upstream shows it when it has no JSON names: {"Type":"x","RollingUpdate":null}.
BadValue shown_json(const object::Value& value);

}  // namespace api
