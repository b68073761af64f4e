#include "api/shared/warnings.h"

#include "api/shared/cells.h"
#include "object/names.h"

namespace api {

void warn_of_name(const meta::v1::ObjectMeta& metadata, RuleContext& context) {
  const auto messages = object::validate_dns1123_label(metadata.name);
  if (messages.empty()) return;
  context.warnings->push_back(
      "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is "
      "recommended: [" +
      join(messages, " ") + "]");
}

}  // namespace api
