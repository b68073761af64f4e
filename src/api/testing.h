// For the tests of this folder: an object put through the steps of a request, and its errors as one text.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/meta_validation.h"
#include "api/rules.h"
#include "object/time.h"

namespace api::testing {

inline base::WallTime at(std::string_view text) { return object::to_wall_time(*object::parse_time(text)); }

struct Request {
  std::vector<std::string> warnings;
  RuleContext context;
  Request() {
    context.now = at("2026-01-02T03:04:05Z");
    context.warnings = &warnings;
  }
};

// Defaults, preparation and validation of a new object, without metadata.
template <typename T>
std::string create(const KindRules& rules, T& object, Request& request) {
  object::FieldErrors errors;
  rules.set_defaults_any(&object);
  rules.prepare_for_create_any(request.context, &object);
  rules.validate_any(request.context, &object, errors);
  return errors.to_string();
}
template <typename T>
std::string create(const KindRules& rules, T& object) {
  Request request;
  return create(rules, object, request);
}

template <typename T>
std::string update(const KindRules& rules, T& object, const T& old) {
  Request request;
  object::FieldErrors errors;
  rules.set_defaults_any(&object);
  prepare_meta_for_update(object.metadata, old.metadata);
  rules.prepare_for_update_any(request.context, &object, &old);
  rules.validate_update_any(request.context, &object, &old, errors);
  return errors.to_string();
}

template <typename T>
std::string update(const KindRules& rules, std::string_view subresource, T& object, const T& old) {
  Request request;
  object::FieldErrors errors;
  rules.set_defaults_any(&object);
  prepare_meta_for_update(object.metadata, old.metadata);
  rules.prepare_for_subresource_any(subresource, request.context, &object, &old);
  rules.validate_subresource_any(subresource, request.context, &object, &old, errors);
  return errors.to_string();
}

// Cells as text, joined by "|".
template <typename T>
std::string cells(const KindRules& rules, const T& object, base::WallTime now) {
  TableRow row;
  rules.cells_any(&object, now, row);
  std::string out;
  for (const auto& cell : row.cells) {
    if (!out.empty()) out += '|';
    out += cell.string_if() ? *cell.string_if() : cell.int_if() ? std::to_string(*cell.int_if()) : "?";
  }
  return out;
}

}  // namespace api::testing
