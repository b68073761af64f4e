// Which names a definition gets: within a group no two may share a resource name or a kind. Compat: upstream's naming
// controller: names that others have are not accepted, those that are free are, each by itself. Pure but for the index,
// which its owner guards.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "apiserver/crd/conditions.h"

namespace apiserver {

// Who has which accepted names, over all groups. Looking up costs the same however many there are.
class NameIndex {
 public:
  // In place of what the definition had.
  void put(const std::string& definition, std::string_view group,
           const ::api::apiextensions::v1::CustomResourceDefinitionNames& accepted);
  void remove(const std::string& definition);
  // Has another definition of the group this resource name (plural, singular, short), or this kind (or list kind)?
  bool resource_taken(std::string_view group, std::string_view name, std::string_view by_other_than) const;
  bool kind_taken(std::string_view group, std::string_view kind, std::string_view by_other_than) const;

 private:
  std::unordered_map<std::string, std::string> owners_;             // "r group name" or "k group kind" → definition
  std::unordered_map<std::string, std::vector<std::string>> keys_;  // of each definition
};

struct NamingResult {
  ::api::apiextensions::v1::CustomResourceDefinitionNames accepted;
  CrdCondition names_accepted;
};
NamingResult accept_names(const CustomResourceDefinition& definition, const NameIndex& index);

}  // namespace apiserver
