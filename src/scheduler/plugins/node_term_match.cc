#include "scheduler/plugins/node_term_match.h"

#include <algorithm>
#include <charconv>

namespace scheduler {
namespace {

using Op = NodeRequirement::Op;

std::optional<int64_t> to_int(const std::string& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool field_holds(const NodeRequirement& requirement, const std::string& name) {
  if (requirement.key != "metadata.name") return false;
  bool among = std::ranges::find(requirement.values, name) != requirement.values.end();
  return requirement.op == Op::kIn ? among : requirement.op == Op::kNotIn && !among;
}

}  // namespace

NodeTermMatch::NodeTermMatch(const NodeTerm& term, const Cache& cache) : term_(term), cache_(cache) {
  for (const NodeRequirement& requirement : term.labels) {
    Bound bound{&requirement, cache.label(requirement.key), {}};
    for (const std::string& value : requirement.values) {
      uint32_t id = bound.column ? bound.column->find(value) : 0;
      if (id != 0) bound.values.push_back(id);
    }
    labels_.push_back(std::move(bound));
  }
}

bool NodeTermMatch::holds(const Bound& bound, uint32_t node) {
  uint32_t value = bound.column ? bound.column->at(node) : 0;
  switch (bound.requirement->op) {
    case Op::kIn:
      return value != 0 && std::ranges::find(bound.values, value) != bound.values.end();
    case Op::kNotIn:
      return value == 0 || std::ranges::find(bound.values, value) == bound.values.end();
    case Op::kExists:
      return value != 0;
    case Op::kDoesNotExist:
      return value == 0;
    case Op::kGt:
    case Op::kLt: {
      if (value == 0 || bound.requirement->values.size() != 1) return false;
      auto have = to_int(bound.column->text(value));
      auto limit = to_int(bound.requirement->values.front());
      if (!have || !limit) return false;
      return bound.requirement->op == Op::kGt ? *have > *limit : *have < *limit;
    }
    case Op::kInvalid:
      return false;
  }
  return false;
}

bool NodeTermMatch::matches(uint32_t node) const {
  if (term_.labels.empty() && term_.fields.empty()) return false;
  for (const Bound& bound : labels_) {
    if (!holds(bound, node)) return false;
  }
  return std::ranges::all_of(term_.fields, [&](const NodeRequirement& requirement) {
    return field_holds(requirement, cache_.nodes().name[node]);
  });
}

void RequiredNodes::bind(const PodInfo& pod) {
  selector_.clear();
  terms_.clear();
  for (const auto& [key, value] : pod.node_selector) {
    const LabelColumn* column = cache_.label(key);
    selector_.emplace_back(column, column ? column->find(value) : 0);
  }
  has_terms_ = pod.required_node_terms.has_value();
  if (!has_terms_) return;
  for (const NodeTerm& term : *pod.required_node_terms) terms_.emplace_back(term, cache_);
}

bool RequiredNodes::matches(uint32_t node) const {
  for (const auto& [column, value] : selector_) {
    if (value == 0 || column->at(node) != value) return false;
  }
  return !has_terms_ || std::ranges::any_of(terms_, [&](const NodeTermMatch& term) { return term.matches(node); });
}

}  // namespace scheduler
