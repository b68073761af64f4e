// Values as Go's fmt prints them, for the messages that upstream's clients see: `map[image:o2 name:a]`. Pure; thread:
// any.
#pragma once

#include <string>
#include <string_view>

#include "object/value.h"

namespace schema {

// fmt's %v: maps sorted by key, strings bare, null as <nil>.
void append_go_text(std::string& out, const object::Value& value);
std::string go_text(const object::Value& value);
// fmt's %#v: `map[string]interface {}{"a":1}`, strings quoted.
std::string go_syntax(const object::Value& value);
// reflect.Type's name: "string", "int64", "map[string]interface {}"; "" for null.
std::string_view go_type(const object::Value& value);
// strconv's %g of the shortest text that reads back the same: 0.5, 1e+06.
void append_go_float(std::string& out, double value);

}  // namespace schema
