#include "apiserver/respond.h"

#include <zlib.h>

#include <algorithm>

#include "api/rules.h"
#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/document.h"
#include "apiserver/limits.h"
#include "apiserver/partial.h"
#include "apiserver/table.h"
#include "apiserver/verbs/verbs.h"
#include "gen/catalogue.h"
#include "gen/meta/v1.h"
#include "object/json.h"
#include "object/json_to_cbor.h"
#include "object/status.h"
#include "object/yaml.h"
#include "schema/envelope.h"
#include "schema/proto_struct.h"
#include "schema/proto_value.h"

namespace apiserver {
namespace {

// Fixed ids of the flow-control objects until flow control is there to name its own.
constexpr std::string_view kFlowSchemaUid = "4fd8a1c6-3a0f-4d5d-8a34-1c1a6f5f7d01";
constexpr std::string_view kPriorityLevelUid = "9b1c2d84-6c0e-4c8e-9f0d-2b7a4f1e8d02";

std::string gzip(const std::string& body) {
  z_stream stream{};
  constexpr int kGzipFormat = 15 + 16;
  if (deflateInit2(&stream, 1, Z_DEFLATED, kGzipFormat, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string out(deflateBound(&stream, body.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// JSON text as negotiated: compact with a newline, indented, YAML, or CBOR.
std::string finish_json(const Accepted& accepted, std::string json) {
  if (accepted.type == MediaType::kCbor) return object::cbor_of_json(json);
  if (accepted.type == MediaType::kJson && accepted.pretty == Pretty::kCompact) {
    json += '\n';
    return json;
  }
  auto value = object::parse_json(json);
  if (!value) return json;
  return accepted.type == MediaType::kYaml ? object::to_yaml(*value) : object::to_pretty_json(*value);
}

std::string encode_status_value(const Accepted& accepted, const object::Value& status) {
  if (accepted.type != MediaType::kProtobuf) return finish_json(accepted, object::to_json(status));
  std::string raw, out;
  const schema::Message& message = gen::message_of<::api::meta::v1::Status>();
  if (auto encoded = schema::encode_value(message, status, raw); !encoded) raw.clear();
  schema::wrap({"v1", "Status"}, raw, out);
  return out;
}

base::Result<std::string> encode_partial(RequestContext& context, const Answer& answer) {
  if (context.accepted.type == MediaType::kProtobuf) {
    // Metadata is field 1 everywhere; the other fields would be skipped by the client, so they are not sent.
    TRY_ASSIGN(const std::string partial, partial_message(answer.endpoint, answer.raw));
    const std::string version = "meta.k8s.io/" + context.accepted.form_version;
    std::string out;
    TRY(schema::append_answer({version, "PartialObjectMetadata"}, partial, static_cast<uint64_t>(answer.revision),
                              out));
    return out;
  }
  const MediaType type = context.accepted.type;
  std::string out;
  TRY(append_partial(answer.endpoint, answer.raw, {type, Place::kWhole, context.accepted.form_version}, answer.revision,
                     out));
  return type == MediaType::kCbor ? std::move(out) : finish_json(context.accepted, std::move(out));
}

std::string internal_pointer(const RequestContext& context, std::string_view kind) {
  return "*" + (kind == "Status" ? std::string("v1.Status") : internal_type(context.info.group, kind));
}

}  // namespace

// Compat: only the bare word counts, without a quality.
bool accepts_gzip(const RequestContext& context) {
  if (!context.core->features().enabled("APIResponseCompression")) return false;
  std::string_view header = context.header("accept-encoding");
  while (!header.empty()) {
    std::string_view token = header.substr(0, header.find(','));
    header.remove_prefix(std::min(header.size(), token.size() + 1));
    while (token.starts_with(' ')) token.remove_prefix(1);
    while (token.ends_with(' ')) token.remove_suffix(1);
    if (token == "gzip") return true;
  }
  return false;
}

int http_code(const base::Error& error) {
  using base::Reason;
  switch (error.reason) {
    case Reason::kUnauthorized:
      return 401;
    case Reason::kForbidden:
      return 403;
    case Reason::kNotFound:
      return 404;
    case Reason::kAlreadyExists:
    case Reason::kConflict:
      return 409;
    case Reason::kGone:
    case Reason::kExpired:
      return 410;
    case Reason::kInvalid:
      return 422;
    case Reason::kServerTimeout:
    case Reason::kStoreReadError:
    case Reason::kInternalError:
    case Reason::kUnknown:
      return 500;
    case Reason::kTimeout:
    case Reason::kOutcomeUnknown:
      return 504;
    case Reason::kTooManyRequests:
      return 429;
    case Reason::kBadRequest:
      return 400;
    case Reason::kMethodNotAllowed:
      return 405;
    case Reason::kNotAcceptable:
      return 406;
    case Reason::kRequestEntityTooLarge:
      return 413;
    case Reason::kUnsupportedMediaType:
      return 415;
    case Reason::kServiceUnavailable:
      return 503;
  }
  return 500;
}

net::Headers answer_headers(const RequestContext& context, std::string_view content_type) {
  net::Headers headers;
  headers.reserve(6 + context.warnings.size());
  headers.push_back({"audit-id", context.audit_id});
  headers.push_back({"cache-control", "no-cache, private"});
  headers.push_back({"content-type", std::string(content_type)});
  if (context.under_flow_control) {
    headers.push_back({"x-kubernetes-pf-flowschema-uid", std::string(kFlowSchemaUid)});
    headers.push_back({"x-kubernetes-pf-prioritylevel-uid", std::string(kPriorityLevelUid)});
  }
  for (const std::string& warning : context.warnings) {
    std::string text;
    for (char c : warning) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    headers.push_back({"warning", "299 - \"" + text + "\""});
  }
  return headers;
}

void send_body(RequestContext& context, int code, std::string_view content_type, std::string body) {
  net::Headers headers = answer_headers(context, content_type);
  if (body.size() > kGzipFromBytes && accepts_gzip(context)) {
    headers.push_back({"content-encoding", "gzip"});
    headers.push_back({"vary", "Accept-Encoding"});
    body = gzip(body);
  }
  context.writer->send(code, std::move(headers), std::move(body));
}

std::string encode_status(const Accepted& accepted, const base::Error& error) {
  return encode_status_value(accepted, object::status_value(error, http_code(error)));
}

void respond_error(RequestContext& context, const base::Error& error) {
  const Accepted accepted = negotiate_error(context.header("accept"), context.cbor);
  net::Headers headers = answer_headers(context, content_type(accepted));
  if (error.details && error.details->retry_after_seconds > 0) {
    headers.push_back({"retry-after", std::to_string(error.details->retry_after_seconds)});
  }
  if (context.refused_by_authorizer) headers.push_back({"x-content-type-options", "nosniff"});
  context.writer->send(http_code(error), std::move(headers), encode_status(accepted, error));
}

void respond_text(RequestContext& context, int code, std::string_view content_type, std::string body) {
  context.writer->send(code, answer_headers(context, content_type), std::move(body));
}

base::Result<std::string> encode_answer(RequestContext& context, const Answer& answer) {
  const Accepted& accepted = context.accepted;
  if (accepted.form == Form::kPartialMetadataList) {
    return base::fail(base::Reason::kNotAcceptable,
                      "you requested PartialObjectMetadataList, but the requested object is not a list (" +
                          internal_pointer(context, answer.message ? answer.kind : "Status") + ")");
  }
  if (!answer.message) {
    return encode_status_value(accepted, answer.success ? object::success_status_value(*answer.success)
                                                        : object::success_status_value(answer.code));
  }
  if (accepted.form == Form::kPartialMetadata) return encode_partial(context, answer);
  if (accepted.form == Form::kTable && answer.endpoint) {
    TRY_ASSIGN(std::string json, encode_table_of_one(context, answer));
    return finish_json(accepted, std::move(json));
  }
  if (accepted.form == Form::kTable && answer.kind == "Scale") {
    TRY_ASSIGN(std::string json, encode_scale_table(context, answer));
    return finish_json(accepted, std::move(json));
  }
  const std::string rv = answer.revision > 0 ? std::to_string(answer.revision) : std::string();
  std::string out;
  if (accepted.type == MediaType::kProtobuf) {
    if (answer.revision > 0) {
      TRY(schema::append_answer({answer.api_version, answer.kind}, answer.raw, static_cast<uint64_t>(answer.revision),
                                out));
    } else {
      schema::wrap({answer.api_version, answer.kind}, answer.raw, out);
    }
    return out;
  }
  out.reserve(answer.raw.size() * 2);
  TRY(append_document(accepted.type, Place::kWhole, *answer.message, answer.raw,
                      {{answer.api_version, answer.kind}, rv, schema::NestedTypes::kWritten}, out));
  return accepted.type == MediaType::kCbor ? std::move(out) : finish_json(accepted, std::move(out));
}

void respond(RequestContext& context, base::Result<Answer> answer) {
  if (!answer) return respond_error(context, answer.error());
  auto body = encode_answer(context, *answer);
  if (!body) return respond_error(context, body.error());
  if (!answer->ticket) return send_body(context, answer->code, content_type(context.accepted), std::move(*body));
  net::Headers headers = answer_headers(context, content_type(context.accepted));
  const Accepted error_form = negotiate_error(context.header("accept"), context.cbor);
  context.core->store().when_durable(
      *answer->ticket, [writer = context.writer, headers = std::move(headers), body = std::move(*body), error_form,
                        code = answer->code, held = std::move(answer->held)](base::Result<void> durable) mutable {
        held.reset();  // before the client goes on
        if (durable) return writer->send(code, std::move(headers), std::move(body));
        net::set_header(headers, "content-type", content_type(error_form));
        writer->send(http_code(durable.error()), std::move(headers), encode_status(error_form, durable.error()));
      });
}

}  // namespace apiserver
