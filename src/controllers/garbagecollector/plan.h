// What the garbage collector does with one object, from its owners' and dependents' state. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/metadata_view.h"

namespace controllers::garbagecollector {

inline constexpr std::string_view kForegroundFinalizer = "foregroundDeletion";
inline constexpr std::string_view kOrphanFinalizer = "orphan";

enum class OwnerState : uint8_t {
  kSolid,     // exists
  kDangling,  // does not, or is another object of the same name
  kWaiting,   // is being deleted in the foreground and waits for this object
};

struct Observed {
  bool deleting = false;
  bool has_foreground_finalizer = false;
  bool has_orphan_finalizer = false;
  std::vector<OwnerState> owners;
  size_t dependents = 0;
  size_t blocking_dependents = 0;  // with blockOwnerDeletion
};

enum class Action : uint8_t {
  kNone,
  kDeleteDependents,  // it is deleted in the foreground, and dependents are left
  kRemoveForegroundFinalizer,
  kOrphanDependents,  // take it out of their owners, then remove the finalizer
  kDropOwners,        // of the states dangling and waiting: others are solid
  kDeleteBackground,  // nobody owns it any more
  kDeleteForeground,  // an owner waits, and it has dependents itself
};

Action plan(const Observed& observed);

}  // namespace controllers::garbagecollector
