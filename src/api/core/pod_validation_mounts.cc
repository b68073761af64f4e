// Where a container finds the Pod's volumes: mounts and block devices.
#include <algorithm>

#include "api/core/pod_validation.h"

namespace api {

using core::v1::Container;
using core::v1::VolumeMount;
using object::FieldErrors;
using object::FieldPath;

namespace {

// Compat: reported at the list, without the mount's index.
void validate_propagation(const Container& container, const VolumeMount& mount, const FieldPath& list,
                          FieldErrors& errors) {
  if (!mount.mount_propagation) return;
  const std::string& mode = *mount.mount_propagation;
  if (mode != "Bidirectional" && mode != "HostToContainer" && mode != "None") {
    errors.not_supported(list.child("mountPropagation"), mode, {"Bidirectional", "HostToContainer", "None"});
  }
  const bool privileged = container.security_context && container.security_context->privileged.value_or(false);
  if (mode == "Bidirectional" && !privileged) {
    errors.forbidden(list.child("mountPropagation"),
                     "Bidirectional mount propagation is available only to privileged containers");
  }
}

void validate_recursive_read_only(const VolumeMount& mount, const FieldPath& list, FieldErrors& errors) {
  if (!mount.recursive_read_only) return;
  const FieldPath path = list.child("recursiveReadOnly");
  const std::string& mode = *mount.recursive_read_only;
  if (mode == "Disabled") return;
  if (mode != "Enabled" && mode != "IfPossible") {
    return errors.not_supported(path, mode, {"Disabled", "Enabled", "IfPossible"});
  }
  if (!mount.read_only) errors.forbidden(path, "may only be specified when readOnly is true");
  if (mount.mount_propagation && *mount.mount_propagation != "None") {
    errors.forbidden(path, "may only be specified when mountPropagation is None or not specified");
  }
}

void validate_sub_path(const VolumeMount& mount, const FieldPath& list, const FieldPath& path, FieldErrors& errors) {
  if (!mount.sub_path.empty()) validate_local_descending_path(mount.sub_path, list.child("subPath"), errors);
  if (mount.sub_path_expr.empty()) return;
  if (!mount.sub_path.empty()) {
    errors.invalid(path.child("subPathExpr"), mount.sub_path_expr, "subPathExpr and subPath are mutually exclusive");
  }
  validate_local_descending_path(mount.sub_path_expr, list.child("subPathExpr"), errors);
}

template <typename List, typename Member>
bool any_has(const List& list, Member member, const std::string& value) {
  return std::ranges::any_of(list, [&](const auto& each) { return each.*member == value; });
}

bool has_backsteps(const std::string& value) {
  FieldErrors found;
  validate_path_no_backsteps(value, FieldPath(), found);
  return !found.empty();
}

}  // namespace

void validate_mounts(const PodCheck& check, const Container& container, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  std::set<std::string_view> taken;
  for (size_t i = 0; i < container.volume_mounts.size(); ++i) {
    const VolumeMount& mount = container.volume_mounts[i];
    const FieldPath at = path.index(i);
    if (mount.name.empty()) errors.required(at.child("name"));
    const auto volume = check.volumes.find(mount.name);
    if (volume == check.volumes.end()) errors.not_found(at.child("name"), mount.name);
    if (mount.mount_path.empty()) errors.required(at.child("mountPath"));
    if (!taken.insert(mount.mount_path).second)
      errors.invalid(at.child("mountPath"), mount.mount_path, "must be unique");
    if (any_has(container.volume_devices, &core::v1::VolumeDevice::name, mount.name)) {
      errors.invalid(at.child("name"), mount.name, "must not already exist in volumeDevices");
    }
    if (any_has(container.volume_devices, &core::v1::VolumeDevice::device_path, mount.mount_path)) {
      errors.invalid(at.child("mountPath"), mount.mount_path, "must not already exist as a path in volumeDevices");
    }
    validate_sub_path(mount, path, at, errors);
    validate_propagation(container, mount, path, errors);
    validate_recursive_read_only(mount, path, errors);
  }
}

void validate_devices(const PodCheck& check, const Container& container, const FieldPath& path) {
  FieldErrors& errors = check.errors;
  std::set<std::string_view> paths, names;
  for (size_t i = 0; i < container.volume_devices.size(); ++i) {
    const auto& device = container.volume_devices[i];
    const FieldPath at = path.index(i);
    if (device.name.empty()) errors.required(at.child("name"));
    if (names.contains(device.name)) errors.invalid(at.child("name"), device.name, "must be unique");
    const auto volume = check.volumes.find(device.name);
    if (volume == check.volumes.end()) {
      errors.not_found(at.child("name"), device.name);
    } else if (!volume->second->persistent_volume_claim && !volume->second->ephemeral) {
      errors.invalid(at.child("name"), device.name,
                     "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
    }
    if (device.device_path.empty()) errors.required(at.child("devicePath"));
    if (paths.contains(device.device_path))
      errors.invalid(at.child("devicePath"), device.device_path, "must be unique");
    if (!device.device_path.empty() && has_backsteps(device.device_path)) {
      errors.invalid(at.child("devicePath"), device.device_path, "can not contain backsteps ('..')");
    } else {
      paths.insert(device.device_path);
    }
    if (any_has(container.volume_mounts, &VolumeMount::name, device.name)) {
      errors.invalid(at.child("name"), device.name, "must not already exist in volumeMounts");
    }
    if (any_has(container.volume_mounts, &VolumeMount::mount_path, device.device_path)) {
      errors.invalid(at.child("devicePath"), device.device_path, "must not already exist as a path in volumeMounts");
    }
    if (!device.name.empty()) names.insert(device.name);
  }
}

}  // namespace api
