#include "object/gvk.h"

namespace object {
namespace {

std::string dotted(const std::string& name, const std::string& group) {
  return group.empty() ? name : name + '.' + group;
}

struct Cut {
  std::string head, tail;
};
Cut cut_at_dot(std::string_view text) {
  const size_t dot = text.find('.');
  if (dot == std::string_view::npos) return {std::string(text), ""};
  return {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

}  // namespace

base::Result<GroupVersion> GroupVersion::parse(std::string_view text) {
  // Compat: both are the empty group version.
  if (text.empty() || text == "/") return GroupVersion();
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return GroupVersion{"", std::string(text)};
  if (text.find('/', slash + 1) != std::string_view::npos) {
    return base::fail(base::Reason::kBadRequest, "unexpected GroupVersion string: " + std::string(text));
  }
  return GroupVersion{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

std::string GroupVersion::to_string() const { return group.empty() ? version : group + '/' + version; }

std::string GroupKind::to_string() const { return dotted(kind, group); }
GroupKind GroupKind::parse(std::string_view text) {
  Cut cut = cut_at_dot(text);
  return {std::move(cut.tail), std::move(cut.head)};
}

std::string GroupResource::to_string() const { return dotted(resource, group); }
GroupResource GroupResource::parse(std::string_view text) {
  Cut cut = cut_at_dot(text);
  return {std::move(cut.tail), std::move(cut.head)};
}

base::Result<GroupVersionKind> GroupVersionKind::parse(std::string_view api_version, std::string_view kind) {
  TRY_ASSIGN(GroupVersion group_version, GroupVersion::parse(api_version));
  return GroupVersionKind{std::move(group_version.group), std::move(group_version.version), std::string(kind)};
}

std::string GroupVersionKind::to_string() const { return group + '/' + version + ", Kind=" + kind; }
std::string GroupVersionResource::to_string() const { return group + '/' + version + ", Resource=" + resource; }

}  // namespace object
