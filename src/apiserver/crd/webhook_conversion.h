// Conversion of custom objects between versions by a webhook: ConversionReview over HTTPS. Blocks: callers are on a
// lane for it, never on a loop. Thread: any.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "gen/apiextensions/v1.h"
#include "object/value.h"

namespace net {
class Client;
}

namespace apiserver {

class Core;

class WebhookConversion {
 public:
  // `core` finds the addresses of services; it outlives this. Null in tests that name a URL. `list_kind` stands in
  // errors about several objects.
  WebhookConversion(const Core* core, const ::api::apiextensions::v1::WebhookConversion& config, std::string list_kind);
  ~WebhookConversion();

  // The object in another version ("g.io/v2"). Errors have upstream's texts: the webhook is down, slow, refuses, or
  // answers something else.
  base::Result<object::Value> convert(object::Value object, std::string_view api_version) const;
  // All of them with one call; none of them is in that version yet. After an error they are as they were.
  base::Result<void> convert_all(std::vector<object::Value>& objects, std::string_view api_version) const;

 private:
  struct Call;
  base::Result<object::Value> review(const Call& call) const;
  base::Result<object::Array> converted_objects(const Call& call) const;
  base::Result<std::shared_ptr<net::Client>> client() const;

  const Core* core_;
  const ::api::apiextensions::v1::WebhookConversion config_;
  const std::string list_kind_;
  std::string review_version_;  // of the versions that the webhook knows, the first that is known here; "" = none
  mutable base::Mutex mutex_;
  mutable std::shared_ptr<net::Client> client_ GUARDED_BY(mutex_);
  mutable std::string connected_to_ GUARDED_BY(mutex_);
};

}  // namespace apiserver
