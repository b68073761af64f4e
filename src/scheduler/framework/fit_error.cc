#include "scheduler/framework/fit_error.h"

#include <algorithm>
#include <map>
#include <set>

namespace scheduler {
namespace {

// Nodes that a pre filter left out have no rejection of their own.
void count_left_out(const Diagnosis& diagnosis, const Profile& profile, std::map<std::string, size_t>& reasons) {
  std::set<uint32_t> rejected;
  for (const Rejection& rejection : diagnosis.rejections) rejected.insert(rejection.node);
  if (rejected.size() >= diagnosis.nodes) return;
  std::string names;
  for (size_t i = 0; i < profile.plugins.size(); ++i) {
    if (!(diagnosis.restricting & uint64_t{1} << i)) continue;
    if (!names.empty()) names += ' ';
    names += profile.plugins[i]->name();
  }
  reasons["node(s) didn't satisfy plugin(s) [" + names + "]"] += diagnosis.nodes - rejected.size();
}

}  // namespace

std::string fit_error_message(const Diagnosis& diagnosis, const Profile& profile, std::string_view post_filter) {
  std::string text = "0/" + std::to_string(diagnosis.nodes) + " nodes are available:";
  if (!diagnosis.pre_filter_message.empty()) {
    text.append(" ").append(diagnosis.pre_filter_message).append(".");
  } else {
    std::map<std::string, size_t> reasons;
    for (const Rejection& rejection : diagnosis.rejections) ++reasons[std::string(rejection.reason)];
    count_left_out(diagnosis, profile, reasons);
    std::vector<std::string> lines;
    for (const auto& [reason, count] : reasons) lines.push_back(std::to_string(count) + " " + reason);
    std::ranges::sort(lines);
    for (size_t i = 0; i < lines.size(); ++i) text.append(i == 0 ? " " : ", ").append(lines[i]);
    if (!lines.empty()) text += '.';
  }
  if (!post_filter.empty()) text.append(" ").append(post_filter);
  return text;
}

}  // namespace scheduler
