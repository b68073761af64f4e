// The in-process transport: components of this program call the same verbs as the network does, under their own
// identity, and their informers share the store's bytes. Thread: as client::Transport says.
#pragma once

#include <memory>
#include <string>

#include "apiserver/context.h"
#include "client/transport.h"

namespace apiserver {

class LocalTransport final : public client::Transport {
 public:
  // `core` outlives the transport.
  LocalTransport(Core* core, User user, std::string field_manager)
      : core_(core), user_(std::move(user)), field_manager_(std::move(field_manager)) {}

  void call(client::Call call, client::Callback done) override;
  base::Result<client::ListResult> list(const client::ListCall& call) override;
  base::Result<std::unique_ptr<client::WatchHandle>> watch(const client::ListCall& call, int64_t revision,
                                                           client::WatchReceiver* receiver) override;
  base::Result<std::vector<std::shared_ptr<const schema::Resource>>> custom_resources() override;
  bool carries_custom_objects() const override { return true; }
  bool serves(const schema::Resource& resource) const override;

 private:
  Core* const core_;
  const User user_;
  const std::string field_manager_;
};

}  // namespace apiserver
