// The objects that a cluster has from its first second, as JSON documents. Compat: names and contents as upstream's
// start-up hooks make them. Pure; thread: any.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "object/value.h"

namespace apiserver::bootstrap {

enum class Need : uint8_t { kRequired, kOptional };
// What happens to an object that is there already.
enum class Existing : uint8_t {
  kKept,
  kCompleted,  // RBAC: what is missing is added, unless its owner opted out
  kReplaced,   // what the server says of itself
};

struct FirstObject {
  std::string_view group, version, resource;
  object::Value value;
  Need need = Need::kOptional;
  Existing existing = Existing::kKept;
};

struct Facts {
  std::string service_cidr;
  std::string service_address;  // of the kubernetes Service
  std::string advertise_address;
  int port = 6443;
  std::string client_ca_pem;  // "" = none
  std::string host_name;
  base::WallTime now;
  // Is a group version served? Empty = those that are on by default are.
  std::function<bool(std::string_view group, std::string_view version)> serves;
};

// In the order in which they are made: what others need comes first.
std::vector<FirstObject> first_objects(const Facts& facts);

// What is to be stored in place of `live`, when a default role or binding lacks rules or subjects that `wanted` has;
// null when nothing is missing or the owner switched this off.
object::Value completed(const object::Value& live, const object::Value& wanted);

}  // namespace apiserver::bootstrap
