#include "apiserver/patched_text.h"

#include <algorithm>
#include <vector>

#include "codec/json_text.h"
#include "object/json.h"

namespace apiserver {
namespace {

void append_patched(std::string& out, const object::Value& value, const object::Value* merged);

void append_members(std::string& out, const object::Object& object, const object::Value* merged) {
  std::vector<const object::Member*> members;
  for (const object::Member& member : object) members.push_back(&member);
  if (merged)
    std::ranges::sort(members, {}, [](const object::Member* member) -> const std::string& { return member->key; });
  out += '{';
  for (const object::Member* member : members) {
    if (out.back() != '{') out += ',';
    codec::append_json_string(out, member->key);
    out += ':';
    append_patched(out, member->value, merged ? merged->find(member->key) : nullptr);
  }
  out += '}';
}

void append_patched(std::string& out, const object::Value& value, const object::Value* merged) {
  if (merged && !merged->is_object()) merged = nullptr;
  if (const object::Object* object = value.object_if()) return append_members(out, *object, merged);
  object::append_json(out, value);
}

}  // namespace

std::string patched_text(const object::Value& document, const object::Value& reached) {
  std::string text;
  append_patched(text, document, &reached);
  return text;
}

object::Value reached_by(const schema::JsonPatch& patch) {
  object::Value root{object::Object()};
  for (const schema::JsonPatchOperation& operation : patch.operations) {
    for (const auto* path : {&operation.path, &operation.from}) {
      if (!*path || (*path)->empty()) continue;
      object::Value* here = &root;
      for (size_t at = 1, slash; (slash = (*path)->find('/', at)) != std::string::npos; at = slash + 1) {
        std::string name = (*path)->substr(at, slash - at);
        for (auto [from, to] : {std::pair<std::string_view, char>{"~1", '/'}, {"~0", '~'}}) {
          for (size_t i; (i = name.find(from)) != std::string::npos;) name.replace(i, 2, 1, to);
        }
        here = &(*here->object_if())[name];
        if (!here->is_object()) *here = object::Object();
      }
    }
  }
  return root;
}

}  // namespace apiserver
