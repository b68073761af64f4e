#include "scheduler/framework/framework.h"

#include <algorithm>

#include "base/check.h"

namespace scheduler {

void normalize(std::span<int64_t> scores, Normalize how) {
  int64_t greatest = 0;
  for (int64_t score : scores) greatest = std::max(greatest, score);
  if (greatest == 0) {
    if (how == Normalize::kReversed) std::ranges::fill(scores, kMaxScore);
    return;
  }
  for (int64_t& score : scores) {
    score = kMaxScore * score / greatest;
    if (how == Normalize::kReversed) score = kMaxScore - score;
  }
}

void Profile::add(std::unique_ptr<Plugin> plugin, int64_t weight) {
  auto index = static_cast<uint8_t>(plugins.size());
  CHECK(index < 64);
  auto enlist = [&]<typename Point>(std::vector<Entry<Point>>& entries) {
    if (auto* point = dynamic_cast<Point*>(plugin.get())) entries.push_back({point, index, weight});
  };
  enlist(pre_filters);
  enlist(filters);
  enlist(post_filters);
  enlist(pre_scores);
  enlist(scores);
  enlist(pre_binds);
  plugins.push_back(std::move(plugin));
}

uint8_t Profile::index_of(std::string_view name) const {
  auto found = std::ranges::find_if(plugins, [&](const auto& plugin) { return plugin->name() == name; });
  CHECK(found != plugins.end());
  return static_cast<uint8_t>(found - plugins.begin());
}

}  // namespace scheduler
