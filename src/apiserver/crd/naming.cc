#include "apiserver/crd/naming.h"

#include <algorithm>
#include <vector>

#include "codec/json_text.h"

namespace apiserver {
namespace {

using Names = ::api::apiextensions::v1::CustomResourceDefinitionNames;

std::string key_of(char what, std::string_view group, std::string_view name) {
  std::string key(1, what);
  return key.append(" ").append(group).append(" ").append(name);
}

std::string in_use(std::string_view name) {
  std::string text;
  codec::append_go_quoted(text, name);
  return text + " is already in use";
}

}  // namespace

void NameIndex::put(const std::string& definition, std::string_view group, const Names& accepted) {
  remove(definition);
  std::vector<std::string> keys;
  const auto add = [&](char what, std::string_view name) {
    if (!name.empty()) keys.push_back(key_of(what, group, name));
  };
  add('r', accepted.plural);
  add('r', accepted.singular);
  for (const std::string& name : accepted.short_names) add('r', name);
  add('k', accepted.kind);
  add('k', accepted.list_kind);
  std::erase_if(keys, [&](const std::string& key) { return !owners_.try_emplace(key, definition).second; });
  if (!keys.empty()) keys_[definition] = std::move(keys);
}

void NameIndex::remove(const std::string& definition) {
  auto found = keys_.find(definition);
  if (found == keys_.end()) return;
  for (const std::string& key : found->second) owners_.erase(key);
  keys_.erase(found);
}

bool NameIndex::resource_taken(std::string_view group, std::string_view name, std::string_view other) const {
  auto found = owners_.find(key_of('r', group, name));
  return found != owners_.end() && found->second != other;
}
bool NameIndex::kind_taken(std::string_view group, std::string_view kind, std::string_view other) const {
  auto found = owners_.find(key_of('k', group, kind));
  return found != owners_.end() && found->second != other;
}

NamingResult accept_names(const CustomResourceDefinition& definition, const NameIndex& index) {
  const Names& wanted = definition.spec.names;
  const std::string& self = definition.metadata.name;
  const std::string& group = definition.spec.group;
  NamingResult result{definition.status.accepted_names, {"NamesAccepted", "True", "NoConflicts", "no conflicts found"}};
  const auto refuse = [&](std::string_view reason, std::string message) {
    result.names_accepted = {"NamesAccepted", "False", std::string(reason), std::move(message)};
  };
  const auto resource = [&](const std::string& name, std::string& accepted, std::string_view reason) {
    if (name == accepted) return;
    if (index.resource_taken(group, name, self)) return refuse(reason, in_use(name));
    accepted = name;
  };
  const auto kind = [&](const std::string& name, std::string& accepted, std::string_view reason) {
    if (name == accepted) return;
    if (index.kind_taken(group, name, self)) return refuse(reason, in_use(name));
    accepted = name;
  };
  resource(wanted.plural, result.accepted.plural, "PluralConflict");
  resource(wanted.singular, result.accepted.singular, "SingularConflict");
  if (wanted.short_names != result.accepted.short_names) {
    std::vector<std::string> taken;
    for (const std::string& name : wanted.short_names) {
      const bool have = std::ranges::find(result.accepted.short_names, name) != result.accepted.short_names.end();
      if (!have && index.resource_taken(group, name, self)) taken.push_back(in_use(name));
    }
    if (taken.empty()) {
      result.accepted.short_names = wanted.short_names;
    } else {
      std::string text = taken.size() > 1 ? "[" : "";
      for (size_t i = 0; i < taken.size(); ++i) text += (i ? ", " : "") + taken[i];
      refuse("ShortNamesConflict", text + (taken.size() > 1 ? "]" : ""));
    }
  }
  kind(wanted.kind, result.accepted.kind, "KindConflict");
  kind(wanted.list_kind, result.accepted.list_kind, "ListKindConflict");
  result.accepted.categories = wanted.categories;
  return result;
}

}  // namespace apiserver
