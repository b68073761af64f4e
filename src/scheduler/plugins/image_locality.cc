// Nodes that have the pod's images already. Compat: the bytes of the images on the node, each weighed by the share of
// nodes that have it, between 23 MiB and 1000 MiB a container.
#include <algorithm>

#include "scheduler/plugins/plugins.h"
#include "schema/metadata_view.h"

namespace scheduler {
namespace {

constexpr int64_t kMebibyte = 1024 * 1024;
constexpr int64_t kLeast = 23 * kMebibyte;
constexpr int64_t kMostPerContainer = 1000 * kMebibyte;

// Wire numbers of core/v1 Pod, PodSpec and Container.
constexpr uint32_t kSpec = 2, kContainers = 2, kInitContainers = 20, kImage = 2;

class ImageLocality final : public Plugin, public PreScorePlugin, public ScorePlugin {
 public:
  explicit ImageLocality(Cache* cache) : cache_(*cache) {}
  std::string_view name() const override { return "ImageLocality"; }

  Interest pre_score(const PodInfo& pod, std::span<const uint32_t>) override {
    if (cache_.images().empty()) return Interest::kSkip;
    images_.clear();
    containers_ = 0;
    const std::string_view spec = schema::find_bytes(pod.raw.payload(), {kSpec}).value_or("");
    const auto total = static_cast<double>(cache_.order().size());
    for (const uint32_t field : {kInitContainers, kContainers}) {
      for (const std::string_view container : schema::Strings(spec, field)) {
        ++containers_;
        const ImageColumn* image = find(schema::find_bytes(container, {kImage}).value_or(""));
        if (!image) continue;
        const double share = static_cast<double>(image->nodes) / total;
        images_.push_back({image, static_cast<int64_t>(static_cast<double>(image->bytes) * share)});
      }
    }
    return images_.empty() ? Interest::kSkip : Interest::kRun;
  }

  void score(const PodInfo&, std::span<const uint32_t> nodes, std::span<int64_t> scores) override {
    const int64_t most = kMostPerContainer * containers_;
    for (size_t i = 0; i < nodes.size(); ++i) {
      int64_t sum = 0;
      for (const Wanted& wanted : images_) sum += wanted.image->on(nodes[i]) ? wanted.weighed : 0;
      scores[i] = kMaxScore * (std::clamp(sum, kLeast, most) - kLeast) / (most - kLeast);
    }
  }

 private:
  struct Wanted {
    const ImageColumn* image;
    int64_t weighed;
  };

  // Compat: without a tag it is the latest.
  const ImageColumn* find(std::string_view name) const {
    const size_t colon = name.rfind(':'), slash = name.rfind('/');
    const bool tagged = colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
    const auto found = tagged ? cache_.images().find(name) : cache_.images().find(std::string(name) + ":latest");
    return found == cache_.images().end() ? nullptr : &found->second;
  }

  Cache& cache_;
  std::vector<Wanted> images_;
  int64_t containers_ = 0;
};

}  // namespace

PluginRef image_locality(Cache* cache) { return std::make_unique<ImageLocality>(cache); }

}  // namespace scheduler
