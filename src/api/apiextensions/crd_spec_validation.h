// The rules of a CustomResourceDefinition's spec. Compat: upstream validates an internal form in which schemas,
// columns, subresources and selectable fields that all versions have in common stand at the top of the spec, so errors
// name spec.validation where there is one version. Internal to this kind; pure; thread: any.
#pragma once

#include "api/apiextensions/schema_validation.h"
#include "gen/apiextensions/v1.h"
#include "object/field_error.h"

namespace api {

struct CrdRequirements {
  SchemaRequirements schema;
  bool schema_in_every_version = true;
  bool known_review_version = true;  // conversion webhooks take a version that the server speaks
  bool valid_ca_bundle = false;      // of a conversion webhook
  // The definition that is updated; null on create.
  const apiextensions::v1::CustomResourceDefinition* old = nullptr;
};

void validate_crd_spec(const apiextensions::v1::CustomResourceDefinitionSpec& spec, CrdRequirements requirements,
                       object::FieldErrors& errors);
// plural, singular, kind, … of a spec or of the accepted names in a status.
void validate_crd_names(const apiextensions::v1::CustomResourceDefinitionNames& names, const object::FieldPath& path,
                        object::FieldErrors& errors);

}  // namespace api
