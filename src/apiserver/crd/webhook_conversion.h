// Conversion of custom objects between versions by a webhook: ConversionReview v1 over HTTPS. Blocks: callers are on a
// lane for it, never on a loop. Thread: any.
#pragma once

#include <memory>
#include <string>
#include <string_view>

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
  // `core` finds the addresses of services; it outlives this. Null in tests that name a URL.
  WebhookConversion(const Core* core, const ::api::apiextensions::v1::WebhookConversion& config);
  ~WebhookConversion();

  // The object in another version ("g.io/v2"). Errors have upstream's texts: the webhook is down, slow, refuses, or
  // answers something else.
  base::Result<object::Value> convert(object::Value object, std::string_view api_version) const;

 private:
  base::Result<object::Value> review(const object::Value& object, std::string_view api_version,
                                     std::string_view uid) const;
  base::Result<std::shared_ptr<net::Client>> client() const;

  const Core* core_;
  const ::api::apiextensions::v1::WebhookConversion config_;
  std::string url_;  // with path, as errors show it; "" while a service is not resolved
  mutable base::Mutex mutex_;
  mutable std::shared_ptr<net::Client> client_ GUARDED_BY(mutex_);
  mutable std::string connected_to_ GUARDED_BY(mutex_);
};

}  // namespace apiserver
