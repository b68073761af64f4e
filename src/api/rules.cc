#include "api/rules.h"

#include <algorithm>

#include "api/meta_validation.h"
#include "object/time.h"

namespace api {

meta::v1::ObjectMeta& meta_of(const schema::Message& message, void* object) {
  const schema::Field* field = schema::find_number(message, 1);
  return *reinterpret_cast<meta::v1::ObjectMeta*>(static_cast<char*>(object) + field->offset);
}
const meta::v1::ObjectMeta& meta_of(const schema::Message& message, const void* object) {
  const schema::Field* field = schema::find_number(message, 1);
  return *reinterpret_cast<const meta::v1::ObjectMeta*>(static_cast<const char*>(object) + field->offset);
}

NameValidator KindRules::name_validator() const { return name_is_dns_subdomain; }

std::vector<std::string_view> KindRules::reset_fields(std::string_view subresource) const {
  if (subresource.empty() && schema::find_json_field(message(), "status")) return {".status"};
  if (subresource == "status") return {".spec"};
  return {};
}

std::string KindRules::unknown_field_label(std::string_view label, std::string_view) const {
  return "field label not supported: " + std::string(label);
}

void default_table_cells(const meta::v1::ObjectMeta& metadata, TableRow& row) {
  row.cells.emplace_back(metadata.name);
  row.cells.emplace_back(metadata.creation_timestamp.zero() ? "" : object::format_time(metadata.creation_timestamp));
}

const KindRules* Catalogue::rules(std::string_view group, std::string_view version, std::string_view kind) const {
  auto found = std::ranges::find_if(
      rules_, [&](const auto& r) { return r->kind() == kind && r->group() == group && r->version() == version; });
  return found == rules_.end() ? nullptr : found->get();
}

const KindRules* Catalogue::rules(std::string_view group, const schema::Message& stored) const {
  auto found = std::ranges::find_if(
      rules_, [&](const auto& r) { return r->message().ops == stored.ops && stored.ops && r->group() == group; });
  return found == rules_.end() ? nullptr : found->get();
}

const Conversion* Catalogue::conversion(const schema::Message& served) const {
  auto found = std::ranges::find(conversions_, &served, &Conversion::served);
  return found == conversions_.end() ? nullptr : &*found;
}

const VersionDefaults* Catalogue::version_defaults(const schema::Message& served) const {
  auto found = std::ranges::find(defaults_, &served, &VersionDefaults::served);
  return found == defaults_.end() ? nullptr : &*found;
}

}  // namespace api
