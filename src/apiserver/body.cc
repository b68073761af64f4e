#include "apiserver/body.h"

#include <algorithm>
#include <map>

#include "api/custom/custom_object.h"
#include "apiserver/core.h"
#include "apiserver/crd/custom_kind.h"
#include "codec/json_text.h"
#include "gen/catalogue.h"
#include "gen/meta/v1.h"
#include "object/cbor.h"
#include "object/gvk.h"
#include "object/json.h"
#include "object/status.h"
#include "object/text_tree.h"
#include "object/yaml.h"
#include "schema/envelope.h"
#include "schema/proto_struct.h"
#include "schema/proto_value.h"
#include "schema/transcode.h"

namespace apiserver {
namespace {

using base::Reason;

// Compat: how upstream quotes an undecodable body: text cut after 30 bytes, hex when it is no JSON object.
std::string body_summary(std::string_view body) {
  constexpr size_t kShown = 30;
  if (body.empty()) return "(<empty>)";
  const bool printable = !body.empty() && body.front() == '{';
  std::string shown;
  const std::string_view head = body.substr(0, kShown);
  if (printable) {
    shown = head;
  } else {
    constexpr std::string_view kHex = "0123456789abcdef";
    for (char c : head) {
      shown += kHex[static_cast<unsigned char>(c) >> 4];
      shown += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  if (body.size() > kShown) shown += " ...";
  return "(" + shown + ")";
}

std::unexpected<base::Error> unrecognized(std::string_view kind, std::string_view detail, std::string_view body) {
  return base::fail(Reason::kBadRequest, "the object provided is unrecognized (must be of type " + std::string(kind) +
                                             "): " + std::string(detail) + " " + body_summary(body));
}

std::unexpected<base::Error> cannot_handle(std::string_view sent_kind, std::string_view version, std::string_view kind,
                                           std::string_view detail) {
  return base::fail(Reason::kBadRequest, std::string(sent_kind) + " in version \"" + std::string(version) +
                                             "\" cannot be handled as a " + std::string(kind) + ": " +
                                             std::string(detail));
}

// The version part of "group/version".
std::string_view version_of(std::string_view api_version) {
  const size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? api_version : api_version.substr(slash + 1);
}

constexpr std::string_view kYamlIssues = "yaml: unmarshal errors:";

// Compat: of what the YAML decoder found, each line is a warning of its own.
void warn(RequestContext& context, std::string_view issue) {
  if (!issue.starts_with(kYamlIssues)) return context.warnings.emplace_back(issue), void();
  issue.remove_prefix(kYamlIssues.size());
  while (!issue.empty()) {
    issue.remove_prefix(std::min(issue.find_first_not_of(" \n"), issue.size()));
    const std::string_view line = issue.substr(0, issue.find('\n'));
    if (!line.empty()) context.warnings.emplace_back(line);
    issue.remove_prefix(line.size());
  }
}

base::Result<void> report_issues(RequestContext& context, FieldValidation validation,
                                 const std::vector<std::string>& issues, std::string_view api_version,
                                 std::string_view kind) {
  if (issues.empty() || validation == FieldValidation::kIgnore) return {};
  if (validation == FieldValidation::kWarn) {
    warn_of_issues(context, issues);
    return {};
  }
  return cannot_handle(kind, version_of(api_version), kind, strict_error(issues));
}

// What gogo's decoder says of bytes that end too early.
constexpr std::string_view kCutOff = "unexpected EOF";

// Is there such a kind, do the bytes make one, and is it `kind`? Errors with the words that follow
// "… cannot be handled as a …: ".
template <typename Decodes>
base::Result<void> is_kind(const object::GroupVersion& gv, std::string_view sent_kind, std::string_view kind,
                           std::string_view group, Decodes decodes) {
  const schema::Kind* known = gen::find_kind(gv.group, gv.version, sent_kind);
  if (!known) {
    return base::fail(Reason::kBadRequest, "no kind \"" + std::string(sent_kind) + "\" is registered for version \"" +
                                               gv.to_string() +
                                               "\" in scheme \"k8s.io/apimachinery/pkg/runtime/scheme.go:100\"");
  }
  TRY(decodes(*known->message));
  if (sent_kind == kind) return {};
  return base::fail(Reason::kBadRequest, "converting (" + gv.version + "." + std::string(sent_kind) + ") to (" +
                                             internal_type(group, kind) + "): unknown conversion");
}

// kind and apiVersion of a tree, with upstream's complaints about their types.
struct SentType {
  std::string api_version, kind;
};

// What is said of CBOR whose type cannot be found.
constexpr std::string_view kNoType = "unable to determine group/version/kind: ";

base::Result<SentType> cbor_sent_type(const object::Value& tree, std::string_view expected_kind,
                                      std::string_view body) {
  SentType sent;
  const std::string prefix = std::string(kNoType) + "cbor: cannot unmarshal ";
  if (!tree.is_object() && !tree.is_null()) {
    return unrecognized(
        expected_kind, prefix + std::string(object::cbor_type_name(tree)) + " into Go value of type v1.TypeMeta", body);
  }
  for (auto [name, out] :
       {std::pair<std::string_view, std::string*>{"apiVersion", &sent.api_version}, {"kind", &sent.kind}}) {
    const object::Value* value = tree.find(name);
    if (!value || value->is_null()) continue;
    if (!value->is_string()) {
      return unrecognized(expected_kind,
                          prefix + std::string(object::cbor_type_name(*value)) + " into Go struct field v1.TypeMeta." +
                              std::string(name) + " of type string",
                          body);
    }
    *out = *value->string_if();
  }
  return sent;
}

base::Result<SentType> sent_type(const object::Value& tree, std::string_view expected_kind, std::string_view body) {
  SentType sent;
  if (!tree.is_object() && !tree.is_null()) {
    return unrecognized(
        expected_kind,
        "couldn't get version/kind; json parse error: json: cannot unmarshal " +
            std::string(object::json_type_name(tree)) +
            R"( into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" })",
        body);
  }
  for (auto [name, out] :
       {std::pair<std::string_view, std::string*>{"apiVersion", &sent.api_version}, {"kind", &sent.kind}}) {
    const object::Value* value = tree.find(name);
    if (!value || value->is_null()) continue;
    if (const std::string* text = value->string_if()) {
      *out = *text;
    } else {
      return unrecognized(expected_kind,
                          "couldn't get version/kind; json parse error: json: cannot unmarshal " +
                              std::string(object::json_type_name(*value)) + " into Go struct field ." +
                              std::string(name) + " of type string",
                          body);
    }
  }
  return sent;
}

// Is the body of the kind and version that the endpoint serves? `decodes` tells what is wrong with it as an object of
// another known kind: upstream decodes before it compares.
template <typename Decodes>
base::Result<void> check_type(const SentType& sent, std::string_view kind, std::string_view api_version,
                              std::string_view body, Decodes decodes) {
  if (sent.kind == kind && sent.api_version == api_version) return {};
  auto gv = object::GroupVersion::parse(sent.api_version);
  if (!gv) return unrecognized(kind, gv.error().message, body);
  const size_t slash = api_version.find('/');
  const std::string_view group = slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
  if (auto same = is_kind(*gv, sent.kind, kind, group, decodes); !same)
    return cannot_handle(sent.kind, gv->version, kind, same.error().message);
  return base::fail(object::api_version_mismatch(sent.api_version, api_version));
}

base::Result<object::Value> parse_cbor_tree(RequestContext& context, std::string_view api_version,
                                            std::string_view kind) {
  object::CborFault fault;
  object::Value rest;
  auto tree = object::parse_cbor(context.body, {&fault, &rest});
  if (tree) return tree;
  if (fault != object::CborFault::kInside)
    return unrecognized(kind, std::string(kNoType) + tree.error().message, context.body);
  // Compat: the type is looked at first; what does not hinder that is an error of the object.
  TRY_ASSIGN(SentType sent, cbor_sent_type(rest, kind, context.body));
  if (sent.kind.empty()) sent.kind = kind;
  if (sent.api_version.empty()) sent.api_version = api_version;
  TRY(check_type(sent, kind, api_version, context.body,
                 [&](const schema::Message&) -> base::Result<void> { return base::fail(tree.error()); }));
  return cannot_handle(kind, version_of(api_version), kind, tree.error().message);
}

base::Result<object::Value> parse_tree(RequestContext& context, std::string_view api_version, std::string_view kind,
                                       std::vector<std::string>& issues) {
  if (context.body_type == MediaType::kCbor) return parse_cbor_tree(context, api_version, kind);
  if (context.body_type == MediaType::kYaml) {
    std::vector<std::string> duplicates;
    auto tree = object::parse_yaml(context.body, {.duplicate_keys = &duplicates});
    if (!tree) return unrecognized(kind, tree.error().message, context.body);
    if (!duplicates.empty()) issues.push_back(yaml_issue(duplicates));
    return tree;
  }
  std::vector<std::string> duplicates;
  auto tree =
      object::parse_json(context.body, {.duplicates = object::Duplicates::kMerge, .duplicate_fields = &duplicates});
  if (!tree)
    return unrecognized(kind, "couldn't get version/kind; json parse error: " + tree.error().message, context.body);
  for (const std::string& path : duplicates) issues.push_back("duplicate field \"" + path + "\"");
  return tree;
}

base::Result<std::string> decode_protobuf(RequestContext& context, std::string_view kind,
                                          std::string_view api_version) {
  if (context.body.empty()) return unrecognized(kind, "empty data", context.body);
  if (!schema::has_envelope(context.body)) {
    return unrecognized(kind, "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
                        context.body);
  }
  if (context.body.size() == schema::kEnvelopePrefix.size()) return unrecognized(kind, "empty body", context.body);
  auto envelope = schema::unwrap(context.body);
  // Compat: what cannot be read has nearly always been cut off.
  if (!envelope) return unrecognized(kind, kCutOff, context.body);
  const SentType sent{
      std::string(envelope->type.api_version.empty() ? api_version : envelope->type.api_version),
      std::string(envelope->type.kind.empty() ? kind : envelope->type.kind),
  };
  TRY(check_type(sent, kind, api_version, context.body, [&](const schema::Message& other) -> base::Result<void> {
    if (schema::check_message(other, envelope->raw)) return {};
    return base::fail(Reason::kBadRequest, std::string(kCutOff));
  }));
  return std::string(envelope->raw);
}

// A message may hold JSON (field sets, raw extensions), which is copied into answers: what is no JSON must not get in.
// A message that is malformed itself is left to its decoder, which has upstream's words for that.
base::Result<void> check_embedded_json(const schema::Message& message, std::string_view raw, std::string_view kind,
                                       std::string_view body) {
  if (!message.ops || schema::check_message(message, raw, schema::CheckedParts::kUnsure)) return {};
  api::AnyObject object = api::AnyObject::make(message);
  if (!schema::decode_struct(message, raw, object.get())) return {};
  return unrecognized(kind, "the message holds JSON that is malformed", body);
}

std::string unknown_field(std::string_view path) {
  std::string text = "unknown field ";
  codec::append_go_quoted(text, path);
  return text;
}

// A custom object: its schema takes away what it does not know and fills in defaults.
base::Result<std::string> encode_custom(RequestContext& context, object::Value tree, std::string_view kind,
                                        FieldValidation validation, std::vector<std::string> issues) {
  const CustomKind& custom = *context.endpoint->custom;
  std::vector<std::string> unknown;
  TRY(custom.clean(tree, validation == FieldValidation::kIgnore ? nullptr : &unknown));
  for (const std::string& path : unknown) issues.push_back(unknown_field(path));
  std::string raw;
  schema::ValueEncodeOptions options;
  if (validation != FieldValidation::kIgnore) options.strict_issues = &issues;
  if (auto encoded = schema::encode_value(api::custom_message(), tree, raw, options); !encoded) {
    return cannot_handle(kind, custom.version(), kind, encoded.error().message);
  }
  TRY(report_issues(context, validation, issues, custom.version(), kind));
  return raw;
}

// Compat: a custom object of another version is not cleaned by the right schema, and then refused; of another kind it
// is invalid.
base::Result<void> check_custom_type(RequestContext& context, const object::Value& tree, const SentType& sent,
                                     std::string_view api_version, std::string_view kind, FieldValidation validation) {
  if (sent.api_version != api_version) {
    std::vector<std::string> issues;
    auto gv = object::GroupVersion::parse(sent.api_version);
    const bool known = gv && context.core->endpoints().serves(gv->group, gv->version);
    for (const object::Member& member : *tree.object_if()) {
      if (known || member.key == "apiVersion" || member.key == "kind" || member.key == "metadata") continue;
      issues.push_back(unknown_field(member.key));
    }
    TRY(report_issues(context, validation, issues, version_of(api_version), kind));
    return base::fail(object::api_version_mismatch(sent.api_version, api_version));
  }
  object::FieldErrors errors;
  errors.invalid(object::FieldPath("kind"), sent.kind, "must be " + std::string(kind));
  const std::string name(tree.string_at({"metadata", "name"}));
  return base::fail(object::invalid_error(context.info.group, sent.kind, name, errors));
}

}  // namespace

namespace {

// False: there is none, and the tree need not be walked.
bool mentions_empty_list(MediaType type, std::string_view text) {
  if (type == MediaType::kCbor) return text.find_first_of("\x80\x98\x99\x9a\x9b\x9f") != std::string_view::npos;
  for (size_t at = 0; (at = text.find('[', at)) != std::string_view::npos;) {
    at = text.find_first_not_of(" \t\r\n", at + 1);
    if (at != std::string_view::npos && text[at] == ']') return true;
  }
  return false;
}

// What stands between the quotes of an issue.
std::string_view path_of(std::string_view issue) {
  const size_t begin = issue.find('"') + 1;
  const size_t end = issue.rfind('"');
  return begin == 0 || end < begin ? std::string_view() : issue.substr(begin, end - begin);
}

// Numbers the paths that are asked for in the order in which they stand in the document.
void number_paths(const object::Value& value, std::string& path, std::map<std::string, size_t, std::less<>>& ranks,
                  size_t& next) {
  const size_t length = path.size();
  const auto descend = [&](const object::Value& child) {
    if (const auto found = ranks.find(path); found != ranks.end()) found->second = next++;
    number_paths(child, path, ranks, next);
    path.resize(length);
  };
  if (const object::Object* members = value.object_if()) {
    for (const object::Member& member : *members) {
      path.append(length == 0 ? "" : ".").append(member.key);
      descend(member.value);
    }
  } else if (const object::Array* elements = value.array_if()) {
    for (size_t i = 0; i < elements->size(); ++i) {
      path.append("[").append(std::to_string(i)).append("]");
      descend((*elements)[i]);
    }
  }
}

// Compat: upstream's decoder finds what is repeated and what it does not know in one walk.
void sort_issues(const object::Value& tree, size_t repeated, std::vector<std::string>& issues) {
  if (repeated == 0 || issues.size() == repeated) return;
  std::map<std::string, size_t, std::less<>> ranks;
  for (const std::string& issue : issues) ranks.emplace(path_of(issue), SIZE_MAX);
  std::string path;
  size_t next = 0;
  number_paths(tree, path, ranks, next);
  std::vector<std::pair<size_t, size_t>> order;  // rank, and where it was
  for (size_t i = 0; i < issues.size(); ++i) order.emplace_back(ranks.find(path_of(issues[i]))->second, i);
  std::ranges::sort(order);
  std::vector<std::string> sorted;
  for (const auto& [rank, at] : order) sorted.push_back(std::move(issues[at]));
  issues = std::move(sorted);
}

void find_empty_lists(const object::Value& value, std::vector<std::string>& path,
                      std::vector<std::vector<std::string>>& found) {
  const object::Object* members = value.object_if();
  if (!members) return;
  for (const object::Member& member : *members) {
    path.push_back(member.key);
    const object::Array* list = member.value.array_if();
    if (list && list->empty()) found.push_back(path);
    find_empty_lists(member.value, path, found);
    path.pop_back();
  }
}

}  // namespace

std::string internal_type(std::string_view group, std::string_view kind) {
  const std::string_view package = group.empty() ? "core" : group.substr(0, group.find('.'));
  return std::string(package) + "." + std::string(kind);
}

void keep_reset(object::Value& tree) {
  object::Value* metadata = tree.find("metadata");
  object::Value* list = metadata ? metadata->find("managedFields") : nullptr;
  object::Array* entries = list ? list->array_if() : nullptr;
  if (entries && entries->empty()) entries->emplace_back(object::Object());
}

void note_empty_lists(RequestContext& context, const object::Value& tree) {
  context.empty_lists.clear();
  std::vector<std::string> path;
  if (mentions_empty_list(context.body_type, context.body)) find_empty_lists(tree, path, context.empty_lists);
}

std::string yaml_issue(const std::vector<std::string>& duplicate_keys) {
  std::string text(kYamlIssues);
  for (const std::string& line : duplicate_keys) text += "\n  " + line;
  return text;
}

void warn_of_issues(RequestContext& context, const std::vector<std::string>& issues) {
  for (const std::string& issue : issues) warn(context, issue);
}

std::string strict_error(const std::vector<std::string>& issues) {
  std::string joined = "strict decoding error: ";
  for (size_t i = 0; i < issues.size(); ++i) joined += (i ? ", " : "") + issues[i];
  return joined;
}

base::Result<std::string> encode_tree(RequestContext& context, const object::Value& tree,
                                      const schema::Message& message, std::string_view api_version,
                                      std::string_view kind, FieldValidation validation,
                                      std::vector<std::string> issues) {
  if (api::is_custom(message)) return encode_custom(context, tree, kind, validation, std::move(issues));
  std::string raw;
  schema::ValueEncodeOptions options;
  if (validation != FieldValidation::kIgnore) options.strict_issues = &issues;
  if (context.body_type == MediaType::kCbor) options.decoder = schema::Decoder::kCbor;
  if (context.body_type == MediaType::kJson) options.source_json = context.body;
  const size_t repeated = issues.size();
  if (auto encoded = schema::encode_value(message, tree, raw, options); !encoded) {
    return cannot_handle(kind, version_of(api_version), kind, encoded.error().message);
  }
  if (context.body_type == MediaType::kJson) sort_issues(tree, repeated, issues);
  TRY(report_issues(context, validation, issues, api_version, kind));
  note_empty_lists(context, tree);
  return raw;
}

namespace {

// Of a document in which nothing is wrong or peculiar, as nearly all are: without a Value. nullopt: judge it with care.
std::optional<std::string> decode_ordinary(RequestContext& context, const schema::Message& message,
                                           std::string_view api_version, std::string_view kind) {
  if (context.body_type != MediaType::kJson || api::is_custom(message)) return std::nullopt;
  object::TextTree tree;
  if (mentions_empty_list(context.body_type, context.body) || !tree.read(context.body)) return std::nullopt;
  const object::TextObject* root = tree.root().object_if();
  const auto says = [&](std::string_view name, std::string_view expected) {
    const object::TextValue* value = root->find(name);
    if (!value) return true;
    const std::string_view* text = value->string_if();
    return text && (text->empty() || *text == expected);
  };
  if (!root || !says("kind", kind) || !says("apiVersion", api_version)) return std::nullopt;
  context.empty_lists.clear();
  return schema::encode_ordinary(message, tree.root(), context.body);
}

}  // namespace

base::Result<std::string> decode_body(RequestContext& context, const schema::Message& message,
                                      std::string_view api_version, std::string_view kind, FieldValidation validation) {
  if (context.body_type == MediaType::kRawProtobuf) return std::string(context.body);
  if (context.body_type == MediaType::kProtobuf) {
    TRY_ASSIGN(std::string raw, decode_protobuf(context, kind, api_version));
    TRY(check_embedded_json(message, raw, kind, context.body));
    return raw;
  }
  if (auto raw = decode_ordinary(context, message, api_version, kind)) return *std::move(raw);
  std::vector<std::string> issues;
  TRY_ASSIGN(object::Value tree, parse_tree(context, api_version, kind, issues));
  const bool cbor = context.body_type == MediaType::kCbor;
  TRY_ASSIGN(SentType sent, cbor ? cbor_sent_type(tree, kind, context.body) : sent_type(tree, kind, context.body));
  // Compat: a body without kind or apiVersion is taken for what the URL serves only where upstream knows a default.
  if (sent.kind.empty()) sent.kind = kind;
  if (sent.api_version.empty()) sent.api_version = api_version;
  if (api::is_custom(message) && (sent.kind != kind || sent.api_version != api_version)) {
    TRY(check_custom_type(context, tree, sent, api_version, kind, validation));
  }
  TRY(check_type(sent, kind, api_version, context.body, [&](const schema::Message& other) {
    std::string ignored;
    return schema::encode_value(other, tree, ignored);
  }));
  keep_reset(tree);
  return encode_tree(context, tree, message, api_version, kind, validation, std::move(issues));
}

base::Result<void> check_patched_type(const Endpoint& endpoint, const object::Value& document) {
  const auto or_default = [&](std::string_view name, std::string_view fallback) {
    const std::string_view sent = document.string_at({name});
    return std::string(sent.empty() ? fallback : sent);
  };
  const std::string kind = or_default("kind", endpoint.kind);
  const std::string api_version = or_default("apiVersion", endpoint.api_version);
  if (kind == endpoint.kind && api_version == endpoint.api_version) return {};
  TRY_ASSIGN(const object::GroupVersion gv, object::GroupVersion::parse(api_version));
  TRY(is_kind(gv, kind, endpoint.kind, endpoint.resource->group, [&](const schema::Message& other) {
    std::string ignored;
    return schema::encode_value(other, document, ignored);
  }));
  return base::fail(object::api_version_mismatch(api_version, endpoint.api_version));
}

base::Result<api::AnyObject> to_stored(const Endpoint& endpoint, std::string_view served_raw) {
  if (!endpoint.conversion) {
    auto object = decode_stored(endpoint, served_raw);
    if (!object) return cannot_handle(endpoint.kind, version_of(endpoint.api_version), endpoint.kind, kCutOff);
    if (endpoint.version_defaults) endpoint.version_defaults->set_defaults(object->get());
    endpoint.rules->set_defaults_any(object->get());
    return object;
  }
  api::AnyObject served = api::AnyObject::make(*endpoint.served);
  if (auto decoded = schema::decode_struct(*endpoint.served, served_raw, served.get()); !decoded)
    return cannot_handle(endpoint.kind, version_of(endpoint.api_version), endpoint.kind, kCutOff);
  if (endpoint.conversion->set_defaults) endpoint.conversion->set_defaults(served.get());
  api::AnyObject stored = api::AnyObject::make(*endpoint.stored);
  endpoint.conversion->to_stored(served.get(), stored.get());
  endpoint.rules->set_defaults_any(stored.get());
  return stored;
}

base::Result<std::string> stored_form(const Endpoint& endpoint, const api::AnyObject& object) {
  std::string raw = encode_struct(object);
  if (!endpoint.custom) return raw;
  return endpoint.custom->to_storage(raw);
}

base::Result<api::AnyObject> decode_stored(const Endpoint& endpoint, std::string_view stored_raw) {
  std::string served;
  if (endpoint.custom && !endpoint.shows_stored(stored_raw)) {
    TRY_ASSIGN(served, endpoint.custom->to_served(stored_raw));
    stored_raw = served;
  }
  api::AnyObject object = api::AnyObject::make(*endpoint.stored);
  TRY(schema::decode_struct(*endpoint.stored, stored_raw, object.get()));
  return object;
}

std::string encode_struct(const api::AnyObject& object) {
  std::string raw;
  schema::encode_struct(object.message(), object.get(), raw);
  return raw;
}

base::Result<std::string> to_served(const Endpoint& endpoint, std::string_view stored_raw) {
  if (endpoint.shows_stored(stored_raw)) return std::string(stored_raw);
  if (endpoint.custom) return endpoint.custom->to_served(stored_raw);
  TRY_ASSIGN(api::AnyObject stored, decode_stored(endpoint, stored_raw));
  api::AnyObject served = api::AnyObject::make(*endpoint.served);
  endpoint.conversion->from_stored(stored.get(), served.get());
  return encode_struct(served);
}

base::Result<std::string_view> served_view(const Endpoint& endpoint, std::string_view stored_raw,
                                           std::string& converted) {
  if (endpoint.shows_stored(stored_raw)) return stored_raw;
  TRY_ASSIGN(converted, to_served(endpoint, stored_raw));
  return converted;
}

namespace {

base::Result<void> read_delete_query(const Query& query, object::FieldErrors& errors, DeleteOptions& options) {
  if (std::string_view text = query.get("gracePeriodSeconds"); !text.empty()) {
    Query one;
    one.set("timeoutSeconds", std::string(text));  // the same integer rules
    TRY_ASSIGN(ListOptions parsed, parse_list_options(one, ListUse::kList));
    options.grace_period_seconds = parsed.timeout_seconds;
  }
  if (query.has("orphanDependents")) options.orphan_dependents = query.get("orphanDependents") == "true";
  return check_dry_run(query, errors, options.dry_run);
}

void read_delete_body(const api::meta::v1::DeleteOptions& body, object::FieldErrors& errors, DeleteOptions& options) {
  options.grace_period_seconds = body.grace_period_seconds;
  options.orphan_dependents = body.orphan_dependents;
  if (body.preconditions) {
    options.has_precondition_uid = body.preconditions->uid.has_value();
    options.precondition_uid = body.preconditions->uid.value_or("");
    options.has_precondition_resource_version = body.preconditions->resource_version.has_value();
    options.precondition_resource_version = body.preconditions->resource_version.value_or("");
  }
  object::Array given;
  bool known = true;
  for (const std::string& value : body.dry_run) {
    given.emplace_back(value);
    known = known && value == "All";
    options.dry_run = DryRun::kYes;
  }
  if (!known) errors.not_supported(object::FieldPath("dryRun"), object::Value(std::move(given)), {"All"});
}

base::Result<void> read_propagation(std::string_view policy, object::FieldErrors& errors, DeleteOptions& options) {
  if (policy == "Orphan") {
    options.propagation = client::Propagation::kOrphan;
  } else if (policy == "Background") {
    options.propagation = client::Propagation::kBackground;
  } else if (policy == "Foreground") {
    options.propagation = client::Propagation::kForeground;
  } else {
    errors.not_supported(object::FieldPath("propagationPolicy"), policy, {"Foreground", "Background", "Orphan", "nil"});
  }
  return {};
}

// Compat: what a body that is no DeleteOptions is told; its group and version may be any.
base::Result<std::string> delete_options_version(const RequestContext& context) {
  if (context.body_type == MediaType::kProtobuf) {
    auto envelope = schema::unwrap(context.body);
    return std::string(envelope && !envelope->type.api_version.empty() ? envelope->type.api_version : "v1");
  }
  const bool cbor = context.body_type == MediaType::kCbor;
  if (context.body_type != MediaType::kJson && !cbor) return std::string("v1");
  auto tree = cbor ? object::parse_cbor(context.body) : object::parse_json(context.body);
  if (!tree) {
    const std::string_view what = cbor ? kNoType : "couldn't get version/kind; json parse error: ";
    return base::fail(Reason::kBadRequest, std::string(what) + tree.error().message);
  }
  const std::string_view kind = tree->string_at({"kind"});
  std::string version(tree->string_at({"apiVersion"}));
  if (!kind.empty() && kind != "DeleteOptions") {
    return base::fail(Reason::kBadRequest, "no kind \"" + std::string(kind) + "\" is registered for version \"" +
                                               version +
                                               "\" in scheme \"k8s.io/apimachinery/pkg/runtime/scheme.go:100\"");
  }
  return version.empty() ? std::string("v1") : std::move(version);
}

}  // namespace

base::Result<DeleteOptions> parse_delete_options(RequestContext& context) {
  DeleteOptions options;
  object::FieldErrors errors;
  std::optional<std::string> policy;
  if (context.body.empty()) {
    TRY(read_delete_query(context.query, errors, options));
    if (context.query.has("propagationPolicy")) policy = context.query.get("propagationPolicy");
  } else {
    const schema::Message& message = gen::message_of<api::meta::v1::DeleteOptions>();
    TRY_ASSIGN(const std::string version, delete_options_version(context));
    TRY_ASSIGN(std::string raw, decode_body(context, message, version, "DeleteOptions", FieldValidation::kIgnore));
    api::meta::v1::DeleteOptions body;
    TRY(schema::decode_struct(message, raw, &body));
    read_delete_body(body, errors, options);
    policy = body.propagation_policy;
  }
  if (policy) TRY(read_propagation(*policy, errors, options));
  if (policy && options.orphan_dependents) {
    errors.invalid(object::FieldPath("propagationPolicy"), *policy,
                   "orphanDependents and deletionPropagation cannot be both set");
  }
  if (!errors.empty()) return base::fail(object::invalid_error("meta.k8s.io", "DeleteOptions", "", errors));
  return options;
}

}  // namespace apiserver
