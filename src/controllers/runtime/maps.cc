#include "controllers/runtime/controller.h"
#include "controllers/runtime/owners.h"

namespace controllers {

MapFunction enqueue_self() {
  return [](const client::Change& change, const EnqueueKey& enqueue) { enqueue(client::to_string(change.key)); };
}

MapFunction enqueue_controller_owner(std::string_view owner_group, std::string_view owner_kind) {
  return [group = std::string(owner_group), kind = std::string(owner_kind)](const client::Change& change,
                                                                            const EnqueueKey& enqueue) {
    std::string last;
    for (const client::RawObject* object : {&change.before, &change.after}) {
      if (!*object) continue;
      const auto owner = controller_of(*object);
      if (!owner || owner->kind != kind || group_of(owner->api_version) != group) continue;
      std::string key = client::to_string({change.key.ns, std::string(owner->name)});
      if (key == last) continue;
      enqueue(key);
      last = std::move(key);
    }
  };
}

}  // namespace controllers
