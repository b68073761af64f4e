// A new node takes no Pods until the node lifecycle controller has seen it ready.
#include <algorithm>

#include "admission/plugins/common.h"
#include "admission/plugins/plugins.h"

namespace admission {
namespace {

class TaintNodesByCondition final : public Plugin {
 public:
  std::string_view name() const override { return "TaintNodesByCondition"; }

  base::Result<void> admit(Attributes& attributes, const Lookup&) override {
    if (attributes.operation != Operation::kCreate || !attributes.is("", "nodes")) return {};
    auto* node = object_as<api::core::v1::Node>(attributes);
    if (!node) return {};
    constexpr std::string_view kKey = "node.kubernetes.io/not-ready";
    auto& taints = node->spec.taints;
    if (std::ranges::any_of(taints, [&](const auto& t) { return t.key == kKey && t.effect == "NoSchedule"; }))
      return {};
    auto& taint = taints.emplace_back();
    taint.key = kKey;
    taint.effect = "NoSchedule";
    return {};
  }
};

}  // namespace

std::unique_ptr<Plugin> make_taint_nodes_by_condition() { return std::make_unique<TaintNodesByCondition>(); }

}  // namespace admission
