// The paths and operations of the served resources, in the words that both OpenAPI versions share. Pure; thread: any.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/endpoint.h"
#include "object/gvk.h"
#include "schema/tables.h"

namespace apiserver::openapi {

struct Parameter {
  std::string_view name, in, type;
  std::string_view shared;  // its key among the shared parameters of version 2; "" = it is written out
  std::string_view text;
};

enum class Media : uint8_t { kNone, kObject, kWatchable, kAny, kPatch, kJson, kText, kKeySet, kCustom, kCustomPatch };

struct Operation {
  std::string_view method;
  std::string id, action, tag;
  object::GroupVersionKind kind;  // kind "" = none
  std::vector<const Parameter*> parameters;
  const schema::Message* body = nullptr;
  enum class Need : uint8_t { kOptional, kRequired } body_need = Need::kRequired;
  const schema::Message* answer = nullptr;  // null = a string
  std::vector<int> codes;
  Media consumes = Media::kAny, produces = Media::kObject;
  CborServing cbor = CborServing::kOff;
};

struct PathItem {
  std::string path;
  std::vector<const Parameter*> parameters;
  std::vector<Operation> operations;
};

// Every parameter that is shared.
std::vector<const Parameter*> shared_parameters();
std::vector<std::string_view> media_types(Media media, CborServing cbor);

// "api/v1" → all paths under it; "apis/apps", "apis", "api", "version", … → the one that lists. Sorted by path.
struct Section {
  std::string name;
  std::vector<PathItem> paths;
};
std::vector<Section> sections(const Endpoints& endpoints);
// The same for one group version of custom resources. Their bodies are custom_message(), lists custom_list(): whoever
// writes a reference to them names it after the operation's kind.
Section custom_section(std::span<const Endpoint* const> endpoints, std::string_view group, std::string_view version);
const schema::Message& custom_list();

}  // namespace apiserver::openapi
