#include "storage/continue_token.h"

#include "codec/base64.h"
#include "object/json.h"

namespace storage {
namespace {

std::unexpected<base::Error> bad(std::string detail) {
  return base::fail(base::Reason::kBadRequest,
                    "invalid continue token: continue key is not valid: " + std::move(detail));
}

// Compat: Go's path.Clean("/" + start) must give the same path: no "..", no empty parts but one trailing marker.
bool is_clean(std::string_view start) {
  size_t at = 0;
  while (at <= start.size()) {
    size_t slash = start.find('/', at);
    if (slash == std::string_view::npos) slash = start.size();
    std::string_view part = start.substr(at, slash - at);
    if (part == ".." || part == "." || (part.empty() && slash != start.size())) return false;
    at = slash + 1;
  }
  return true;
}

// Where Go's decoder of unpadded base64url stops.
size_t bad_offset(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const size_t at = text.find_first_not_of(kAlphabet);
  return at != std::string_view::npos ? at : text.size() - 1;
}

}  // namespace

std::string encode_continue(const ContinueToken& token) {
  object::Object body;
  body.append("v", "meta.k8s.io/v1");
  body.append("rv", token.revision);
  body.append("start", token.start);
  return codec::base64url(object::to_json(object::Value(std::move(body))));
}

base::Result<ContinueToken> decode_continue(std::string_view text) {
  auto decoded = codec::parse_base64url(text);
  if (!decoded) return bad("illegal base64 data at input byte " + std::to_string(bad_offset(text)));
  auto value = object::parse_json(*decoded);
  if (!value) return bad(value.error().message);
  const std::string_view version = value->string_at({"v"});
  if (version != "meta.k8s.io/v1") return bad("server does not recognize this encoded version " + std::string(version));
  const object::Value* rv = value->find("rv");
  const int64_t revision = rv && rv->int_if() ? *rv->int_if() : 0;
  if (revision == 0) return bad("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  std::string start(value->string_at({"start"}));
  if (start.empty()) return bad("encoded start key empty (version meta.k8s.io/v1)");
  if (!is_clean(start)) return bad(std::move(start));
  return ContinueToken{revision, std::move(start)};
}

}  // namespace storage
