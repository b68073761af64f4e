#include "apiserver/openapi/paths_model.h"

#include <algorithm>
#include <map>

#include "api/custom/custom_object.h"
#include "gen/catalogue.h"
#include "gen/core/v1.h"
#include "gen/meta/v1.h"

namespace apiserver::openapi {
namespace {

using schema::Message;
namespace meta_v1 = ::api::meta::v1;

constexpr std::string_view kText = "string", kFlag = "boolean", kNumber = "integer";

// Compat: keys of shared parameters as upstream's builder makes them.
constexpr Parameter kBookmarks{"allowWatchBookmarks", "query", kFlag, "allowWatchBookmarks-HC2hJt-J",
                               "Ask a watch for bookmark events."};
constexpr Parameter kContinue{"continue", "query", kText, "continue-QfD61s0i",
                              "Token of the list whose next part is wanted."};
constexpr Parameter kDryRun{"dryRun", "query", kText, "", "All = check and answer, but store nothing."};
constexpr Parameter kFieldSelector{"fieldSelector", "query", kText, "fieldSelector-xIcQKXFG",
                                   "Only objects whose fields match."};
constexpr Parameter kFieldManager{"fieldManager", "query", kText, "fieldManager-Qy4HdaTW",
                                  "Name of who makes the change."};
constexpr Parameter kPatchManager{"fieldManager", "query", kText, "fieldManager-7c6nTn1T",
                                  "Name of who makes the change; an apply must have one."};
constexpr Parameter kFieldValidation{"fieldValidation", "query", kText, "",
                                     "Ignore, Warn or Strict: what unknown and repeated fields do."};
constexpr Parameter kForce{"force", "query", kFlag, "force-tOGGb0Yi", "Apply takes fields that others own."};
constexpr Parameter kGrace{"gracePeriodSeconds", "query", kNumber, "gracePeriodSeconds--K5HaBOS",
                           "Seconds until the object goes; 0 = now."};
constexpr Parameter kIgnoreReadError{"ignoreStoreReadErrorWithClusterBreakingPotential", "query", kFlag,
                                     "ignoreStoreReadErrorWithClusterBreakingPotential-QbNkfIqj",
                                     "Delete even what cannot be read."};
constexpr Parameter kLabelSelector{"labelSelector", "query", kText, "labelSelector-5Zw57w4C",
                                   "Only objects whose labels match."};
constexpr Parameter kLimit{"limit", "query", kNumber, "limit-1NfNmdNH", "At most so many objects in one answer."};
constexpr Parameter kName{"name", "path", kText, "", "Name of the object."};
constexpr Parameter kNamespace{"namespace", "path", kText, "namespace-vgWSWtn3", "Namespace of the object."};
constexpr Parameter kOrphan{"orphanDependents", "query", kFlag, "orphanDependents-uRB25kX5",
                            "Deprecated: use propagationPolicy."};
constexpr Parameter kPretty{"pretty", "query", kText, "pretty-tJGM1-ng", "true = indent the answer."};
constexpr Parameter kPropagation{"propagationPolicy", "query", kText, "propagationPolicy-6jk3prlO",
                                 "Orphan, Background or Foreground: what happens to dependents."};
constexpr Parameter kResourceVersion{"resourceVersion", "query", kText, "resourceVersion-5WAnf1kx",
                                     "Version to read at or watch from."};
constexpr Parameter kResourceVersionMatch{"resourceVersionMatch", "query", kText, "resourceVersionMatch-t8XhRHeC",
                                          "Exact or NotOlderThan."};
constexpr Parameter kSendInitial{"sendInitialEvents", "query", kFlag, "sendInitialEvents-rLXlEK_k",
                                 "A watch begins with what exists."};
constexpr Parameter kTimeout{"timeoutSeconds", "query", kNumber, "timeoutSeconds-yvYezaOC",
                             "Seconds after which the call ends."};
constexpr Parameter kWatch{"watch", "query", kFlag, "watch-XNNPZGbK", "Stream changes instead of listing."};
constexpr Parameter kProxyPath{"path", "path", kText, "path-z6Ciiujn", "Path at the target."};

// Parameters of subresources that connect, by the kind of their options.
constexpr Parameter kAttach[] = {
    {"container", "query", kText, "container-_Q-EJ3nR", "Which container; needed when there are several."},
    {"stderr", "query", kFlag, "stderr-26jJhFUR", "Send standard error."},
    {"stdin", "query", kFlag, "stdin-sEFnN3IS", "Take standard input."},
    {"stdout", "query", kFlag, "stdout-005YMKE6", "Send standard output."},
    {"tty", "query", kFlag, "tty-g7MlET_l", "Use a terminal."}};
constexpr Parameter kExec[] = {
    {"command", "query", kText, "command-Py3eQybp", "Command and arguments; no shell."},
    {"container", "query", kText, "container-i5dOmRiM", "Which container; needed when there are several."},
    {"stderr", "query", kFlag, "stderr-W_1TNlWc", "Send standard error."},
    {"stdin", "query", kFlag, "stdin-PSzNhyUC", "Take standard input."},
    {"stdout", "query", kFlag, "stdout--EZLRwV1", "Send standard output."},
    {"tty", "query", kFlag, "tty-s0flW37O", "Use a terminal."}};
constexpr Parameter kForward[] = {{"ports", "query", kNumber, "ports-91KROJmm", "Ports to forward."}};
constexpr Parameter kPodProxy[] = {{"path", "query", kText, "path-oPbzgLUj", "Path at the Pod."}};
constexpr Parameter kServiceProxy[] = {{"path", "query", kText, "path-QCf0eosM", "Path at the Service."}};
constexpr Parameter kNodeProxy[] = {{"path", "query", kText, "path-rFDtV0x9", "Path at the node."}};
constexpr Parameter kLog[] = {
    {"container", "query", kText, "container-1GeXxFDC", "Which container; needed when there are several."},
    {"follow", "query", kFlag, "follow-9OIXh_2R", "Go on as the log grows."},
    {"insecureSkipTLSVerifyBackend", "query", kFlag, "insecureSkipTLSVerifyBackend-gM00jVbe",
     "Do not check the node's certificate."},
    {"limitBytes", "query", kNumber, "limitBytes-zwd1RXuc", "At most so many bytes."},
    {"previous", "query", kFlag, "previous-1jxDPu3y", "Of the container's previous run."},
    {"sinceSeconds", "query", kNumber, "sinceSeconds-vE2NLdnP", "Only the last seconds."},
    {"stream", "query", kText, "stream-l-48cgXv", "All, Stdout or Stderr."},
    {"tailLines", "query", kNumber, "tailLines-9xQLWHMV", "Only the last lines."},
    {"timestamps", "query", kFlag, "timestamps-c17fW1w_", "Each line begins with its time."}};

using Parameters = std::vector<const Parameter*>;

const Parameters& watch_parameters() {
  static const Parameters kAll{
      &kBookmarks,   &kContinue, &kFieldSelector, &kLabelSelector, &kLimit, &kResourceVersion, &kResourceVersionMatch,
      &kSendInitial, &kTimeout,  &kWatch};
  return kAll;
}

std::span<const Parameter> connect_parameters(std::string_view kind) {
  if (kind == "PodAttachOptions") return kAttach;
  if (kind == "PodExecOptions") return kExec;
  if (kind == "PodPortForwardOptions") return kForward;
  if (kind == "PodProxyOptions") return kPodProxy;
  if (kind == "ServiceProxyOptions") return kServiceProxy;
  return kNodeProxy;
}

std::string title(std::string_view word) {
  std::string out(word);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  return out;
}

// "rbac.authorization.k8s.io" → "rbacAuthorization"; "" → "core".
std::string camel_group(std::string_view group) {
  if (group.empty()) return "core";
  if (group.ends_with(".k8s.io")) group.remove_suffix(7);
  std::string out;
  size_t at = 0;
  while (at <= group.size()) {
    const size_t end = std::min(group.find('.', at), group.size());
    const std::string_view word = group.substr(at, end - at);
    out += out.empty() ? std::string(word) : title(word);
    at = end + 1;
  }
  return out;
}

bool has_verb(const Endpoint& e, std::string_view verb) { return e.allows(verb); }

// Compat: the kinds whose deletion answers with the object, not with a Status.
bool delete_answers_object(const schema::Resource& r) {
  static constexpr std::string_view kResources[] = {"/persistentvolumeclaims",
                                                    "/pods",
                                                    "/podtemplates",
                                                    "/resourcequotas",
                                                    "/serviceaccounts",
                                                    "/services",
                                                    "/persistentvolumes",
                                                    "resource.k8s.io/deviceclasses",
                                                    "resource.k8s.io/resourceclaims",
                                                    "resource.k8s.io/resourceclaimtemplates",
                                                    "resource.k8s.io/resourceslices",
                                                    "resource.k8s.io/devicetaintrules",
                                                    "storage.k8s.io/csidrivers",
                                                    "storage.k8s.io/csinodes",
                                                    "storage.k8s.io/storageclasses",
                                                    "storage.k8s.io/volumeattachments",
                                                    "storage.k8s.io/volumeattributesclasses"};
  const std::string key = std::string(r.group) + "/" + std::string(r.name);
  return std::ranges::find(kResources, key) != std::end(kResources);
}

// Collects the operations of one resource or subresource.
struct Builder {
  const Endpoint& e;
  std::map<std::string, PathItem>& paths;
  std::string root, group_version;  // "/api/v1", "CoreV1"
  std::string tag;

  object::GroupVersionKind kind() const {
    const schema::Resource& r = *e.resource;
    const bool other = !r.response_version.empty();
    return {std::string(other ? r.response_group : r.group), std::string(other ? r.response_version : r.version),
            std::string(r.kind)};
  }
  std::string subject() const { return (e.namespaced() ? "Namespaced" : "") + e.kind + title(e.resource->subresource); }
  std::string collection() const {
    return root + (e.namespaced() ? "/namespaces/{namespace}/" : "/") + std::string(e.resource->name);
  }
  std::string item() const {
    std::string path = collection() + "/{name}";
    if (e.is_subresource()) path += "/" + std::string(e.resource->subresource);
    return path;
  }
  Operation operation(std::string_view method, std::string_view action, std::string id) const {
    Operation op;
    op.method = method;
    op.action = action;
    op.id = std::move(id);
    op.tag = tag;
    op.kind = kind();
    op.answer = e.body;
    // Compat: custom objects have no protobuf form.
    if (e.custom) op.produces = Media::kCustom;
    return op;
  }
  void add(const std::string& path, Operation op, Parameters of_path) {
    PathItem& item = paths[path];
    item.path = path;
    item.parameters = std::move(of_path);
    item.operations.push_back(std::move(op));
  }
  Parameters item_parameters() const {
    Parameters out{&kName};
    if (e.namespaced()) out.push_back(&kNamespace);
    out.push_back(&kPretty);
    return out;
  }
  Parameters collection_parameters() const {
    Parameters out;
    if (e.namespaced()) out.push_back(&kNamespace);
    out.push_back(&kPretty);
    return out;
  }
  const Message* list_message() const {
    if (e.custom) return &custom_list();
    const schema::Kind* list = gen::find_kind(e.resource->group, e.resource->version, e.kind + "List");
    return list ? list->message : nullptr;
  }

  void lists() {
    Operation list = operation("get", "list", "list" + group_version + subject());
    list.answer = list_message();
    list.parameters = watch_parameters();
    list.codes = {200};
    list.produces = e.custom ? Media::kCustom : Media::kWatchable;
    if (e.namespaced()) {
      Operation all = list;
      all.id = "list" + group_version + e.kind + "ForAllNamespaces";
      add(root + "/" + std::string(e.resource->name), std::move(all), {&kPretty});
    }
    add(collection(), std::move(list), collection_parameters());
  }
  void watches() {
    Operation watch = operation("get", "watchlist", "watch" + group_version + subject() + "List");
    watch.answer = &gen::message_of<meta_v1::WatchEvent>();
    watch.parameters = watch_parameters();
    watch.codes = {200};
    watch.produces = Media::kWatchable;
    const std::string resource(e.resource->name);
    if (e.namespaced()) {
      Operation all = watch;
      all.id = "watch" + group_version + e.kind + "ListForAllNamespaces";
      add(root + "/watch/" + resource, std::move(all), {&kPretty});
    }
    const std::string under = root + "/watch" + collection().substr(root.size());
    add(under, watch, collection_parameters());
    watch.action = "watch";
    watch.id = "watch" + group_version + subject();
    add(under + "/{name}", std::move(watch), item_parameters());
  }
  void deletes() {
    const Message* status = &gen::message_of<meta_v1::Status>();
    const Message* options = &gen::message_of<meta_v1::DeleteOptions>();
    if (has_verb(e, "deletecollection")) {
      Operation op = operation("delete", "deletecollection", "delete" + group_version + "Collection" + subject());
      op.parameters = {
          &kContinue, &kDryRun, &kFieldSelector, &kGrace,           &kIgnoreReadError,      &kLabelSelector,
          &kLimit,    &kOrphan, &kPropagation,   &kResourceVersion, &kResourceVersionMatch, &kSendInitial,
          &kTimeout};
      op.body = options;
      op.body_need = Operation::Need::kOptional;
      op.answer = status;
      op.codes = {200};
      add(collection(), std::move(op), collection_parameters());
    }
    if (has_verb(e, "delete")) {
      Operation op = operation("delete", "delete", "delete" + group_version + subject());
      op.parameters = {&kDryRun, &kGrace, &kIgnoreReadError, &kOrphan, &kPropagation};
      op.body = options;
      op.body_need = Operation::Need::kOptional;
      if (!delete_answers_object(*e.resource)) op.answer = status;
      op.codes = {200, 202};
      add(item(), std::move(op), item_parameters());
    }
  }
  void writes() {
    if (has_verb(e, "create")) {
      Operation op = operation("post", "post", "create" + group_version + subject());
      op.parameters = {&kDryRun, &kFieldManager, &kFieldValidation};
      op.body = e.body;
      op.codes = {200, 201, 202};
      add(e.is_subresource() ? item() : collection(), std::move(op),
          e.is_subresource() ? item_parameters() : collection_parameters());
    }
    if (has_verb(e, "patch")) {
      Operation op = operation("patch", "patch", "patch" + group_version + subject());
      op.parameters = {&kDryRun, &kPatchManager, &kFieldValidation, &kForce};
      op.body = gen::find_message("meta.v1", "Patch");
      op.consumes = e.custom ? Media::kCustomPatch : Media::kPatch;
      op.codes = {200, 201};
      add(item(), std::move(op), item_parameters());
    }
    if (has_verb(e, "update")) {
      Operation op = operation("put", "put", "replace" + group_version + subject());
      op.parameters = {&kDryRun, &kFieldManager, &kFieldValidation};
      op.body = e.body;
      op.codes = {200, 201};
      add(item(), std::move(op), item_parameters());
    }
  }
  void reads() {
    if (!has_verb(e, "get")) return;
    Operation op = operation("get", "get", "read" + group_version + subject());
    op.codes = {200};
    Parameters of_path = item_parameters();
    if (e.resource->subresource == "log") {
      op.answer = nullptr;
      op.produces = Media::kText;
      for (const Parameter& each : kLog) of_path.push_back(&each);
    }
    add(item(), std::move(op), std::move(of_path));
  }
  void connects() {
    const bool proxy = e.resource->subresource == "proxy";
    std::vector<std::string_view> methods{"get", "post"};
    if (proxy) methods = {"delete", "get", "head", "options", "patch", "post", "put"};
    for (const bool with_path : {false, true}) {
      if (with_path && !proxy) continue;
      Parameters of_path = item_parameters();
      of_path.pop_back();  // nothing pretty
      if (with_path) of_path.push_back(&kProxyPath);
      for (const Parameter& each : connect_parameters(e.resource->kind)) of_path.push_back(&each);
      for (std::string_view method : methods) {
        Operation op = operation(method, "connect",
                                 "connect" + group_version + title(method) + subject() + (with_path ? "WithPath" : ""));
        op.answer = nullptr;
        op.codes = {200};
        op.produces = Media::kAny;
        add(item() + (with_path ? "/{path}" : ""), std::move(op), of_path);
      }
    }
  }
  void build() {
    if (e.resource->kind.ends_with("Options")) return connects();
    if (has_verb(e, "list")) lists();
    // Compat: the old watch paths of custom resources are served, not described.
    if (has_verb(e, "watch") && !e.custom) watches();
    reads();
    writes();
    deletes();
  }
};

// Compat: what all operations of a path take stands with the path; one operation's parameters all do.
void hoist(PathItem& item) {
  if (item.operations.size() == 1) {
    Parameters& own = item.operations[0].parameters;
    item.parameters.insert(item.parameters.end(), own.begin(), own.end());
    own.clear();
  }
  const auto by_name = [](const Parameter* a, const Parameter* b) {
    return a->name != b->name ? a->name < b->name : a->in < b->in;
  };
  std::ranges::sort(item.parameters, by_name);
  std::ranges::sort(item.operations, {}, &Operation::method);
}

PathItem plain(std::string path, std::string id, std::string tag, const Message* answer, Media produces,
               Media consumes) {
  Operation op;
  op.method = "get";
  op.id = std::move(id);
  op.tag = std::move(tag);
  op.answer = answer;
  op.codes = {200};
  op.produces = produces;
  op.consumes = consumes;
  PathItem item;
  item.path = std::move(path);
  item.operations.push_back(std::move(op));
  return item;
}

Section finish_section(std::string name, std::map<std::string, PathItem> paths) {
  Section section;
  section.name = std::move(name);
  for (auto& [path, item] : paths) {
    hoist(item);
    section.paths.push_back(std::move(item));
  }
  return section;
}

void add_section(const Endpoints& endpoints, const schema::GroupVersion& gv, std::vector<Section>& out) {
  const std::string group = camel_group(gv.group);
  const std::string version(gv.version);
  const std::string root = (gv.group.empty() ? "/api/" : "/apis/" + std::string(gv.group) + "/") + version;
  std::map<std::string, PathItem> paths;
  for (const schema::Resource& row : gv.resources) {
    const Endpoint* e = endpoints.find(row.group, row.version, row.name, row.subresource);
    if (e) Builder{*e, paths, root, title(group) + title(version), group + "_" + version}.build();
  }
  paths[root + "/"] = plain(root + "/", "get" + title(group) + title(version) + "APIResources", group + "_" + version,
                            gen::find_message("meta.v1", "APIResourceList"), Media::kObject, Media::kObject);
  for (auto& [path, item] : paths) {
    for (Operation& operation : item.operations) operation.cbor = endpoints.cbor();
  }
  out.push_back(finish_section(root.substr(1), std::move(paths)));
}

}  // namespace

const Message& custom_list() {
  static const Message kList = [] {
    Message list = api::custom_message();
    list.name = "CustomObjectList";
    return list;
  }();
  return kList;
}

Section custom_section(std::span<const Endpoint* const> endpoints, std::string_view group, std::string_view version) {
  const std::string root = "/apis/" + std::string(group) + "/" + std::string(version);
  const std::string name = camel_group(group);
  std::map<std::string, PathItem> paths;
  for (const Endpoint* e : endpoints)
    Builder{*e, paths, root, title(name) + title(version), name + "_" + std::string(version)}.build();
  return finish_section(root.substr(1), std::move(paths));
}

std::vector<const Parameter*> shared_parameters() {
  std::vector<const Parameter*> out{&kBookmarks,     &kContinue,    &kFieldSelector,   &kFieldManager,
                                    &kPatchManager,  &kForce,       &kGrace,           &kIgnoreReadError,
                                    &kLabelSelector, &kLimit,       &kNamespace,       &kOrphan,
                                    &kPretty,        &kPropagation, &kResourceVersion, &kResourceVersionMatch,
                                    &kSendInitial,   &kTimeout,     &kWatch,           &kProxyPath};
  for (std::span<const Parameter> group :
       {std::span<const Parameter>(kAttach), std::span<const Parameter>(kExec), std::span<const Parameter>(kForward),
        std::span<const Parameter>(kPodProxy), std::span<const Parameter>(kServiceProxy),
        std::span<const Parameter>(kNodeProxy), std::span<const Parameter>(kLog)}) {
    for (const Parameter& each : group) out.push_back(&each);
  }
  std::ranges::sort(out, {}, [](const Parameter* p) { return p->shared; });
  return out;
}

namespace {

std::vector<std::string_view> plain_media_types(Media media) {
  constexpr std::string_view kJson = "application/json", kYaml = "application/yaml",
                             kProtobuf = "application/vnd.kubernetes.protobuf";
  switch (media) {
    case Media::kNone:
      return {};
    case Media::kObject:
      return {kJson, kYaml, kProtobuf};
    case Media::kWatchable:
      return {kJson, kYaml, kProtobuf, "application/json;stream=watch",
              "application/vnd.kubernetes.protobuf;stream=watch"};
    case Media::kAny:
      return {"*/*"};
    case Media::kPatch:
      return {"application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
              "application/apply-patch+yaml"};
    case Media::kCustom:
      return {kJson, kYaml};
    case Media::kCustomPatch:
      return {"application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"};
    case Media::kJson:
      return {kJson};
    case Media::kText:
      return {"text/plain", kJson, kYaml, kProtobuf};
    case Media::kKeySet:
      return {"application/jwk-set+json"};
  }
  return {};
}

}  // namespace

// Compat: behind its gate CBOR comes last in each list. Custom resources are described without it.
std::vector<std::string_view> media_types(Media media, CborServing cbor) {
  std::vector<std::string_view> types = plain_media_types(media);
  if (cbor == CborServing::kOff) return types;
  switch (media) {
    case Media::kWatchable:
      types.insert(types.begin() + 3, "application/cbor");
      types.emplace_back("application/cbor-seq");
      break;
    case Media::kObject:
    case Media::kText:
      types.emplace_back("application/cbor");
      break;
    case Media::kPatch:
      types.emplace_back("application/apply-patch+cbor");
      break;
    default:
      break;
  }
  return types;
}

std::vector<Section> sections(const Endpoints& endpoints) {
  std::vector<Section> out;
  const auto one = [&](PathItem item) {
    Section section;
    section.name = item.path.substr(1, item.path.size() - 2);
    section.paths.push_back(std::move(item));
    out.push_back(std::move(section));
  };
  one(plain("/.well-known/openid-configuration/", "getServiceAccountIssuerOpenIDConfiguration", "WellKnown", nullptr,
            Media::kJson, Media::kNone));
  one(plain("/openid/v1/jwks/", "getServiceAccountIssuerOpenIDKeyset", "openid", nullptr, Media::kKeySet,
            Media::kNone));
  one(plain("/version/", "getCodeVersion", "version", gen::find_message("util.version", "Info"), Media::kJson,
            Media::kJson));
  one(plain("/api/", "getCoreAPIVersions", "core", gen::find_message("meta.v1", "APIVersions"), Media::kObject,
            Media::kObject));
  one(plain("/apis/", "getAPIVersions", "apis", gen::find_message("meta.v1", "APIGroupList"), Media::kObject,
            Media::kObject));
  std::string_view last;
  for (const schema::GroupVersion& gv : gen::group_versions()) {
    if (!endpoints.has_group_version(gv.group, gv.version)) continue;
    if (!gv.group.empty() && gv.group != last) {
      last = gv.group;
      const std::string group = camel_group(gv.group);
      one(plain("/apis/" + std::string(gv.group) + "/", "get" + title(group) + "APIGroup", group,
                gen::find_message("meta.v1", "APIGroup"), Media::kObject, Media::kObject));
    }
    add_section(endpoints, gv, out);
  }
  std::ranges::sort(out, {}, &Section::name);
  return out;
}

}  // namespace apiserver::openapi
