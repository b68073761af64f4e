#include "controllers/runtime/service_map.h"

#include <algorithm>

#include "schema/metadata_view.h"

namespace controllers {
namespace {

// Wire numbers of a Service's spec.selector.
constexpr uint32_t kSpec = 2, kSelector = 2;

bool selects(std::string_view service, const schema::StringPairs& labels) {
  const std::string_view spec = schema::find_bytes(service, {kSpec}).value_or("");
  const schema::StringPairs selector(spec, kSelector);
  if (selector.empty()) return false;
  for (const auto [key, value] : selector) {
    if (schema::find(labels, key) != value) return false;
  }
  return true;
}

}  // namespace

MapFunction enqueue_services_of_pod(client::Informer& services) {
  return [&services](const client::Change& change, const EnqueueKey& enqueue) {
    const auto before = change.before ? schema::view_metadata(change.before.payload()) : schema::MetadataView();
    const auto after = change.after ? schema::view_metadata(change.after.payload()) : schema::MetadataView();
    for (const client::RawObject& service : services.list(change.key.ns)) {
      const bool concerned = (before && selects(service.payload(), before->labels)) ||
                             (after && selects(service.payload(), after->labels));
      const auto view = schema::view_metadata(service.payload());
      if (concerned && view) enqueue(client::to_string({change.key.ns, std::string(view->name)}));
    }
  };
}

std::vector<api::core::v1::Pod> select_pods(const client::Informer& pods, const api::core::v1::Service& service) {
  std::vector<api::core::v1::Pod> selected;
  for (const client::RawObject& raw : pods.list(service.metadata.namespace_)) {
    const auto view = schema::view_metadata(raw.payload());
    if (!view) continue;
    const bool matches = std::ranges::all_of(service.spec.selector, [&](const auto& wanted) {
      return schema::find(view->labels, wanted.first) == wanted.second;
    });
    if (!matches) continue;
    if (auto pod = client::decode_object<api::core::v1::Pod>(raw)) selected.push_back(std::move(*pod));
  }
  return selected;
}

}  // namespace controllers
