#include "difference.h"

#include <set>

#include "object/json.h"

namespace recorded {
namespace {

using object::Value;

// Members that the server's defaulting and strategies add to what a write leaves out.
const std::set<std::string, std::less<>> kFilledIn = {"creationTimestamp",
                                                      "dnsPolicy",
                                                      "generation",
                                                      "imagePullPolicy",
                                                      "managedFields",
                                                      "namespace",
                                                      "protocol",
                                                      "replicas",
                                                      "resourceVersion",
                                                      "progressDeadlineSeconds",
                                                      "resources",
                                                      "restartPolicy",
                                                      "schedulerName",
                                                      "terminationMessagePath",
                                                      "terminationMessagePolicy",
                                                      "securityContext",
                                                      "status",
                                                      "strategy",
                                                      "type",
                                                      "terminationGracePeriodSeconds",
                                                      "uid",
                                                      "revisionHistoryLimit"};
// Members that the server sets anew.
const std::set<std::string, std::less<>> kServersOwn = {"generation", "resourceVersion", "uid", "creationTimestamp"};

bool is_empty(const Value& value) {
  if (const auto* object = value.object_if()) return object->empty();
  if (const auto* array = value.array_if()) return array->empty();
  return value.is_null();
}

}  // namespace

std::string difference(const Value& patched, const Value& answer, const std::string& path) {
  if (const auto* object = patched.object_if()) {
    for (const auto& [key, value] : *object) {
      const Value* other = answer.find(key);
      if (!other && !is_empty(value)) return path + "." + key + " is " + object::to_json(value);
      if (!other || kServersOwn.contains(key)) continue;
      if (std::string inner = difference(value, *other, path + "." + key); !inner.empty()) return inner;
    }
    if (!answer.is_object()) return path;
    for (const auto& [key, value] : *answer.object_if()) {
      const Value* mine = patched.find(key);
      if ((!mine || is_empty(*mine)) && !is_empty(value) && !kFilledIn.contains(key))
        return path + "." + key + " is missing";
    }
    return "";
  }
  const auto* array = patched.array_if();
  if (!array) return patched == answer || is_empty(patched) ? "" : path + ": " + object::to_json(patched);
  const auto* other = answer.array_if();
  if (!other || other->size() != array->size()) return path + ": " + object::to_json(patched);
  for (size_t i = 0; i < array->size(); ++i) {
    std::string inner = difference((*array)[i], (*other)[i], path + "[" + std::to_string(i) + "]");
    if (!inner.empty()) return inner;
  }
  return "";
}

}  // namespace recorded
