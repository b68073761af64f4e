// Answers: encodes objects and errors as negotiated and sends them. The one place that knows the HTTP code of a reason.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "apiserver/context.h"
#include "base/result.h"

namespace apiserver {

int http_code(const base::Error& error);

// Common headers of every answer: Audit-Id, Cache-Control, flow-control ids, warnings.
net::Headers answer_headers(const RequestContext& context, std::string_view content_type);

void respond_error(RequestContext& context, const base::Error& error);
void respond_text(RequestContext& context, int code, std::string_view content_type, std::string body);
// Encodes now; sends at once or, if the answer has a ticket, when that is durable.
void respond(RequestContext& context, base::Result<Answer> answer);
// The bytes of an answer in the negotiated form.
base::Result<std::string> encode_answer(RequestContext& context, const Answer& answer);
// Does an Accept-Encoding take gzip?
bool accepts_gzip(const RequestContext& context);
// Sends a whole body, compressed when the client takes gzip and it is large (limits.h).
void send_body(RequestContext& context, int code, std::string_view content_type, std::string body);

// The Status of an error in the negotiated form; also the payload of a watch's ERROR event.
std::string encode_status(const Accepted& accepted, const base::Error& error);

}  // namespace apiserver
