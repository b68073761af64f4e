#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "api/storage/parameters.h"
#include "gen/storage/v1.h"

namespace api {
namespace {

using storage::v1::VolumeAttachment;

class VolumeAttachmentRules final : public PlainStatusRules<VolumeAttachment> {
 public:
  VolumeAttachmentRules() : PlainStatusRules("storage.k8s.io", "v1", "VolumeAttachment") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void validate(RuleContext&, const VolumeAttachment& object, FieldErrors& errors) const override {
    const FieldPath spec("spec"), source = spec.child("source");
    validate_driver_name(object.spec.attacher, spec.child("attacher"), errors);
    const auto& given = object.spec.source;
    if (!given.inline_volume_spec && !given.persistent_volume_name) {
      errors.required(source, "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
    } else if (given.inline_volume_spec && given.persistent_volume_name) {
      errors.forbidden(source, "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
    } else if (given.persistent_volume_name && given.persistent_volume_name->empty()) {
      errors.required(source.child("persistentVolumeName"), "must specify non empty persistentVolumeName");
    }
    validate_dns1123_subdomain(object.spec.node_name, spec.child("nodeName"), errors);
  }
  void validate_update(RuleContext& context, const VolumeAttachment& object, const VolumeAttachment& old,
                       FieldErrors& errors) const override {
    validate(context, object, errors);
    validate_immutable(object.spec, old.spec, BadValue::verbatim("{}"), FieldPath("spec"), errors);
  }
  void cells(const VolumeAttachment& object, base::WallTime now, TableRow& row) const override {
    row.cells = {object.metadata.name,  object.spec.attacher,   object.spec.source.persistent_volume_name.value_or(""),
                 object.spec.node_name, object.status.attached, age_cell(object.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> volume_attachment_rules() { return std::make_unique<VolumeAttachmentRules>(); }

}  // namespace api
