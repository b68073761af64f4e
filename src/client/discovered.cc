#include "client/discovered.h"

#include <algorithm>
#include <deque>

#include "gen/catalogue.h"
#include "object/json.h"

namespace client {
namespace {

using object::Array;
using object::Value;

// A row with all that it views.
struct Discovered {
  std::deque<std::string> text;
  std::vector<std::string_view> verbs;
  schema::Resource row{};

  std::string_view keep(std::string_view view) { return text.emplace_back(view); }
};

const Array& array_at(const Value& value, std::string_view name) {
  static const Array kNone;
  const Value* found = value.find(name);
  return found && found->array_if() ? *found->array_if() : kNone;
}

bool is_built_in(std::string_view group, std::string_view name) {
  return std::ranges::any_of(gen::group_versions(), [&](const schema::GroupVersion& version) {
    return version.group == group && gen::find_resource(group, version.version, name, "") != nullptr;
  });
}

std::shared_ptr<const schema::Resource> make_row(std::string_view group, std::string_view version,
                                                 const Value& resource) {
  auto made = std::make_shared<Discovered>();
  schema::Resource& row = made->row;
  row.group = row.stored_group = made->keep(group);
  row.version = row.stored_version = made->keep(version);
  row.name = made->keep(resource.string_at({"resource"}));
  row.kind = row.stored_kind = made->keep(resource.string_at({"responseKind", "kind"}));
  row.namespaced = resource.string_at({"scope"}) == "Namespaced";
  for (const Value& verb : array_at(resource, "verbs")) {
    if (verb.is_string()) made->verbs.push_back(made->keep(*verb.string_if()));
  }
  row.verbs = made->verbs;
  return {made, &row};
}

}  // namespace

base::Result<ResourceList> read_discovery(std::string_view body) {
  TRY_ASSIGN(const Value document, object::parse_json(body));
  if (document.string_at({"kind"}) != "APIGroupDiscoveryList")
    return base::fail(base::Reason::kInternalError, "the server has no aggregated discovery");
  ResourceList rows;
  std::string stale;
  for (const Value& group : array_at(document, "items")) {
    const std::string_view name = group.string_at({"metadata", "name"});
    for (const Value& version : array_at(group, "versions")) {
      const std::string_view version_name = version.string_at({"version"});
      if (version.string_at({"freshness"}) == "Stale") {
        const std::string text = std::string(name) + "/" + std::string(version_name);
        stale += (stale.empty() ? "" : ", ") + text + ": stale GroupVersion discovery: " + text;
      }
      for (const Value& resource : array_at(version, "resources")) {
        const std::string_view plural = resource.string_at({"resource"});
        if (plural.empty() || is_built_in(name, plural)) continue;
        const bool known =
            std::ranges::any_of(rows, [&](const auto& row) { return row->group == name && row->name == plural; });
        if (!known) rows.push_back(make_row(name, version_name, resource));
      }
    }
  }
  if (!stale.empty()) {
    return base::fail(base::Reason::kServiceUnavailable,
                      "unable to retrieve the complete list of server APIs: " + stale);
  }
  return rows;
}

}  // namespace client
