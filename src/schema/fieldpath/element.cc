#include "schema/fieldpath/element.h"

#include <algorithm>
#include <cstring>

#include "codec/copy.h"
#include "codec/json_text.h"
#include "object/json.h"
#include "schema/patch/go_text.h"

namespace schema {
namespace {

int order_of(Scalar::Kind kind) {
  return kind == Scalar::Kind::kDouble ? static_cast<int>(Scalar::Kind::kInt) : static_cast<int>(kind);
}

template <typename T>
int three_way(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

int compare_text(std::string_view a, std::string_view b) { return three_way(a.compare(b), 0); }

void append_scalar_json(std::string& out, const Scalar& value) {
  switch (value.kind) {
    case Scalar::Kind::kInt:
      codec::append_json_int(out, value.integer);
      break;
    case Scalar::Kind::kDouble:
      codec::append_json_double(out, value.real);
      break;
    case Scalar::Kind::kString:
      codec::append_json_string(out, value.text);
      break;
    case Scalar::Kind::kBool:
      out += value.boolean ? "true" : "false";
      break;
    case Scalar::Kind::kOther:
      out += value.text;
      break;
    case Scalar::Kind::kNull:
      out += "null";
      break;
  }
}

// Nothing in it that a JSON string escapes.
bool is_plain(std::string_view text) {
  const auto special = [](unsigned char byte) { return byte < 0x20 || byte == '"' || byte == '\\'; };
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    constexpr uint64_t kOnes = 0x0101010101010101;
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    const auto has_zero = [](uint64_t bytes) { return (bytes - kOnes) & ~bytes; };
    const uint64_t found =
        ((word - kOnes * 0x20) & ~word) | has_zero(word ^ kOnes * '"') | has_zero(word ^ kOnes * '\\');
    if ((found & kOnes * 0x80) != 0) return false;  // a borrow may give a false alarm, which is no harm
  }
  return std::none_of(text.begin() + static_cast<ptrdiff_t>(at), text.end(), special);
}

// A JSON string's inside without the HTML escapes. Compat: member names of field sets are written so.
void append_plain_escaped(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    out += text;
    return;
  }
  static constexpr char kHex[] = "0123456789abcdef";
  size_t clean = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(text.substr(clean, i - clean));
    clean = i + 1;
    out += '\\';
    if (byte == '"' || byte == '\\') {
      out += static_cast<char>(byte);
    } else if (byte == '\n' || byte == '\r' || byte == '\t') {
      out += byte == '\n' ? 'n' : byte == '\r' ? 'r' : 't';
    } else {
      out += "u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  out.append(text.substr(clean));
}

void append_key_json(std::string& out, const Element& element) {
  out += '{';
  for (uint32_t i = 0; i < element.size; ++i) {
    if (i > 0) out += ',';
    out += '"';
    append_plain_escaped(out, element.key[i].name);
    out += "\":";
    append_scalar_json(out, element.key[i].value);
  }
  out += '}';
}

}  // namespace

Scalar to_scalar(Arena& arena, const object::Value& value) {
  Scalar scalar;
  if (const int64_t* integer = value.int_if()) {
    scalar.kind = Scalar::Kind::kInt;
    scalar.integer = *integer;
  } else if (const double* real = value.double_if()) {
    scalar.kind = Scalar::Kind::kDouble;
    scalar.real = *real;
  } else if (const std::string* text = value.string_if()) {
    scalar.kind = Scalar::Kind::kString;
    scalar.text = *text;
  } else if (const bool* boolean = value.bool_if()) {
    scalar.kind = Scalar::Kind::kBool;
    scalar.boolean = *boolean;
  } else if (!value.is_null()) {
    scalar.kind = Scalar::Kind::kOther;
    scalar.text = arena.copy(object::to_json(value, object::KeyOrder::kSorted));
  }
  return scalar;
}

int compare(const Scalar& a, const Scalar& b) {
  using Kind = Scalar::Kind;
  if (order_of(a.kind) != order_of(b.kind)) return three_way(order_of(a.kind), order_of(b.kind));
  switch (a.kind) {
    case Kind::kInt:
    case Kind::kDouble: {
      if (a.kind == Kind::kInt && b.kind == Kind::kInt) return three_way(a.integer, b.integer);
      const double left = a.kind == Kind::kInt ? static_cast<double>(a.integer) : a.real;
      const double right = b.kind == Kind::kInt ? static_cast<double>(b.integer) : b.real;
      return three_way(left, right);
    }
    case Kind::kString:
    case Kind::kOther:
      return compare_text(a.text, b.text);
    case Kind::kBool:
      return three_way(a.boolean, b.boolean);
    case Kind::kNull:
      return 0;
  }
  return 0;
}

int compare(const Element& a, const Element& b) {
  if (a.kind != b.kind) return three_way(static_cast<int>(a.kind), static_cast<int>(b.kind));
  switch (a.kind) {
    case Element::Kind::kField:
      if (a.name == b.name && a.size == b.size) return 0;
      return compare_text(a.field_name(), b.field_name());
    case Element::Kind::kIndex:
      return three_way(a.index, b.index);
    case Element::Kind::kKey:
    case Element::Kind::kValue:
      break;
  }
  for (uint32_t i = 0; i < std::min(a.size, b.size); ++i) {
    if (int order = compare_text(a.key[i].name, b.key[i].name); order != 0) return order;
    if (int order = compare(a.key[i].value, b.key[i].value); order != 0) return order;
  }
  return three_way(a.size, b.size);
}

void append_path_text(std::string& out, const Element& element) {
  auto append_value = [&](const Scalar& value) {
    if (value.kind == Scalar::Kind::kString) {
      codec::append_go_quoted(out, value.text);
    } else if (value.kind == Scalar::Kind::kDouble) {
      append_go_float(out, value.real);
    } else {
      append_scalar_json(out, value);
    }
  };
  switch (element.kind) {
    case Element::Kind::kField:
      out += '.';
      out += element.field_name();
      return;
    case Element::Kind::kIndex:
      out += '[' + std::to_string(element.index) + ']';
      return;
    case Element::Kind::kValue:
      out += "[=";
      append_value(element.key->value);
      out += ']';
      return;
    case Element::Kind::kKey:
      out += '[';
      for (uint32_t i = 0; i < element.size; ++i) {
        if (i > 0) out += ',';
        out += element.key[i].name;
        out += '=';
        append_value(element.key[i].value);
      }
      out += ']';
  }
}

void append_member_name(std::string& out, const Element& element) {
  static constexpr std::string_view kPrefix[] = {"\"f:", "\"k:", "\"v:", "\"i:"};
  if (element.kind == Element::Kind::kField && is_plain(element.field_name())) {
    const std::string_view name = element.field_name();
    const size_t before = out.size();
    out.resize(before + name.size() + 4);
    char* text = out.data() + before;
    std::memcpy(text, kPrefix[0].data(), 3);
    codec::copy_text(text + 3, name.data(), name.size());
    text[3 + name.size()] = '"';
    return;
  }
  out += kPrefix[static_cast<size_t>(element.kind)];
  if (element.kind == Element::Kind::kField) {
    append_plain_escaped(out, element.field_name());
  } else if (element.kind == Element::Kind::kIndex) {
    out += std::to_string(element.index);
  } else {
    std::string json;
    if (element.kind == Element::Kind::kKey) {
      append_key_json(json, element);
    } else {
      append_scalar_json(json, element.key->value);
    }
    append_plain_escaped(out, json);
  }
  out += '"';
}

}  // namespace schema
