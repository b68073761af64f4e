// Follows the CustomResourceDefinitions: accepts their names, establishes and publishes them, and when one is deleted
// removes its objects first. What upstream's apiextensions server does in several controllers.
//
// Invariants: endpoints are published before the definition says Established; the watches of a
// resource that is withdrawn, or made anew from a changed spec, end. A
// definition costs the same to add however many there are. Thread: construct, start, stop from the owner's; works on
// the pool, one definition at a time.
#pragma once

#include <memory>

#include "base/result.h"

namespace apiserver {

class Core;

class CrdController {
 public:
  explicit CrdController(Core* core);
  ~CrdController();
  // Publishes what is established already, then follows.
  base::Result<void> start();
  // No definition is worked on afterwards.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace apiserver
