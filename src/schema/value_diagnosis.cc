#include "schema/value_diagnosis.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "codec/base64.h"
#include "codec/json_text.h"
#include "object/cbor.h"
#include "object/json.h"
#include "object/quantity.h"
#include "object/time.h"
#include "schema/custom_content.h"
#include "schema/json_locate.h"
#include "schema/limits.h"

namespace schema::internal {
namespace {
using object::Value;

// Compat: upstream stops collecting at 100.
constexpr size_t kMaxStrictIssues = 100;

// Compat: Go's UnmarshalTypeError; its context is that of the outermost decoder.
struct Problem {
  std::string value;  // "string", "number 1.5"; "" = `message` is the whole text
  std::string type;   // "int32"
  std::string message;
  std::string detail;  // of CBOR: " (3000000000 overflows int32)"
};

std::string_view type_name(const Field& field) { return field.go_type; }

// The type of one element of a list or map, from "[]v1.Container", "map[string]string" or a named type's package.
std::string element_type(const Field& field) {
  std::string_view type = field.go_type;
  if (size_t bracket = type.find(']');
      bracket != std::string_view::npos && (type[0] == '[' || type.starts_with("map["))) {
    type.remove_prefix(bracket + 1);
    if (type.starts_with('*')) type.remove_prefix(1);
    return std::string(type);
  }
  if (!field.message) return "string";
  return std::string(type.substr(0, type.find('.') + 1)).append(field.message->name);
}

template <auto kParse>
base::Result<void> parses(std::string_view text) {
  auto parsed = kParse(text);
  if (!parsed) return std::unexpected(std::move(parsed).error());
  return {};
}

class Diagnosis {
 public:
  Diagnosis(const ValueEncodeOptions& options, std::string_view top_type)
      : options_(options), cbor_(options.decoder == Decoder::kCbor), top_type_(top_type) {}

  // False: decoding ends here with `abort_`.
  bool message(const Message& message, std::string_view type, const Value& value);

  base::Result<void> result() {
    if (cbor_ && unknown_ && options_.strict_issues)
      options_.strict_issues->push_back("cbor: found unknown field at map element index " + std::to_string(*unknown_));
    const std::optional<Problem>& problem = abort_ ? abort_ : first_;
    if (!problem) return {};
    if (problem->value.empty()) return base::fail(base::Reason::kBadRequest, problem->message);
    std::string text = (cbor_ ? "cbor: cannot unmarshal " : "json: cannot unmarshal ") + problem->value + " into Go ";
    if (context_.empty()) {
      text += "value of type ";
    } else {
      text += "struct field " + context_ + " of type ";
    }
    return base::fail(base::Reason::kBadRequest, text + problem->type + problem->detail);
  }

 private:
  bool member(const Field& field, const Value& value);
  bool element(const Field& field, const std::string& type, const Value& value);
  bool list(const Field& field, std::string_view type, const Value& value);
  bool map(const Field& field, const Value& value);
  bool scalar(const Field& field, std::string_view type, const Value& value);
  bool custom_object(const Message& object_message, const Value& value);
  bool special(const Message& message, std::string_view type, const Value& value);
  bool int_or_string(const Value& value);
  bool schema_or(const Message& message, const Value& value);
  bool text_form(const Value& value, base::Result<void> (*check)(std::string_view));

  std::string context() const {
    if (struct_.empty() || fields_.empty()) return {};
    // Compat: of CBOR the outermost struct and its field are told.
    if (cbor_) return std::string(top_type_).append(".").append(fields_.front());
    std::string text(struct_);
    for (size_t i = 0; i < fields_.size(); ++i) text.append(".").append(fields_[i]);
    return text;
  }
  // An error that is kept while decoding goes on.
  bool keep(Problem problem) {
    if (!first_ && !abort_) {
      first_ = std::move(problem);
      context_ = context();
    }
    return true;
  }
  bool keep_type(const Value& value, std::string_view type) { return keep({word(value), std::string(type), {}, {}}); }
  // The same, but the error ends the decoding. Compat: of JSON only.
  bool stop(Problem problem) {
    if (cbor_) return keep(std::move(problem));
    abort_ = std::move(problem);
    context_ = context();
    return false;
  }
  std::string word(const Value& value) const {
    return std::string(cbor_ ? object::cbor_type_name(value) : object::json_type_name(value));
  }
  // A number that the type does not hold.
  Problem overflow(const Value& value, std::string_view type) const {
    if (!cbor_) return {number_word(value), std::string(type), {}, {}};
    const int64_t* whole = value.int_if();
    return {word(value),
            std::string(type),
            {},
            whole ? " (" + std::to_string(*whole) + " overflows " + std::string(type) + ")" : ""};
  }
  // "number 1.5", as the client wrote it where the text is at hand.
  std::string number_word(const Value& value) const {
    std::string_view written = locate_json(options_.source_json, steps_);
    return "number " + (written.empty() ? object::to_json(value) : std::string(written));
  }
  void unknown();
  bool member_of(const Message& message, const object::Member& entry);
  bool members_of_cbor(const Message& message, const object::Object& object);

  const ValueEncodeOptions& options_;
  const bool cbor_;
  const std::string_view top_type_;
  std::optional<size_t> unknown_;  // of CBOR: the place of the member that is reported
  std::optional<Problem> first_;
  std::optional<Problem> abort_;
  std::string context_;
  std::string_view struct_;
  std::vector<std::string_view> fields_;  // names below the outermost struct; no indexes, no map keys
  std::vector<JsonStep> steps_;           // the whole path
  int lenient_ = 0;                       // inside types that decode themselves: no strict reports
};

void Diagnosis::unknown() {
  std::vector<std::string>* issues = options_.strict_issues;
  if (cbor_) return;
  if (!issues || lenient_ > 0 || issues->size() >= kMaxStrictIssues) return;
  std::string path;
  for (const JsonStep& step : steps_) {
    if (step.key.data() == nullptr) {
      path.append("[").append(std::to_string(step.index)).append("]");
    } else {
      if (!path.empty()) path += '.';
      path += step.key;
    }
  }
  std::string issue = "unknown field ";
  codec::append_go_quoted(issue, path);
  if (std::ranges::find(*issues, issue) == issues->end()) issues->push_back(std::move(issue));
}

bool Diagnosis::message(const Message& message, std::string_view type, const Value& value) {
  if (message.special != Special::kNone) return special(message, type, value);
  if (value.is_null()) return true;
  if (message.alias) return list(message.fields[0], type, value);
  const object::Object* object = value.object_if();
  if (!object) return keep_type(value, type);
  if (steps_.size() >= kMaxDepth) return stop({{}, {}, "exceeded max depth", {}});
  std::string_view outer = struct_;
  struct_ = message.name;
  bool good = true;
  if (cbor_) {
    good = members_of_cbor(message, *object);
  } else {
    for (const object::Member& entry : *object) {
      good = member_of(message, entry);
      if (!good) break;
    }
  }
  if (!good) return false;
  struct_ = outer;
  return true;
}

bool Diagnosis::member_of(const Message& message, const object::Member& entry) {
  bool good = true;
  steps_.push_back({entry.key, 0});
  fields_.push_back(entry.key);
  if (const Field* field = find_json_field(message, entry.key)) {
    good = member(*field, entry.value);
  } else if (message.type_meta && (entry.key == "kind" || entry.key == "apiVersion")) {
    if (!entry.value.is_string() && !entry.value.is_null()) keep_type(entry.value, "string");
  } else {
    unknown();
  }
  fields_.pop_back();
  steps_.pop_back();
  return good;
}

// Compat: the first unknown member of a map is told before any that lies deeper in the same map; else the first map
// that has one tells.
bool Diagnosis::members_of_cbor(const Message& message, const object::Object& object) {
  const std::optional<size_t> outer = std::exchange(unknown_, std::nullopt);
  std::optional<size_t> own;
  size_t place = 0;
  for (const object::Member& entry : object) {
    const bool type = message.type_meta && (entry.key == "kind" || entry.key == "apiVersion");
    if (!own && !type && !find_json_field(message, entry.key)) own = place;
    if (!member_of(message, entry)) return false;
    ++place;
  }
  if (own) unknown_ = own;
  if (outer) unknown_ = outer;
  return true;
}

bool Diagnosis::member(const Field& field, const Value& value) {
  if (field.card == Card::kSingular && field.type == Type::kMessage)
    return message(*field.message, type_name(field), value);
  if (value.is_null()) return true;
  if (field.card == Card::kRepeated) return list(field, type_name(field), value);
  if (field.card == Card::kMap) return map(field, value);
  return scalar(field, type_name(field), value);
}

bool Diagnosis::element(const Field& field, const std::string& type, const Value& value) {
  if (field.type == Type::kMessage) return message(*field.message, type, value);
  return value.is_null() || scalar(field, type, value);
}

bool Diagnosis::list(const Field& field, std::string_view type, const Value& value) {
  const object::Array* array = value.array_if();
  if (!array) return keep_type(value, type);
  std::string inner = element_type(field);
  for (size_t i = 0; i < array->size(); ++i) {
    steps_.push_back({{}, i});
    bool good = element(field, inner, (*array)[i]);
    steps_.pop_back();
    if (!good) return false;
  }
  return true;
}

bool Diagnosis::map(const Field& field, const Value& value) {
  const object::Object* object = value.object_if();
  if (!object) return keep_type(value, type_name(field));
  std::string inner = element_type(field);
  for (const object::Member& entry : *object) {
    steps_.push_back({entry.key, 0});
    bool good = element(field, inner, entry.value);
    steps_.pop_back();
    if (!good) return false;
  }
  return true;
}

bool Diagnosis::scalar(const Field& field, std::string_view type, const Value& value) {
  switch (field.type) {
    case Type::kBool:
      return value.is_bool() || keep_type(value, type);
    case Type::kInt32:
    case Type::kInt64: {
      if (!value.is_number()) return keep_type(value, type);
      const int64_t* integer = value.int_if();
      if (integer && (field.type == Type::kInt64 || *integer == static_cast<int32_t>(*integer))) return true;
      return keep(overflow(value, type));
    }
    case Type::kDouble:
      return value.is_number() || keep_type(value, type);
    case Type::kBytes: {
      const std::string* text = value.string_if();
      if (!text) return keep_type(value, type);
      if (codec::parse_base64(*text)) return true;
      const std::string what = cbor_ ? "cbor: failed to decode base64 from byte string: " : "";
      return keep({{},
                   {},
                   what + "illegal base64 data at input byte " + std::to_string(codec::base64_error_offset(*text)),
                   {}});
    }
    default:
      return value.is_string() || keep_type(value, type);
  }
}

// ---- types that decode themselves: their errors end the decoding ----

bool Diagnosis::text_form(const Value& value, base::Result<void> (*check)(std::string_view)) {
  const std::string* text = value.string_if();
  if (!text) return stop({word(value), "string", {}, {}});
  auto checked = check(*text);
  return checked || stop({{}, {}, checked.error().message, {}});
}

bool Diagnosis::int_or_string(const Value& value) {
  if (value.is_string()) return true;
  if (!value.is_number()) return stop({word(value), "int32", {}, {}});
  const int64_t* integer = value.int_if();
  if (integer && *integer == static_cast<int32_t>(*integer)) return true;
  return stop(overflow(value, "int32"));
}

bool Diagnosis::schema_or(const Message& schema_message, const Value& value) {
  bool is_bool = schema_message.special == Special::kSchemaOrBool;
  const Field& schema = schema_message.fields[is_bool ? 1 : 0];
  if (is_bool && !value.is_object()) {
    return value.is_bool() || stop({{}, {}, "boolean or JSON schema expected", {}});
  }
  // A decoder of its own reads what is inside; its first error ends ours and gets our context.
  std::optional<Problem> outer = std::exchange(first_, std::nullopt);
  ++lenient_;
  std::string_view outer_struct = struct_;
  size_t depth = fields_.size();
  std::vector<std::string_view> outer_fields = fields_;
  bool good = true;
  if (value.is_object()) good = message(*schema.message, schema.go_type, value);
  if (!is_bool && value.is_array()) good = list(schema_message.fields[1], schema_message.fields[1].go_type, value);
  --lenient_;
  struct_ = outer_struct;
  fields_ = std::move(outer_fields);
  fields_.resize(depth);
  std::optional<Problem> inner = good ? std::exchange(first_, std::nullopt) : std::exchange(abort_, std::nullopt);
  first_ = std::move(outer);
  return !inner || stop(*std::move(inner));
}

bool Diagnosis::custom_object(const Message& object_message, const Value& value) {
  const object::Object* object = value.object_if();
  if (!object) return keep_type(value, object_message.name);
  struct_ = object_message.name;
  for (const object::Member& entry : *object) {
    if (entry.key == "metadata") {
      steps_.push_back({entry.key, 0});
      fields_.push_back(entry.key);
      const bool good = member(object_message.fields[0], entry.value);
      fields_.pop_back();
      steps_.pop_back();
      if (!good) return false;
    } else if (entry.key == "kind" || entry.key == "apiVersion") {
      if (!entry.value.is_string() && !entry.value.is_null()) keep_type(entry.value, "string");
    }
  }
  return true;
}

bool Diagnosis::special(const Message& message, std::string_view type, const Value& value) {
  switch (message.special) {
    case Special::kCustomObject:
      return value.is_null() || custom_object(message, value);
    case Special::kTime:
    case Special::kMicroTime:
      if (value.is_null()) return true;
      return text_form(
          value, message.special == Special::kTime ? parses<object::parse_time> : parses<object::parse_micro_time>);
    case Special::kDuration:
      if (value.is_null()) return true;
      return text_form(value, parses<object::parse_duration>);
    case Special::kQuantity: {
      if (value.is_null()) return true;
      const std::string* text = value.string_if();
      auto parsed = object::parse_quantity(text ? *text : object::to_json(value));
      return parsed || stop({{}, {}, parsed.error().message, {}});
    }
    case Special::kIntOrString:
      return value.is_null() || int_or_string(value);
    case Special::kSchemaOrBool:
    case Special::kSchemaOrArray:
    case Special::kSchemaOrStringArray:
      return value.is_null() || schema_or(message, value);
    case Special::kGroupVersion:
      return value.is_null() || value.is_string() || keep_type(value, type);
    default:
      return true;
  }
}

}  // namespace

base::Result<void> diagnose_value(const Message& message, const Value& value, const ValueEncodeOptions& options) {
  const std::string type =
      std::string(message.package.substr(message.package.rfind('.') + 1)) + "." + std::string(message.name);
  Diagnosis diagnosis(options, type);
  diagnosis.message(message, type, value);
  return diagnosis.result();
}

}  // namespace schema::internal
