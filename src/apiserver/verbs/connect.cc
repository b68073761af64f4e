// Subresources that lead to a node: log, exec, attach, portforward, proxy. What the API server itself knows of a target
// is answered here; beyond it there is no way to nodes yet.
#include <algorithm>
#include <charconv>

#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/respond.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "gen/core/v1.h"
#include "object/names.h"
#include "object/status.h"

namespace apiserver {
namespace {

namespace core_v1 = ::api::core::v1;
using base::Reason;

base::Error unreachable(std::string_view what) {
  return {Reason::kServiceUnavailable, "no way to the node of " + std::string(what) + ": this server reaches no nodes"};
}

base::Result<api::AnyObject> target(RequestContext& context, std::string_view resource, std::string_view name) {
  kv::KeyValueRef kv;
  std::string_view raw;
  return read_live(context, *context.core->endpoints().find_any("", "v1", resource, ""), name, kv, raw);
}

base::Result<std::optional<int64_t>> integer_option(const Query& query, std::string_view name) {
  const std::string text(query.get(name));
  if (text.empty()) return std::nullopt;
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return base::fail(Reason::kBadRequest, "strconv.ParseInt: parsing \"" + text + "\": invalid syntax");
}

base::Result<void> check_log_options(const RequestContext& context) {
  TRY_ASSIGN(const auto tail, integer_option(context.query, "tailLines"));
  TRY_ASSIGN(const auto bytes, integer_option(context.query, "limitBytes"));
  TRY_ASSIGN(const auto seconds, integer_option(context.query, "sinceSeconds"));
  constexpr std::string_view kPositive = "must be greater than 0";
  object::FieldErrors errors;
  if (tail && *tail < 0) errors.invalid(object::FieldPath("tailLines"), *tail, "must be greater than or equal to 0");
  if (bytes && *bytes < 1) errors.invalid(object::FieldPath("limitBytes"), *bytes, kPositive);
  if (seconds && !context.query.get("sinceTime").empty()) {
    errors.forbidden(object::FieldPath(""), "at most one of `sinceTime` or `sinceSeconds` may be specified");
  } else if (seconds && *seconds < 1) {
    errors.invalid(object::FieldPath("sinceSeconds"), *seconds, kPositive);
  }
  if (errors.empty()) return {};
  return base::fail(object::invalid_error("", "PodLogOptions", context.info.name, errors));
}

template <typename Containers>
std::string names_of(const Containers& containers) {
  std::string names;
  for (const auto& container : containers) names += (names.empty() ? "" : " ") + container.name;
  return names;
}

// The container that the request means, or why there is none.
base::Result<void> check_container(const RequestContext& context, const core_v1::Pod& pod) {
  const std::string_view wanted = context.query.get("container");
  const auto& spec = pod.spec;
  if (wanted.empty()) {
    if (spec.containers.size() <= 1) return {};
    std::string message = "a container name must be specified for pod " + pod.metadata.name + ", choose one of: [" +
                          names_of(spec.containers) + "]";
    if (!spec.init_containers.empty()) {
      message += " or one of the init containers: [" + names_of(spec.init_containers) + "]";
    }
    return base::fail(Reason::kBadRequest, std::move(message));
  }
  const auto named = [&](const auto& container) { return container.name == wanted; };
  if (std::ranges::any_of(spec.containers, named) || std::ranges::any_of(spec.init_containers, named)) return {};
  for (const auto& container : spec.ephemeral_containers) {
    if (container.ephemeral_container_common.name == wanted) return {};
  }
  return base::fail(Reason::kBadRequest,
                    "container " + std::string(wanted) + " is not valid for pod " + pod.metadata.name);
}

enum class Needs : uint8_t { kPod, kContainer };

base::Error not_on_a_node(const core_v1::Pod& pod) {
  return {Reason::kBadRequest, "pod " + pod.metadata.name + " does not have a host assigned"};
}

// exec, attach, portforward.
base::Result<void> stream(RequestContext& context, Needs needs) {
  TRY_ASSIGN(const api::AnyObject object, target(context, "pods", context.info.name));
  const auto& pod = object.as<core_v1::Pod>();
  if (needs == Needs::kContainer) TRY(check_container(context, pod));
  if (pod.spec.node_name.empty()) return base::fail(not_on_a_node(pod));
  return base::fail(unreachable("pod " + pod.metadata.name));
}

// No error: the Pod is on no node yet, and its log is empty.
base::Result<void> log(RequestContext& context) {
  TRY(check_log_options(context));
  TRY_ASSIGN(const api::AnyObject object, target(context, "pods", context.info.name));
  const auto& pod = object.as<core_v1::Pod>();
  TRY(check_container(context, pod));
  if (pod.spec.node_name.empty()) return {};
  return base::fail(unreachable("pod " + pod.metadata.name));
}

// "name", "name:port" or "scheme:name:port".
base::Result<std::string> proxied_name(std::string_view what, const std::string& id) {
  const size_t colons = static_cast<size_t>(std::ranges::count(id, ':'));
  const size_t first = id.find(':');
  if (colons == 0) return id;
  if (colons == 1 && first > 0) return id.substr(0, first);
  const std::string_view scheme = std::string_view(id).substr(0, first);
  if (colons == 2 && (scheme.empty() || scheme == "http" || scheme == "https")) {
    return id.substr(first + 1, id.rfind(':') - first - 1);
  }
  return base::fail(Reason::kBadRequest, "invalid " + std::string(what) + " request \"" + id + "\"");
}

base::Result<void> proxy(RequestContext& context) {
  const std::string_view resource = context.endpoint->resource->name;
  const std::string_view what = resource.substr(0, resource.size() - 1);
  TRY_ASSIGN(const std::string name, proxied_name(what, context.info.name));
  TRY_ASSIGN(const api::AnyObject object, target(context, resource, name));
  if (resource == "pods") {
    const std::string& ip = object.as<core_v1::Pod>().status.pod_ip;
    object::IpAddress address;
    // Compat: the words for an address that may not be proxied to, none included.
    if (!object::parse_ip(ip, address)) return base::fail(Reason::kBadRequest, "address not allowed");
  }
  return base::fail(unreachable(std::string(what) + " " + name));
}

}  // namespace

bool leads_to_a_node(const Endpoint& endpoint) {
  constexpr std::string_view kSubresources[] = {"attach", "exec", "log", "portforward", "proxy"};
  return std::ranges::find(kSubresources, endpoint.resource->subresource) != std::end(kSubresources);
}

void connect_verb(const std::shared_ptr<RequestContext>& context) {
  const std::string_view subresource = context->endpoint->resource->subresource;
  base::Result<void> done;
  if (subresource == "log") {
    done = log(*context);
  } else if (subresource == "proxy") {
    done = proxy(*context);
  } else {
    done = stream(*context, subresource == "portforward" ? Needs::kPod : Needs::kContainer);
  }
  if (!done) return respond_error(*context, done.error());
  net::Headers headers = answer_headers(*context, "");
  std::erase_if(headers, [](const net::Header& header) { return header.name == "content-type"; });
  context->writer->send(204, std::move(headers), "");
}

}  // namespace apiserver
