// A CRD's schema as JSON, in the three forms that the rules need. Pure; thread: any.
#pragma once

#include <string>

#include "gen/apiextensions/v1.h"
#include "object/field_error.h"
#include "object/value.h"
#include "schema/structural/members.h"

namespace api {

// As clients write it.
object::Value schema_json(const apiextensions::v1::JSONSchemaProps& schema);
// As upstream's messages show it: all members of its internal struct, with the struct's names.
object::BadValue shown_schema(const object::Value& schema);
object::BadValue shown_items(const object::Value& items);
object::BadValue shown_rule(const object::Value& validation_rule);

// Members of a schema's JSON.
using schema::list_at;
using schema::object_at;
using schema::text_at;
using schema::true_at;

}  // namespace api
