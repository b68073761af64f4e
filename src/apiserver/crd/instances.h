// The objects of a custom resource whose definition goes: removed one by one, through the same door as by a client.
// Thread: any.
#pragma once

#include "apiserver/context.h"

namespace apiserver {

class Instances {
 public:
  Instances(Core* core, User user) : core_(core), user_(std::move(user)) {}
  // Nothing is stored any more.
  bool gone(const Endpoint& endpoint) const;
  // Deletes each; those with finalizers stay for now.
  void remove_all(const Endpoint& endpoint) const;

 private:
  Core* core_;
  User user_;
};

}  // namespace apiserver
