#include "apiserver/negotiate.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "net/http.h"
#include "object/status.h"

namespace apiserver {
namespace {

struct Clause {
  std::string type;
  double quality = 1;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string_view get(std::string_view name) const {
    for (const auto& [key, value] : parameters) {
      if (key == name) return value;
    }
    return {};
  }
};

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

template <typename Each>
void split(std::string_view text, char separator, Each each) {
  size_t at = 0;
  while (at <= text.size()) {
    size_t end = text.find(separator, at);
    if (end == std::string_view::npos) end = text.size();
    each(trim(text.substr(at, end - at)));
    at = end + 1;
  }
}

Clause parse_clause(std::string_view text) {
  Clause clause;
  bool first = true;
  split(text, ';', [&](std::string_view part) {
    if (first) {
      clause.type = lower(part);
      first = false;
      return;
    }
    const size_t equal = part.find('=');
    if (equal == std::string_view::npos) return;
    std::string name = lower(trim(part.substr(0, equal)));
    std::string value(trim(part.substr(equal + 1)));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (name == "q") {
      clause.quality = std::strtod(value.c_str(), nullptr);
    } else {
      clause.parameters.emplace_back(std::move(name), std::move(value));
    }
  });
  return clause;
}

// By falling quality; equal ones in their order.
std::vector<Clause> parse_accept(std::string_view accept) {
  std::vector<Clause> clauses;
  split(accept, ',', [&](std::string_view part) {
    if (!part.empty()) clauses.push_back(parse_clause(part));
  });
  for (size_t i = 1; i < clauses.size(); ++i) {  // insertion sort: stable, and the list is short
    for (size_t j = i; j > 0 && clauses[j].quality > clauses[j - 1].quality; --j) std::swap(clauses[j], clauses[j - 1]);
  }
  return clauses;
}

// Compat: "application/*" is not among what upstream serves.
bool media_type_of(std::string_view type, CborServing cbor, MediaType& media) {
  if (type == "application/json" || type == "*/*") {
    media = MediaType::kJson;
  } else if (type == "application/yaml") {
    media = MediaType::kYaml;
  } else if (type == "application/vnd.kubernetes.protobuf") {
    media = MediaType::kProtobuf;
  } else if (type == "application/cbor" && cbor == CborServing::kOn) {
    media = MediaType::kCbor;
  } else {
    return false;
  }
  return true;
}

enum class Match : uint8_t { kNo, kTypeOnly, kYes };

Match match_clause(const Clause& clause, AnswerKind kind, CborServing cbor, Accepted& accepted) {
  if (!media_type_of(clause.type, cbor, accepted.type)) {
    // Compat: the router takes what watches are answered with; the serializers do not know it.
    const bool sequence = clause.type == "application/cbor-seq" && cbor == CborServing::kOn;
    return sequence && kind == AnswerKind::kWatch ? Match::kTypeOnly : Match::kNo;
  }
  if (kind == AnswerKind::kWatch && accepted.type == MediaType::kYaml) return Match::kTypeOnly;
  accepted.form = Form::kObject;
  if (std::string_view pretty = clause.get("pretty"); pretty == "1" || pretty == "true")
    accepted.pretty = Pretty::kIndented;
  const std::string_view as = clause.get("as");
  if (as.empty()) return Match::kYes;
  accepted.form_version = clause.get("v");
  if (clause.get("g") != "meta.k8s.io" || (accepted.form_version != "v1" && accepted.form_version != "v1beta1"))
    return Match::kTypeOnly;
  if (as == "Table") {
    accepted.form = Form::kTable;
  } else if (as == "PartialObjectMetadata") {
    accepted.form = Form::kPartialMetadata;
  } else if (as == "PartialObjectMetadataList") {
    accepted.form = Form::kPartialMetadataList;
  } else {
    return Match::kTypeOnly;
  }
  return Match::kYes;
}

std::string served_list(CborServing cbor) {
  std::string list;
  for (const std::string& type : served_media_types(cbor)) list += (list.empty() ? "" : ", ") + type;
  return list;
}

}  // namespace

std::vector<std::string> served_media_types(CborServing cbor) {
  std::vector<std::string> types{"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"};
  if (cbor == CborServing::kOn) types.emplace_back("application/cbor");
  return types;
}

base::Error not_acceptable_form(CborServing cbor) {
  return {base::Reason::kNotAcceptable, "only the following media types are accepted: " + served_list(cbor)};
}

bool accepts_type(std::string_view accept, std::string_view type) {
  if (trim(accept).empty()) return true;
  return std::ranges::any_of(parse_accept(accept),
                             [&](const Clause& clause) { return clause.type == type || clause.type == "*/*"; });
}

base::Result<Accepted> negotiate_answer(std::string_view accept, AnswerKind kind, CborServing cbor) {
  if (trim(accept).empty()) return Accepted{};
  bool some_type = false;
  for (const Clause& clause : parse_accept(accept)) {
    Accepted accepted;
    const Match match = match_clause(clause, kind, cbor, accepted);
    if (match == Match::kYes) return accepted;
    some_type = some_type || match == Match::kTypeOnly;
  }
  std::string served = served_list(cbor);
  // Compat: a type that upstream's router does not know is refused there, in other words than by the serializer.
  if (!some_type) {
    if (kind == AnswerKind::kWatch) {
      served += ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
      if (cbor == CborServing::kOn) served += ", application/cbor-seq";
    }
    return base::fail(base::Error(base::Reason::kNotAcceptable,
                                  "406: Not Acceptable\n\nAvailable representations: " + served, base::ErrorDetails{}));
  }
  return base::fail(base::Reason::kNotAcceptable, "only the following media types are accepted: " + served);
}

Accepted negotiate_error(std::string_view accept, CborServing cbor) {
  for (const Clause& clause : parse_accept(accept)) {
    // Compat: an error has no other form; a clause that asks for one names no encoding for it either.
    if (!clause.get("as").empty()) continue;
    Accepted accepted;
    if (match_clause(clause, AnswerKind::kObject, cbor, accepted) != Match::kNo) return accepted;
  }
  return {};
}

base::Result<MediaType> body_media_type(std::string_view content_type, CborServing cbor) {
  if (trim(content_type).empty()) return MediaType::kJson;
  const std::string type = parse_clause(content_type).type;
  MediaType media;
  if (type != "*/*" && media_type_of(type, cbor, media)) return media;
  return base::fail(
      base::Reason::kUnsupportedMediaType,
      "the body of the request was in an unknown format - accepted media types include: " + served_list(cbor));
}

std::string_view content_type(const Accepted& accepted) {
  switch (accepted.type) {
    case MediaType::kYaml:
      return "application/yaml";
    case MediaType::kProtobuf:
    case MediaType::kRawProtobuf:
      return "application/vnd.kubernetes.protobuf";
    case MediaType::kCbor:
      return "application/cbor";
    case MediaType::kJson:
      break;
  }
  return "application/json";
}

std::string_view watch_content_type(const Accepted& accepted) {
  if (accepted.type == MediaType::kProtobuf) return "application/vnd.kubernetes.protobuf;stream=watch";
  return accepted.type == MediaType::kCbor ? "application/cbor-seq" : "application/json";
}

}  // namespace apiserver
