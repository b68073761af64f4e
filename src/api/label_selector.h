// metav1.LabelSelector of the generated structs as a selector that matches. Pure; thread: any.
#pragma once

#include <map>
#include <string>

#include "base/box.h"
#include "base/result.h"
#include "gen/meta/v1.h"
#include "object/selector.h"

namespace api {

// Empty matches everything.
base::Result<object::LabelSelector> to_selector(const meta::v1::LabelSelector& selector);
// Null matches nothing.
base::Result<object::LabelSelector> to_selector(const base::Box<meta::v1::LabelSelector>& selector);
// A plain map of labels that all must be equal; empty matches everything.
object::LabelSelector to_selector(const std::map<std::string, std::string>& labels);
bool empty(const meta::v1::LabelSelector& selector);
bool selects(const object::LabelSelector& selector, const std::map<std::string, std::string>& labels);
// As printed columns show it: `a=b,c in (d,e)`, `<none>` when empty or null, `<error>` when malformed.
std::string format_label_selector(const base::Box<meta::v1::LabelSelector>& selector);
std::string format_labels(const std::map<std::string, std::string>& labels);

}  // namespace api
