#include "apiserver/discovery/serve.h"

#include <algorithm>
#include <map>

#include "apiserver/crd/discovery.h"
#include "apiserver/discovery/documents.h"
#include "apiserver/respond.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "gen/catalogue.h"
#include "object/cbor.h"
#include "object/json.h"
#include "object/yaml.h"
#include "pki/digest.h"
#include "schema/envelope.h"
#include "schema/proto_value.h"

namespace apiserver {
namespace {

using discovery::Scope;
using object::Value;

base::Error resource_not_found() {
  return {base::Reason::kNotFound, "the server could not find the requested resource", base::ErrorDetails{}};
}
base::Error method_not_allowed() {
  return {base::Reason::kMethodNotAllowed, "the server does not allow this method on the requested resource",
          base::ErrorDetails{}};
}

std::string encode(const Value& document, const schema::Message* message, const Accepted& accepted) {
  if (accepted.type == MediaType::kYaml) return object::to_yaml(document);
  if (accepted.type == MediaType::kCbor) return object::to_cbor(document);
  if (accepted.type == MediaType::kProtobuf && message) {
    std::string raw, out;
    if (auto encoded = schema::encode_value(*message, document, raw); !encoded) raw.clear();
    schema::wrap({document.string_at({"apiVersion"}), document.string_at({"kind"})}, raw, out);
    return out;
  }
  return accepted.pretty == Pretty::kIndented ? object::to_pretty_json(document) : object::to_json(document) + "\n";
}

struct Kept {
  base::SharedBytes body;
  std::string etag;         // of aggregated documents, quoted
  uint64_t generation = 0;  // of the custom resources that it shows
};

// Documents by what they are and how they are encoded. There are few of them, and only what is asked for is made.
class Answers {
 public:
  // A document of an older generation is made anew.
  template <typename Make>
  Kept get(const std::string& key, uint64_t generation, Make make) {
    base::MutexLock lock(mutex_);
    auto found = kept_.find(key);
    if (found != kept_.end() && found->second.generation >= generation) return found->second;
    Kept& kept = kept_[key];
    kept = make();
    kept.generation = generation;
    return kept;
  }

 private:
  base::Mutex mutex_;
  std::map<std::string, Kept> kept_;
};

std::string form_key(const Accepted& accepted) {
  return std::string(content_type(accepted)) + (accepted.pretty == Pretty::kIndented ? " pretty" : "");
}

bool is_get(RequestContext& context) {
  if (context.http->method == "GET") return true;
  respond_error(context, method_not_allowed());
  return false;
}

// Which aggregated form the Accept header prefers to the plain one; "" = the plain one.
struct Aggregated {
  std::string_view version, media;
};
Aggregated wanted_aggregate(std::string_view accept) {
  while (!accept.empty()) {
    const std::string_view clause = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(accept.size(), clause.size() + 1));
    const bool list = clause.find("as=APIGroupDiscoveryList") != std::string_view::npos &&
                      clause.find("g=apidiscovery.k8s.io") != std::string_view::npos;
    // Compat: clauses are taken in their order; a plain one ends the search.
    if (!list && clause.find("as=") == std::string_view::npos) return {};
    if (!list) continue;
    const bool beta = clause.find("v=v2beta1") != std::string_view::npos;
    if (!beta && clause.find("v=v2") == std::string_view::npos) continue;
    const bool protobuf = clause.find("application/vnd.kubernetes.protobuf") != std::string_view::npos;
    if (!protobuf && clause.find("application/json") == std::string_view::npos) continue;
    return {beta ? "v2beta1" : "v2", protobuf ? "application/vnd.kubernetes.protobuf" : "application/json"};
  }
  return {};
}

std::string etag_of(const Value& document) {
  std::string hex = pki::to_hex(pki::sha512(object::to_json(document)));
  std::ranges::transform(hex, hex.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  return "\"" + hex + "\"";
}

// `message`: the table of the document's kind, for protobuf.
template <typename Make>
void answer(RequestContext& context, Answers& answers, const std::string& key, std::string_view message, Make make) {
  // Compat: of the documents only a version's list of resources has a form in CBOR.
  const CborServing cbor = message == "APIResourceList" ? context.core->endpoints().cbor() : CborServing::kOff;
  auto accepted = negotiate_answer(context.header("accept"), AnswerKind::kObject, cbor);
  if (!accepted) return respond_error(context, accepted.error());
  const uint64_t generation = key == "/apis" ? context.core->endpoints().custom().generation() : 0;
  const Kept kept = answers.get(key + " " + form_key(*accepted), generation, [&] {
    return Kept{base::SharedBytes(encode(make(), gen::find_message("meta.v1", message), *accepted)), "", 0};
  });
  context.writer->send(200, answer_headers(context, content_type(*accepted)), kept.body);
}

void answer_aggregated(RequestContext& context, Answers& answers, Scope scope, const Aggregated& wanted) {
  const std::string type = std::string(wanted.media) + ";g=apidiscovery.k8s.io;v=" + std::string(wanted.version) +
                           ";as=APIGroupDiscoveryList";
  const uint64_t generation = scope == Scope::kCore ? 0 : context.core->endpoints().custom().generation();
  const Kept kept = answers.get((scope == Scope::kCore ? "core " : "groups ") + type, generation, [&] {
    Accepted accepted;
    if (wanted.media != "application/json") accepted.type = MediaType::kProtobuf;
    const Value document = discovery::aggregated(context.core->endpoints(), scope, wanted.version);
    const schema::Message* message =
        gen::find_message("apidiscovery." + std::string(wanted.version), "APIGroupDiscoveryList");
    return Kept{base::SharedBytes(encode(document, message, accepted)), etag_of(document), 0};
  });
  net::Headers headers = answer_headers(context, type);
  net::set_header(headers, "cache-control", "public");
  headers.push_back({"vary", "Accept"});
  headers.push_back({"etag", kept.etag});
  if (context.header("if-none-match") == kept.etag) return context.writer->send(304, std::move(headers), {});
  context.writer->send(200, std::move(headers), kept.body);
}

void serve_api(RequestContext& context, Answers& answers) {
  if (!is_get(context)) return;
  const std::string_view accept = context.header("accept");
  if (Aggregated wanted = wanted_aggregate(accept); !wanted.version.empty())
    return answer_aggregated(context, answers, Scope::kCore, wanted);
  const std::string address = context.http->connection ? context.http->connection->local_address : std::string();
  answer(context, answers, "/api " + address, "APIVersions", [&] { return discovery::api_versions(address); });
}

void serve_apis(RequestContext& context, Answers& answers) {
  if (!is_get(context)) return;
  const std::string_view accept = context.header("accept");
  if (Aggregated wanted = wanted_aggregate(accept); !wanted.version.empty())
    return answer_aggregated(context, answers, Scope::kGroups, wanted);
  answer(context, answers, "/apis", "APIGroupList", [&] { return discovery::group_list(context.core->endpoints()); });
}

// /apis/<group> and /apis/<group>/<version> of custom resources: small, and made when asked for.
void serve_custom(RequestContext& context) {
  const CustomEndpoints& custom = context.core->endpoints().custom();
  std::string_view rest = std::string_view(context.info.path).substr(std::string_view("/apis/").size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const size_t slash = rest.find('/');
  const std::string_view name = rest.substr(0, slash);
  const std::string_view version = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  if (custom.generation(name) == 0 || version.find('/') != std::string_view::npos ||
      (!version.empty() && !custom.serves(name, version))) {
    net::Headers headers = answer_headers(context, "text/plain; charset=utf-8");
    headers.push_back({"x-content-type-options", "nosniff"});
    return context.writer->send(404, std::move(headers), "404 page not found\n");
  }
  if (!is_get(context)) return;
  auto accepted = negotiate_answer(context.header("accept"), AnswerKind::kObject, CborServing::kOff);
  if (!accepted) return respond_error(context, accepted.error());
  const auto document =
      version.empty() ? discovery::custom_group(custom, name) : discovery::custom_resource_list(custom, name, version);
  const schema::Message* message = gen::find_message("meta.v1", version.empty() ? "APIGroup" : "APIResourceList");
  context.writer->send(200, answer_headers(context, content_type(*accepted)),
                       base::SharedBytes(encode(document.value_or(Value()), message, *accepted)));
}

}  // namespace

void add_discovery_paths(Paths& paths, const Core& core) {
  auto answers = std::make_shared<Answers>();
  paths.add("/api", [answers](RequestContext& context) { serve_api(context, *answers); });
  paths.add("/apis", [answers](RequestContext& context) { serve_apis(context, *answers); });
  const auto unknown = [](RequestContext& context) { respond_error(context, resource_not_found()); };
  paths.add_prefix("/api/", unknown);
  paths.add_prefix("/apis/", serve_custom);
  for (const schema::GroupVersion& gv : gen::group_versions()) {
    if (!core.endpoints().has_group_version(gv.group, gv.version)) continue;
    const std::string group(gv.group), version(gv.version);
    const std::string root = group.empty() ? "/api" : "/apis/" + group;
    const std::string path = root + "/" + version;
    paths.add(path, [answers, path, group, version](RequestContext& context) {
      if (!is_get(context)) return;
      answer(context, *answers, path, "APIResourceList",
             [&] { return *discovery::resource_list(context.core->endpoints(), group, version); });
    });
    if (group.empty()) continue;
    // Compat: a group's own document is served for every method.
    paths.add(root, [answers, root, group](RequestContext& context) {
      answer(context, *answers, root, "APIGroup", [&] { return *discovery::group(context.core->endpoints(), group); });
    });
    paths.add_prefix(root + "/", unknown);
  }
}

}  // namespace apiserver
