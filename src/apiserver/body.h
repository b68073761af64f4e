// Request bodies: from what clients send (JSON, YAML, protobuf; from components of this process bare protobuf) to a
// struct in the stored version, with upstream's errors and the three modes of field validation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/rules.h"
#include "apiserver/context.h"
#include "apiserver/options.h"
#include "base/result.h"
#include "object/value.h"

namespace apiserver {

// The body's message bytes in the version and kind that the endpoint serves (Endpoint::body), with unknown members
// dropped, refused or warned of as the options say.
base::Result<std::string> decode_body(RequestContext& context, const schema::Message& message,
                                      std::string_view api_version, std::string_view kind, FieldValidation validation);

// A tree (the outcome of a patch) to message bytes; issues (unknown fields) as the options say.
base::Result<std::string> encode_tree(RequestContext& context, const object::Value& tree,
                                      const schema::Message& message, std::string_view api_version,
                                      std::string_view kind, FieldValidation validation,
                                      std::vector<std::string> issues = {});

// Compat: upstream's name of the type that a group's objects have inside it: "core.ConfigMap".
std::string internal_type(std::string_view group, std::string_view kind);
// Protobuf cannot tell an empty list from none: an empty metadata.managedFields, the wish to forget them, becomes its
// other form, [{}].
void keep_reset(object::Value& tree);
// Keeps in the context where the tree has empty lists (RequestContext::empty_lists).
void note_empty_lists(RequestContext& context, const object::Value& tree);
// What is told of members that repeat or mean nothing: as warnings, or as one error. YAML's repeated keys are one
// issue.
std::string yaml_issue(const std::vector<std::string>& duplicate_keys);
void warn_of_issues(RequestContext& context, const std::vector<std::string>& issues);
std::string strict_error(const std::vector<std::string>& issues);
// Is a document, as a patch left it, still of the endpoint's kind and version? The error has upstream's bare words.
base::Result<void> check_patched_type(const Endpoint& endpoint, const object::Value& document);
// Message bytes of the served version to a struct of the stored one, defaults applied.
base::Result<api::AnyObject> to_stored(const Endpoint& endpoint, std::string_view served_raw);
// Stored message bytes to a struct, and a struct back to bytes.
base::Result<api::AnyObject> decode_stored(const Endpoint& endpoint, std::string_view stored_raw);
std::string encode_struct(const api::AnyObject& object);
// The bytes to store.
base::Result<std::string> stored_form(const Endpoint& endpoint, const api::AnyObject& object);
// A stored struct, or stored bytes, as bytes of the served version.
base::Result<std::string> to_served(const Endpoint& endpoint, std::string_view stored_raw);
// The same without a copy where the versions are one; else `converted` holds it.
base::Result<std::string_view> served_view(const Endpoint& endpoint, std::string_view stored_raw,
                                           std::string& converted);

// DELETE's body and query.
base::Result<DeleteOptions> parse_delete_options(RequestContext& context);

}  // namespace apiserver
