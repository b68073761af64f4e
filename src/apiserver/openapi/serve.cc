#include "apiserver/openapi/serve.h"

#include <zlib.h>

#include <map>

#include "apiserver/crd/openapi.h"
#include "apiserver/gzip_stream.h"
#include "apiserver/limits.h"
#include "apiserver/openapi/documents.h"
#include "apiserver/openapi/gnostic_v3.h"
#include "apiserver/respond.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/mutex.h"
#include "codec/json_text.h"
#include "object/json.h"
#include "pki/digest.h"

namespace apiserver {
namespace {

using openapi::Section;

struct Document {
  base::SharedBytes gzip;
  size_t plain_size = 0;
  std::string etag;  // without quotes
};

std::string compress(std::string_view text) {
  GzipStream stream;
  std::string out = stream.add(text);
  out += stream.finish();
  return out;
}

std::string decompress(const Document& document) {
  std::string out(document.plain_size, '\0');
  z_stream stream{};
  constexpr int kGzipFormat = 15 + 16;
  CHECK(inflateInit2(&stream, kGzipFormat) == Z_OK);
  const std::string_view from = document.gzip.view();
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data()));
  stream.avail_in = static_cast<uInt>(from.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  return out;
}

std::string upper_hex(std::string_view bytes) {
  std::string out = pki::to_hex(bytes);
  for (char& c : out) {
    if (c >= 'a') c = static_cast<char>(c - 32);
  }
  return out;
}

Document make_document(const std::string& text) {
  return {base::SharedBytes(compress(text)), text.size(), upper_hex(pki::sha512(text))};
}

// All documents; each is made once. The pure functions of documents.h do the work.
class Documents {
 public:
  explicit Documents(const Endpoints& endpoints) : endpoints_(endpoints) {}

  Document version2_json() {
    return kept("v2", endpoints_.custom().generation(), [&] { return openapi::version2_json(endpoints_); });
  }
  Document version2_protobuf() {
    return kept("v2pb", endpoints_.custom().generation(), [&] { return openapi::version2_protobuf(endpoints_); });
  }
  // Null when there is no such section.
  std::optional<Document> section(std::string_view name) {
    if (auto custom = custom_section(name)) return custom;
    base::MutexLock lock(mutex_);
    build_sections();
    auto found = sections_.find(name);
    if (found == sections_.end()) return std::nullopt;
    return found->second;
  }
  // The same as protobuf. Compat: with the ETag of its JSON.
  std::optional<Document> section_protobuf(std::string_view name) {
    const std::optional<Document> json = section(name);
    if (!json) return std::nullopt;
    {
      base::MutexLock lock(mutex_);
      auto found = protobuf_.find(name);
      if (found != protobuf_.end() && found->second.etag == json->etag) return found->second;
    }
    const auto tree = object::parse_json(decompress(*json));
    CHECK(tree.has_value());
    Document document = make_document(openapi::version3_protobuf(*tree));
    document.etag = json->etag;
    base::MutexLock lock(mutex_);
    if (protobuf_.size() >= sections_.size() + kCustomSections) protobuf_.clear();
    return protobuf_.insert_or_assign(std::string(name), std::move(document)).first->second;
  }
  Document index() {
    return kept("index", endpoints_.custom().generation(), [&] {
      build_sections();
      std::string out = R"({"paths":{)";
      const auto add = [&](const std::string& name, const std::string& etag) {
        if (out.back() != '{') out += ',';
        codec::append_json_string(out, name);
        out += R"(:{"serverRelativeURL":)";
        codec::append_json_string(out, "/openapi/v3/" + name + "?hash=" + etag);
        out += '}';
      };
      for (const auto& [name, document] : sections_) add(name, document.etag);
      const CustomEndpoints& custom = endpoints_.custom();
      for (const std::string& group : custom.groups()) {
        for (const std::string& version : custom.versions(group))
          add("apis/" + group + "/" + version, openapi::CustomKinds(custom, group, version).digest());
      }
      return out + "}}";
    });
  }

 private:
  template <typename Make>
  Document kept(const std::string& key, uint64_t generation, Make make) {
    base::MutexLock lock(mutex_);
    auto found = whole_.find(key);
    if (found == whole_.end() || found->second.generation < generation)
      found = whole_.insert_or_assign(key, Kept{make_document(make()), generation}).first;
    return found->second.document;
  }
  // A group version of custom resources, kept until it changes.
  std::optional<Document> custom_section(std::string_view name) {
    if (!name.starts_with("apis/")) return std::nullopt;
    const std::string_view rest = name.substr(5);
    const size_t slash = rest.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const openapi::CustomKinds kinds(endpoints_.custom(), rest.substr(0, slash), rest.substr(slash + 1));
    if (kinds.empty()) return std::nullopt;
    const std::string digest = kinds.digest();
    {
      base::MutexLock lock(mutex_);
      auto found = custom_.find(name);
      if (found != custom_.end() && found->second.etag == digest) return found->second;
    }
    Document document = make_document(openapi::version3_json(kinds.section(), &kinds));
    document.etag = digest;
    base::MutexLock lock(mutex_);
    if (custom_.size() >= kCustomSections) custom_.clear();
    return custom_.insert_or_assign(std::string(name), std::move(document)).first->second;
  }
  void build_sections() {
    if (!sections_.empty()) return;
    for (const Section& section : openapi::sections(endpoints_))
      sections_.emplace(section.name, make_document(openapi::version3_json(section)));
  }

  struct Kept {
    Document document;
    uint64_t generation = 0;  // of the custom resources that it shows
  };

  const Endpoints& endpoints_;
  base::Mutex mutex_;
  std::map<std::string, Kept> whole_;                      // under mutex_
  std::map<std::string, Document, std::less<>> custom_;    // under mutex_
  std::map<std::string, Document, std::less<>> sections_;  // under mutex_
  std::map<std::string, Document, std::less<>> protobuf_;  // under mutex_
};

// What a worker needs of a request after its context is gone.
struct Question {
  std::shared_ptr<net::ResponseWriter> writer;
  net::Headers headers;
  std::string if_none_match;
  base::WallTime asked;
  enum class Gzip : uint8_t { kNo, kYes } gzip = Gzip::kNo;
};

Question question_of(const RequestContext& context) {
  Question question;
  question.writer = context.writer;
  question.headers = answer_headers(context, "application/json");
  question.headers.push_back({"vary", "Accept"});
  question.if_none_match = context.header("if-none-match");
  question.asked = context.core->clock().wall_now();
  if (context.header("accept-encoding").find("gzip") != std::string_view::npos) question.gzip = Question::Gzip::kYes;
  return question;
}

void answer(Question& question, const Document& document) {
  const std::string etag = "\"" + document.etag + "\"";
  question.headers.push_back({"etag", etag});
  if (question.if_none_match.find(etag) != std::string::npos)
    return question.writer->send(304, std::move(question.headers), {});
  if (question.gzip == Question::Gzip::kNo)
    return question.writer->send(200, std::move(question.headers), decompress(document));
  question.headers.push_back({"content-encoding", "gzip"});
  question.headers.push_back({"vary", "Accept-Encoding"});
  question.writer->send(200, std::move(question.headers), document.gzip);
}

base::Error not_acceptable(std::string_view types) {
  return {base::Reason::kNotAcceptable, "406: Not Acceptable\n\nAvailable representations: " + std::string(types),
          base::ErrorDetails{}};
}

constexpr std::string_view kProtobuf2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
constexpr std::string_view kOldProtobuf2 = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

constexpr std::string_view kProtobuf3 = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
constexpr std::string_view kOldProtobuf3 = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";

// The first of the wanted types that the Accept header names; "" when it names none. An empty header takes the first.
std::string_view pick(std::string_view accept, std::initializer_list<std::string_view> types) {
  if (accept.empty()) return *types.begin();
  while (!accept.empty()) {
    std::string_view clause = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(accept.size(), clause.size() + 1));
    clause = clause.substr(0, clause.find(';'));
    while (clause.starts_with(' ')) clause.remove_prefix(1);
    while (clause.ends_with(' ')) clause.remove_suffix(1);
    if (clause == "*/*" || clause == "application/*") return *types.begin();
    for (std::string_view type : types) {
      if (type == clause) return type;
    }
  }
  return {};
}

void serve_version2(RequestContext& context, const std::shared_ptr<Documents>& documents) {
  const std::string_view type = pick(context.header("accept"), {"application/json", kProtobuf2, kOldProtobuf2});
  if (type.empty()) return respond_error(context, not_acceptable("application/json, " + std::string(kProtobuf2)));
  context.core->pool().post(
      [documents, protobuf = type != "application/json", question = question_of(context)]() mutable {
        if (protobuf) net::set_header(question.headers, "content-type", kProtobuf2);
        answer(question, protobuf ? documents->version2_protobuf() : documents->version2_json());
      });
}

enum class Version3Form : uint8_t { kJson, kProtobuf };

void serve_section(Question& question, Documents& documents, const std::string& name, const std::string& hash,
                   Version3Form form) {
  const bool json = form == Version3Form::kJson;
  const std::optional<Document> document = json ? documents.section(name) : documents.section_protobuf(name);
  if (!json) net::set_header(question.headers, "content-type", kProtobuf3);
  if (!document) {
    net::set_header(question.headers, "content-type", "text/plain; charset=utf-8");
    question.headers.push_back({"x-content-type-options", "nosniff"});
    return question.writer->send(404, std::move(question.headers), "404 page not found\n");
  }
  if (!hash.empty() && hash != document->etag) {
    question.headers.push_back({"location", "/openapi/v3/" + name + "?hash=" + document->etag});
    return question.writer->send(301, std::move(question.headers), {});
  }
  if (!hash.empty()) {  // Compat: an address with its hash never changes what it names
    net::set_header(question.headers, "cache-control", "public, immutable");
    question.headers.push_back({"expires", net::http_date(question.asked + std::chrono::years(1))});
  }
  answer(question, *document);
}

void serve_version3(RequestContext& context, const std::shared_ptr<Documents>& documents, std::string name) {
  while (name.ends_with('/')) name.pop_back();
  // Compat: the index is JSON for whoever asks.
  const std::string_view type = pick(context.header("accept"), {"application/json", kProtobuf3, kOldProtobuf3});
  if (type.empty() && !name.empty())
    return respond_error(context, not_acceptable("application/json, " + std::string(kProtobuf3)));
  const Version3Form form = type == kProtobuf3 || type == kOldProtobuf3 ? Version3Form::kProtobuf : Version3Form::kJson;
  context.core->pool().post([documents, form, name = std::move(name), hash = std::string(context.query.get("hash")),
                             question = question_of(context)]() mutable {
    if (name.empty()) return answer(question, documents->index());
    serve_section(question, *documents, name, hash, form);
  });
}

}  // namespace

void add_openapi_paths(Paths& paths, const Core& core) {
  auto documents = std::make_shared<Documents>(core.endpoints());
  const std::string root = "/openapi/v3";
  paths.add("/openapi/v2", [documents](RequestContext& context) { serve_version2(context, documents); });
  paths.add(root, [documents](RequestContext& context) { serve_version3(context, documents, ""); });
  paths.add_prefix(root + "/", [documents, root](RequestContext& context) {
    serve_version3(context, documents, context.info.path.substr(root.size() + 1));
  });
}

}  // namespace apiserver
