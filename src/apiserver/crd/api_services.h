// The APIService objects of custom group versions: made with the first definition of a group version, removed with the
// last. Compat: clients that list APIServices see every group version. Owner: the CrdController.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "apiserver/local_transport.h"

namespace apiserver {

class ApiServices {
 public:
  ApiServices(const Core* core, LocalTransport* transport) : core_(core), transport_(transport) {}
  // What the definition serves now; nothing = it is gone. Writes what follows from it.
  void set(const std::string& definition, const std::string& group, const std::vector<std::string>& versions);

 private:
  void create(const std::string& group, const std::string& version);
  void remove(const std::string& name);

  const Core* const core_;
  LocalTransport* const transport_;
  std::map<std::string, std::set<std::string>> users_;          // "v1.group" → definitions
  std::map<std::string, std::set<std::string>> by_definition_;  // and back
};

}  // namespace apiserver
