#include "object/field_error.h"

#include <algorithm>

#include "codec/json_text.h"
#include "object/gvk.h"
#include "object/json.h"

namespace object {
namespace {

std::string_view type_text(FieldErrorType type) {
  switch (type) {
    case FieldErrorType::kNotFound:
      return "Not found";
    case FieldErrorType::kRequired:
      return "Required value";
    case FieldErrorType::kDuplicate:
      return "Duplicate value";
    case FieldErrorType::kInvalid:
    case FieldErrorType::kTypeInvalid:
      return "Invalid value";
    case FieldErrorType::kNotSupported:
      return "Unsupported value";
    case FieldErrorType::kForbidden:
      return "Forbidden";
    case FieldErrorType::kTooLong:
      return "Too long";
    case FieldErrorType::kTooMany:
      return "Too many";
    case FieldErrorType::kInternal:
      return "Internal error";
  }
  return "";
}

template <typename List>
std::string supported_values(const List& supported) {
  if (supported.size() == 0) return "";
  std::string detail = "supported values: ";
  bool first = true;
  for (const auto& value : supported) {
    if (!first) detail += ", ";
    first = false;
    codec::append_go_quoted(detail, value);
  }
  return detail;
}

}  // namespace

void FieldPath::append_to(std::string& out) const {
  if (parent_ && !parent_->empty()) parent_->append_to(out);
  switch (kind_) {
    case Kind::kRoot:
      return;
    case Kind::kName:
      if (text_.empty()) {
        out += "[]";
        return;
      }
      if (!out.empty()) out += '.';
      out += text_;
      return;
    case Kind::kIndex:
      out.append(1, '[').append(std::to_string(index_)).append(1, ']');
      return;
    case Kind::kKey:
      out.append(1, '[').append(text_).append(1, ']');
      return;
  }
}

std::string FieldPath::to_string() const {
  if (empty()) return "<nil>";
  std::string out;
  append_to(out);
  return out;
}

std::string_view field_error_reason(FieldErrorType type) {
  switch (type) {
    case FieldErrorType::kNotFound:
      return "FieldValueNotFound";
    case FieldErrorType::kRequired:
      return "FieldValueRequired";
    case FieldErrorType::kDuplicate:
      return "FieldValueDuplicate";
    case FieldErrorType::kInvalid:
      return "FieldValueInvalid";
    case FieldErrorType::kNotSupported:
      return "FieldValueNotSupported";
    case FieldErrorType::kForbidden:
      return "FieldValueForbidden";
    case FieldErrorType::kTooLong:
      return "FieldValueTooLong";
    case FieldErrorType::kTooMany:
      return "FieldValueTooMany";
    case FieldErrorType::kInternal:
      return "InternalError";
    case FieldErrorType::kTypeInvalid:
      return "FieldValueTypeInvalid";
  }
  return "";
}

BadValue::BadValue(std::string_view text) : text_(codec::go_quoted(text)) {}
BadValue::BadValue(double value) { codec::append_json_double(text_, value); }
BadValue::BadValue(const Value& value) {
  if (const std::string* text = value.string_if()) {
    text_ = codec::go_quoted(*text);
  } else {
    append_json(text_, value);
  }
}
BadValue BadValue::verbatim(std::string text) {
  BadValue value;
  value.text_ = std::move(text);
  return value;
}

std::string FieldError::body() const {
  std::string out(type_text(type));
  if (!bad_value.empty()) out.append(": ").append(bad_value);
  if (!detail.empty()) out.append(": ").append(detail);
  return out;
}

std::string FieldError::to_string() const { return path + ": " + body(); }

void FieldErrors::not_found(const FieldPath& path, const BadValue& value) {
  errors_.push_back({FieldErrorType::kNotFound, path.to_string(), value.text(), ""});
}
void FieldErrors::required(const FieldPath& path, std::string_view detail) {
  errors_.push_back({FieldErrorType::kRequired, path.to_string(), "", std::string(detail)});
}
void FieldErrors::duplicate(const FieldPath& path, const BadValue& value) {
  errors_.push_back({FieldErrorType::kDuplicate, path.to_string(), value.text(), ""});
}
void FieldErrors::invalid(const FieldPath& path, const BadValue& value, std::string_view detail) {
  errors_.push_back({FieldErrorType::kInvalid, path.to_string(), value.text(), std::string(detail)});
}
void FieldErrors::not_supported(const FieldPath& path, const BadValue& value,
                                std::initializer_list<std::string_view> supported) {
  errors_.push_back({FieldErrorType::kNotSupported, path.to_string(), value.text(), supported_values(supported)});
}
void FieldErrors::not_supported(const FieldPath& path, const BadValue& value,
                                const std::vector<std::string>& supported) {
  errors_.push_back({FieldErrorType::kNotSupported, path.to_string(), value.text(), supported_values(supported)});
}
void FieldErrors::forbidden(const FieldPath& path, std::string_view detail) {
  errors_.push_back({FieldErrorType::kForbidden, path.to_string(), "", std::string(detail)});
}
void FieldErrors::too_long(const FieldPath& path, int64_t max_bytes) {
  errors_.push_back({FieldErrorType::kTooLong, path.to_string(), "",
                     "may not be more than " + std::to_string(max_bytes) + (max_bytes == 1 ? " byte" : " bytes")});
}
void FieldErrors::too_many(const FieldPath& path, int64_t actual, int64_t max_items) {
  errors_.push_back({FieldErrorType::kTooMany, path.to_string(), actual < 0 ? "" : std::to_string(actual),
                     "must have at most " + std::to_string(max_items) + (max_items == 1 ? " item" : " items")});
}
void FieldErrors::internal(const FieldPath& path, std::string_view detail) {
  errors_.push_back({FieldErrorType::kInternal, path.to_string(), "", std::string(detail)});
}
void FieldErrors::type_invalid(const FieldPath& path, const BadValue& value, std::string_view detail) {
  errors_.push_back({FieldErrorType::kTypeInvalid, path.to_string(), value.text(), std::string(detail)});
}
void FieldErrors::invalid_each(const FieldPath& path, const BadValue& value, const std::vector<std::string>& messages) {
  for (const std::string& message : messages) invalid(path, value, message);
}

void FieldErrors::append(FieldErrors other) {
  for (FieldError& error : other.errors_) errors_.push_back(std::move(error));
}

std::string FieldErrors::to_string() const {
  std::vector<std::string> texts;
  for (const FieldError& error : errors_) {
    std::string text = error.to_string();
    if (std::ranges::find(texts, text) == texts.end()) texts.push_back(std::move(text));
  }
  if (texts.size() == 1) return texts[0];
  std::string out = "[";
  for (size_t i = 0; i < texts.size(); ++i) out.append(i == 0 ? "" : ", ").append(texts[i]);
  return out + ']';
}

base::Error invalid_error(std::string_view group, std::string_view kind, std::string_view name,
                          const FieldErrors& errors) {
  const GroupKind group_kind{std::string(group), std::string(kind)};
  std::string message = group_kind.to_string() + ' ' + codec::go_quoted(name) + " is invalid";
  if (!errors.empty()) message += ": " + errors.to_string();
  base::ErrorDetails details{.name = std::string(name), .group = group_kind.group, .kind = group_kind.kind};
  // Compat: the message names equal errors once, the causes every time.
  for (const FieldError& error : errors.errors()) {
    details.causes.push_back({std::string(field_error_reason(error.type)), error.body(), error.path});
  }
  return {base::Reason::kInvalid, std::move(message), std::move(details)};
}

}  // namespace object
