#include "apiserver/crd/webhook_conversion.h"

#include <algorithm>
#include <array>

#include "apiserver/core.h"
#include "apiserver/crd/converted_object.h"
#include "apiserver/limits.h"
#include "base/rng.h"
#include "codec/json_text.h"
#include "gen/codec.h"
#include "gen/core/v1.h"
#include "net/client.h"
#include "object/json.h"

namespace apiserver {
namespace {

using object::Array;
using object::Object;
using object::Value;

constexpr std::string_view kGroup = "apiextensions.k8s.io/";
constexpr std::array<std::string_view, 2> kReviewVersions = {"v1", "v1beta1"};

std::string quoted(std::string_view text) {
  std::string out;
  codec::append_go_quoted(out, text);
  return out;
}

// "g.io/v1, Kind=K", and "/v1, Kind=K" for the core group.
std::string type_of(const Value& object) {
  const std::string_view version = object.string_at({"apiVersion"});
  return (version.find('/') == std::string_view::npos ? "/" : "") + std::string(version) +
         ", Kind=" + std::string(object.string_at({"kind"}));
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

// Compat: the words of upstream's client for what a server refuses.
std::string refusal_text(const net::Response& response) {
  if (auto status = object::parse_json(response.body); status && status->string_at({"kind"}) == "Status") {
    if (const std::string_view message = status->string_at({"message"}); !message.empty()) return std::string(message);
  }
  std::string said = "unknown";
  if (response.header("content-type").starts_with("text/")) {
    const std::string_view body = response.body;
    const size_t first = body.find_first_not_of(" \t\r\n");
    said = first == std::string_view::npos
               ? ""
               : std::string(body.substr(first, body.find_last_not_of(" \t\r\n") + 1 - first));
  }
  switch (response.status) {
    case 400:
      return "the server rejected our request for an unknown reason";
    case 401:
      return "the server has asked for the client to provide credentials";
    case 403:
      return said;
    case 404:
      return "the server could not find the requested resource";
    case 405:
      return "the server does not allow this method on the requested resource";
    case 409:
      return "the server reported a conflict";
    case 422:
      return "the server rejected our request due to an error in our request";
    case 429:
      return "the server has received too many requests and has asked us to try again later";
    case 503:
      return "the server is currently unable to handle the request";
    case 504:
      return "the server was unable to return a response in the time allotted, but may still be processing the request";
    default:
      break;
  }
  if (response.status >= 500) {
    return "an error on the server (" + quoted(said) + ") has prevented the request from succeeding";
  }
  return "the server responded with the status code " + std::to_string(response.status) +
         " but did not return more information";
}

}  // namespace

// One request to the webhook, and how errors name it.
struct WebhookConversion::Call {
  std::span<const Value> objects;
  std::string_view api_version;
  std::string uid;
  std::string subject;  // "g.io/v1, Kind=K"

  std::unexpected<base::Error> failed(std::string_view detail) const {
    return base::fail(base::Reason::kUnknown, "conversion webhook for " + subject + " failed: " + std::string(detail));
  }
  std::unexpected<base::Error> returned(std::string_view detail) const {
    return base::fail(base::Reason::kUnknown, "conversion webhook for " + subject + " returned " + std::string(detail));
  }
};

WebhookConversion::WebhookConversion(const Core* core, const ::api::apiextensions::v1::WebhookConversion& config,
                                     std::string list_kind)
    : core_(core), config_(config), list_kind_(std::move(list_kind)) {
  for (const std::string& version : config_.conversion_review_versions) {
    if (std::ranges::find(kReviewVersions, version) == kReviewVersions.end()) continue;
    review_version_ = std::string(kGroup) + version;
    break;
  }
}
WebhookConversion::~WebhookConversion() = default;

base::Result<std::shared_ptr<net::Client>> WebhookConversion::client() const {
  const auto* settings = config_.client_config.get();
  if (!settings) return base::fail(base::Reason::kUnknown, "no client configuration");
  net::ClientOptions options;
  // Compat: a bundle of blanks is none.
  if (settings->ca_bundle && !is_blank(*settings->ca_bundle)) options.tls.ca_pem = *settings->ca_bundle;
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

base::Result<Value> WebhookConversion::review(const Call& call) const {
  if (review_version_.empty()) return base::fail(base::Reason::kUnknown, "no supported conversion review versions");
  Object request, sent;
  request.set("uid", call.uid);
  request.set("desiredAPIVersion", call.api_version);
  request.set("objects", Array(call.objects.begin(), call.objects.end()));
  sent.set("kind", "ConversionReview");
  sent.set("apiVersion", review_version_);
  sent.set("request", std::move(request));
  auto connected = client();
  if (!connected) return call.failed(connected.error().message);
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
    return call.failed("Post " + quoted(where + "?timeout=30s") + ": " + answer.error().message);
  }
  if (answer->status / 100 != 2) return call.failed(refusal_text(*answer));
  auto review = object::parse_json(answer->body);
  if (!review || !review->is_object()) return call.failed("the answer is no ConversionReview");
  return review;
}

// As many as were sent.
base::Result<Array> WebhookConversion::converted_objects(const Call& call) const {
  TRY_ASSIGN(Value answer, review(call));
  // Compat: of the older form of reviews neither type nor uid is looked at.
  const bool strict = !review_version_.ends_with("v1beta1");
  if (strict &&
      (answer.string_at({"kind"}) != "ConversionReview" || answer.string_at({"apiVersion"}) != review_version_)) {
    return call.failed("expected webhook response of " + review_version_ + ", Kind=ConversionReview, got " +
                       type_of(answer));
  }
  Value* response = answer.find("response");
  if (!response || !response->is_object()) return call.failed("no response provided");
  if (const std::string_view uid = response->string_at({"uid"}); strict && uid != call.uid) {
    return call.failed("expected response.uid=" + quoted(call.uid) + ", got " + quoted(uid));
  }
  if (const std::string_view status = response->string_at({"result", "status"}); status != "Success") {
    const std::string_view message = response->string_at({"result", "message"});
    return call.failed(!message.empty() ? std::string(message)
                                        : "response.result.status was '" + std::string(status) + "', not 'Success'");
  }
  Value* objects = response->find("convertedObjects");
  const size_t count = objects && objects->array_if() ? objects->array_if()->size() : 0;
  if (count != call.objects.size()) {
    return call.returned(std::to_string(count) + " objects, expected " + std::to_string(call.objects.size()));
  }
  return std::move(*objects->array_if());
}

base::Result<Value> WebhookConversion::convert(Value object, std::string_view api_version) const {
  if (object.string_at({"apiVersion"}) == api_version) return object;
  std::vector<Value> one;
  one.push_back(std::move(object));
  TRY(convert_all(one, api_version));
  return std::move(one.front());
}

base::Result<void> WebhookConversion::convert_all(std::vector<Value>& objects, std::string_view api_version) const {
  if (objects.empty()) return {};
  const bool single = objects.size() == 1;
  Call call{objects, api_version, "", type_of(objects.front())};
  // Compat: errors about several objects speak of the list that they are in, in the version that was asked for.
  if (!single) call.subject = std::string(api_version) + ", Kind=" + list_kind_;
  call.uid = core_ ? base::new_uuid(core_->rng()) : "00000000-0000-0000-0000-000000000001";
  TRY_ASSIGN(Array made, converted_objects(call));
  for (size_t i = 0; i < made.size(); ++i) {
    auto checked = check_converted(objects[i], api_version, made[i]);
    if (checked) continue;
    // Compat: the words differ between one object and several.
    const std::string at = " at index " + std::to_string(i) + ": ";
    std::string what;
    switch (checked.error().part) {
      case ConvertedPart::kType:
        what = single ? "invalid object at index 0: " : "invalid converted object" + at;
        break;
      case ConvertedPart::kIdentity:
        what = single ? "invalid object: " : "invalid converted object" + at;
        break;
      case ConvertedPart::kMetadata:
        what = single ? "invalid metadata: " : "invalid metadata in object" + at;
        break;
      case ConvertedPart::kForm:
        if (single) return base::fail(base::Reason::kUnknown, std::move(checked.error().detail));
        what = "invalid converted object" + at;
        break;
    }
    return call.returned(what + checked.error().detail);
  }
  std::ranges::move(made, objects.begin());
  return {};
}

}  // namespace apiserver
