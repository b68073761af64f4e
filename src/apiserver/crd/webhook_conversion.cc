#include "apiserver/crd/webhook_conversion.h"

#include "apiserver/core.h"
#include "apiserver/limits.h"
#include "codec/json_text.h"
#include "gen/codec.h"
#include "gen/core/v1.h"
#include "net/client.h"
#include "object/json.h"

namespace apiserver {
namespace {

using object::Object;
using object::Value;

constexpr std::string_view kReview = "apiextensions.k8s.io/v1";

std::string quoted(std::string_view text) {
  std::string out;
  codec::append_go_quoted(out, text);
  return out;
}

// "g.io/v1, Kind=K"
std::string type_of(const Value& object) {
  return std::string(object.string_at({"apiVersion"})) + ", Kind=" + std::string(object.string_at({"kind"}));
}

std::unexpected<base::Error> failed(const Value& object, std::string_view detail) {
  return base::fail(base::Reason::kUnknown,
                    "conversion webhook for " + type_of(object) + " failed: " + std::string(detail));
}
std::unexpected<base::Error> refused(const Value& object, std::string_view detail) {
  return base::fail(base::Reason::kUnknown, "conversion webhook for " + type_of(object) + " " + std::string(detail));
}

// Compat: a converter may change labels and annotations; all other metadata stays.
base::Result<void> restore_metadata(const Value& original, Value& converted) {
  const Value* before = original.find("metadata");
  const Value* after = converted.find("metadata");
  if (!after || !after->is_object())
    return refused(original, "returned invalid metadata in object at index 0: missing metadata in converted object");
  Value metadata = before && before->is_object() ? *before : Value(Object());
  for (std::string_view name : {"labels", "annotations"}) {
    const Value* changed = after->find(name);
    metadata.object_if()->erase(name);
    if (!changed || changed->is_null()) continue;
    if (!changed->is_object()) {
      return refused(original, "returned invalid metadata in object at index 0: metadata." + std::string(name) +
                                   ": Invalid value: " + quoted(object::json_type_name(*changed)) + ": must be a map");
    }
    metadata.object_if()->set(name, *changed);
  }
  converted.object_if()->set("metadata", std::move(metadata));
  return {};
}

std::string random_uid(const Value& object) {
  // Tells this call from others to a converter that logs; nothing depends on it.
  const std::string_view uid = object.string_at({"metadata", "uid"});
  return uid.empty() ? "00000000-0000-0000-0000-000000000001" : std::string(uid);
}

}  // namespace

WebhookConversion::WebhookConversion(const Core* core, const ::api::apiextensions::v1::WebhookConversion& config)
    : core_(core), config_(config) {}
WebhookConversion::~WebhookConversion() = default;

base::Result<std::shared_ptr<net::Client>> WebhookConversion::client() const {
  const auto* settings = config_.client_config.get();
  if (!settings) return base::fail(base::Reason::kUnknown, "no client configuration");
  net::ClientOptions options;
  options.tls.ca_pem = settings->ca_bundle.value_or("");
  options.connect_timeout = kConversionTimeout;
  if (settings->url) {
    options.url = *settings->url;
  } else if (const auto* service = settings->service.get()) {
    options.tls.server_name = service->name + "." + service->namespace_ + ".svc";
    const std::string port = std::to_string(service->port.value_or(443));
    std::string address;
    if (core_) {
      if (auto raw = core_->get("", "services", service->namespace_, service->name)) {
        if (auto found = gen::decode<::api::core::v1::Service>(*raw)) address = found->spec.cluster_ip;
      }
    }
    if (address.empty() || address == "None") {
      return base::fail(base::Reason::kUnknown, "Post \"https://" + options.tls.server_name + ":" + port +
                                                    service->path.value_or("") + "?timeout=30s\": service \"" +
                                                    service->name + "\" not found");
    }
    if (address.find(':') != std::string::npos) address = "[" + address + "]";
    options.url = "https://" + address + ":" + port + service->path.value_or("");
  }
  base::MutexLock lock(mutex_);
  if (!client_ || connected_to_ != options.url) {
    connected_to_ = options.url;
    TRY_ASSIGN(client_, net::Client::create(std::move(options)));
  }
  return client_;
}

base::Result<Value> WebhookConversion::review(const Value& object, std::string_view api_version,
                                              std::string_view uid) const {
  Object request, sent;
  request.set("uid", uid);
  request.set("desiredAPIVersion", api_version);
  request.set("objects", object::Array{object});
  sent.set("kind", "ConversionReview");
  sent.set("apiVersion", kReview);
  sent.set("request", std::move(request));
  auto connected = client();
  if (!connected) return failed(object, connected.error().message);
  net::ClientRequest post;
  post.method = "POST";
  post.target = "?timeout=30s";
  post.headers = {{"content-type", "application/json"}, {"accept", "application/json"}};
  post.body = net::Body(object::to_json(Value(std::move(sent))));
  auto answer = (*connected)->fetch(std::move(post), kConversionTimeout);
  if (!answer) {
    std::string where;
    {
      base::MutexLock lock(mutex_);
      where = connected_to_;
    }
    return failed(object, "Post " + quoted(where + "?timeout=30s") + ": " + answer.error().message);
  }
  if (answer->status / 100 != 2) return failed(object, "the server returned " + std::to_string(answer->status));
  auto review = object::parse_json(answer->body);
  if (!review || !review->is_object()) return failed(object, "the answer is no ConversionReview");
  if (review->string_at({"kind"}) != "ConversionReview" || review->string_at({"apiVersion"}) != kReview) {
    return failed(object, "expected webhook response of " + std::string(kReview) + ", Kind=ConversionReview, got " +
                              type_of(*review));
  }
  return review;
}

base::Result<Value> WebhookConversion::convert(Value object, std::string_view api_version) const {
  if (object.string_at({"apiVersion"}) == api_version) return object;
  const std::string uid = random_uid(object);
  TRY_ASSIGN(Value answer, review(object, api_version, uid));
  Value* response = answer.find("response");
  if (!response || !response->is_object()) return failed(object, "no response provided");
  const std::string_view answered = response->string_at({"uid"});
  if (answered != uid) return failed(object, "expected response.uid=" + quoted(uid) + ", got " + quoted(answered));
  if (const std::string_view status = response->string_at({"result", "status"}); status != "Success") {
    const std::string_view message = response->string_at({"result", "message"});
    return failed(object, !message.empty() ? std::string(message)
                                           : "response.result.status was '" + std::string(status) + "', not 'Success'");
  }
  Value* objects = response->find("convertedObjects");
  const size_t count = objects && objects->array_if() ? objects->array_if()->size() : 0;
  if (count != 1) return refused(object, "returned " + std::to_string(count) + " objects, expected 1");
  Value& converted = objects->array_if()->front();
  const auto invalid = [&](const std::string& detail) {
    return refused(object, "returned invalid converted object at index 0: " + detail);
  };
  if (!converted.is_object()) return invalid("not an object");
  if (converted.string_at({"apiVersion"}) != api_version) {
    return invalid("invalid apiVersion in converted object (expected " + std::string(api_version) + ", received " +
                   std::string(converted.string_at({"apiVersion"})) + ")");
  }
  if (converted.string_at({"kind"}) != object.string_at({"kind"})) {
    return invalid("invalid kind in converted object (expected " + std::string(object.string_at({"kind"})) +
                   ", received " + std::string(converted.string_at({"kind"})) + ")");
  }
  TRY(restore_metadata(object, converted));
  return std::move(converted);
}

}  // namespace apiserver
