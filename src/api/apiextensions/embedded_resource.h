// Rules of resources inside custom resources, and of scale subresources. Pure; thread: any.
#pragma once

#include "gen/apiextensions/v1.h"
#include "object/field_error.h"
#include "object/value.h"
#include "schema/structural/structural_schema.h"

namespace api {

// apiVersion, kind and metadata of embedded resources (with kResource also of the value itself), as
// schema::coerce_embedded left them. A custom resource's own metadata is checked as that of any object: call this with
// kPart for it.
void validate_embedded(schema::SchemaNode node, const object::Value& value, schema::Place place,
                       const object::FieldPath& path, object::FieldErrors& errors);

// The replica counts and the selector at the paths of a scale subresource; `spec` on writes of the main resource.
void validate_scale_spec(const apiextensions::v1::CustomResourceSubresourceScale& scale, const object::Value& object,
                         object::FieldErrors& errors);
void validate_scale_status(const apiextensions::v1::CustomResourceSubresourceScale& scale, const object::Value& object,
                           object::FieldErrors& errors);

}  // namespace api
