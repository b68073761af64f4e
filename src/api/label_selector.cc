#include "api/label_selector.h"

#include <utility>
#include <vector>

namespace api {

base::Result<object::LabelSelector> to_selector(const meta::v1::LabelSelector& selector) {
  std::vector<std::pair<std::string_view, std::string_view>> labels;
  for (const auto& [key, value] : selector.match_labels) labels.emplace_back(key, value);
  std::vector<object::LabelExpression> expressions;
  for (const auto& expression : selector.match_expressions) {
    expressions.push_back({expression.key, expression.operator_, {expression.values.begin(), expression.values.end()}});
  }
  return object::make_label_selector(labels, expressions);
}

base::Result<object::LabelSelector> to_selector(const base::Box<meta::v1::LabelSelector>& selector) {
  if (!selector) return object::LabelSelector::nothing();
  return to_selector(*selector);
}

object::LabelSelector to_selector(const std::map<std::string, std::string>& labels) {
  return object::LabelSelector::from_labels({labels.begin(), labels.end()});
}

bool empty(const meta::v1::LabelSelector& selector) {
  return selector.match_labels.empty() && selector.match_expressions.empty();
}

bool selects(const object::LabelSelector& selector, const std::map<std::string, std::string>& labels) {
  return selector.matches(object::MapLabels(labels));
}

std::string format_label_selector(const base::Box<meta::v1::LabelSelector>& selector) {
  if (!selector) return "<none>";
  auto parsed = to_selector(*selector);
  if (!parsed) return "<error>";
  std::string text = parsed->to_string();
  return text.empty() ? "<none>" : text;
}

std::string format_labels(const std::map<std::string, std::string>& labels) {
  std::string out;
  for (const auto& [key, value] : labels) {
    if (!out.empty()) out += ',';
    out += key + '=' + value;
  }
  return out.empty() ? "<none>" : out;
}

}  // namespace api
