#include <algorithm>
#include <charconv>

#include "codec/json_text.h"
#include "codec/utf8.h"
#include "object/yaml.h"
#include "object/yaml_scalar.h"

namespace object {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<signed char>(c) < 0; }

// Compat: go-yaml sorts keys as people do: runs of digits by their number, letters after other characters.
bool natural_less(std::string_view a, std::string_view b) {
  size_t i = 0;
  while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
  if (i == a.size() || i == b.size()) return a.size() < b.size();
  const bool a_letter = is_letter(a[i]), b_letter = is_letter(b[i]);
  if (a_letter && b_letter) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[i]);
  if (a_letter || b_letter) return i > 0 && is_digit(a[i - 1]) ? a_letter : b_letter;
  size_t start = i;  // of the digits that both share before the difference
  while (start > 0 && is_digit(a[start - 1])) --start;
  const auto number = [start](std::string_view text) {
    size_t end = start;
    while (end < text.size() && is_digit(text[end])) ++end;
    std::string_view digits = text.substr(start, end - start);
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    return digits;
  };
  const std::string_view a_number = number(a), b_number = number(b);
  if (a_number.size() != b_number.size()) return a_number.size() < b_number.size();
  if (a_number != b_number) return a_number < b_number;
  return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[i]);
}

enum class Style : uint8_t { kPlain, kSingle, kDouble, kLiteral };

// Bytes that only double quotes can hold: controls (tab too), what is no UTF-8, and code points that YAML does not
// print (U+0080 to U+009F but U+0085, U+2028, U+2029, U+FEFF).
bool has_special(std::string_view text) {
  while (!text.empty()) {
    const size_t length = codec::utf8_sequence_length(text);
    const auto c = static_cast<unsigned char>(text[0]);
    if (length == 0 || (c < 0x20 && c != '\n') || c == 0x7F) return true;
    if (c == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0) return true;
    if (text.starts_with("\u2028") || text.starts_with("\u2029") || text.starts_with("\uFEFF")) return true;
    text.remove_prefix(length);
  }
  return false;
}

// Where libyaml's emitter would not write a plain scalar in block context.
bool plain_allowed(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return false;
  if (text.starts_with("---") || text.starts_with("...")) return false;
  if (std::string_view("#,[]{}&*!|>'\"%@`").find(text[0]) != std::string_view::npos) return false;
  const auto blank_at = [&](size_t i) { return i >= text.size() || text[i] == ' '; };
  if ((text[0] == '-' || text[0] == '?') && blank_at(1)) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':' && blank_at(i + 1)) return false;
    if (text[i] == '#' && i > 0 && text[i - 1] == ' ') return false;
  }
  return true;
}

// A literal block cannot start with blanks that look like indentation unless it says so, nor have a space before a
// newline or at its end.
bool literal_allowed(std::string_view text) {
  return text.find(" \n") == std::string_view::npos && text.back() != ' ' && !has_special(text);
}

Style style_of(std::string_view text) {
  if (text.find('\n') != std::string_view::npos) return literal_allowed(text) ? Style::kLiteral : Style::kDouble;
  const ScalarKind kind = resolve_plain_scalar(text).kind;
  if (kind != ScalarKind::kString || is_base60(text) || text == "<<" || has_special(text)) return Style::kDouble;
  return plain_allowed(text) ? Style::kPlain : Style::kSingle;
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void document(const Value& value) {
    if (const Object* object = value.object_if(); object && !object->empty()) {
      write_object(*object, 0, Start::kHere);
    } else if (const Array* array = value.array_if(); array && !array->empty()) {
      write_array(*array, 0, Start::kHere);
    } else {
      write_scalar(value, 2);
    }
    if (out_.empty() || out_.back() != '\n') out_ += '\n';
  }

 private:
  // Whether the first entry stands where the text ends, or on a line of its own.
  enum class Start : uint8_t { kHere, kNewLine };

  void begin_entry(bool& first, size_t indent, Start start) {
    if (!first || start == Start::kNewLine) {
      if (out_.back() != '\n') out_ += '\n';
      out_.append(indent, ' ');
    }
    first = false;
  }

  void write_object(const Object& object, size_t indent, Start start) {
    std::vector<const Member*> members;
    members.reserve(object.size());
    for (const Member& member : object) members.push_back(&member);
    std::ranges::sort(members, natural_less, [](const Member* member) -> std::string_view { return member->key; });
    bool first = true;
    for (const Member* member : members) {
      begin_entry(first, indent, start);
      write_key(member->key, indent);
      write_member_value(member->value, indent);
    }
  }

  // Compat: items of a sequence stand at the column of its key.
  void write_member_value(const Value& value, size_t indent) {
    if (const Object* object = value.object_if(); object && !object->empty()) {
      write_object(*object, indent + 2, Start::kNewLine);
    } else if (const Array* array = value.array_if(); array && !array->empty()) {
      write_array(*array, indent, Start::kNewLine);
    } else {
      out_ += ' ';
      write_scalar(value, indent + 2);
    }
  }

  void write_array(const Array& array, size_t indent, Start start) {
    bool first = true;
    for (const Value& element : array) {
      begin_entry(first, indent, start);
      out_ += "- ";
      if (const Object* object = element.object_if(); object && !object->empty()) {
        write_object(*object, indent + 2, Start::kHere);
      } else if (const Array* inner = element.array_if(); inner && !inner->empty()) {
        write_array(*inner, indent + 2, Start::kHere);
      } else {
        write_scalar(element, indent + 2);
      }
    }
  }

  // Compat: libyaml writes keys of more than 128 bytes as explicit keys; readers need not take simple ones above 1024.
  void write_key(std::string_view key, size_t indent) {
    const bool is_explicit = key.size() > 128;
    if (is_explicit) out_ += "? ";
    const Style style = style_of(key);
    write_text(key, style == Style::kLiteral ? Style::kDouble : style, 0);
    if (is_explicit) out_.append(1, '\n').append(indent, ' ');
    out_ += ':';
  }

  void write_scalar(const Value& value, size_t indent) {
    switch (value.kind()) {
      case Value::Kind::kNull:
        out_ += "null";
        return;
      case Value::Kind::kBool:
        out_ += *value.bool_if() ? "true" : "false";
        return;
      case Value::Kind::kInt:
        codec::append_json_int(out_, *value.int_if());
        return;
      case Value::Kind::kDouble:
        write_double(*value.double_if());
        return;
      case Value::Kind::kString:
        write_text(*value.string_if(), style_of(*value.string_if()), indent);
        return;
      case Value::Kind::kArray:
        out_ += "[]";
        return;
      case Value::Kind::kObject:
        out_ += "{}";
        return;
    }
  }

  // Compat: Go's %g in its shortest form: exponents below -4 and from 6 on.
  void write_double(double value) {
    char text[40];
    const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
    const std::string_view scientific(text, static_cast<size_t>(end - text));
    const size_t e = scientific.find('e');
    int exponent = 0;
    if (e != std::string_view::npos) {
      std::from_chars(scientific.data() + e + (scientific[e + 1] == '+' ? 2 : 1), end, exponent);
    }
    if (exponent < -4 || exponent >= 6) {
      out_ += scientific;
    } else {
      codec::append_json_double(out_, value);
    }
  }

  void write_text(std::string_view text, Style style, size_t indent) {
    switch (style) {
      case Style::kPlain:
        out_ += text;
        return;
      case Style::kSingle:
        out_ += '\'';
        for (char c : text) out_.append(c == '\'' ? 2 : 1, c);
        out_ += '\'';
        return;
      case Style::kDouble:
        write_double_quoted(text);
        return;
      case Style::kLiteral:
        write_literal(text, indent);
        return;
    }
  }

  void write_double_quoted(std::string_view text) {
    constexpr std::string_view kEscaped = "\"\\\a\b\t\n\v\f\r\x1b";
    constexpr std::string_view kLetters = "\"\\abtnvfre";
    constexpr char kHex[] = "0123456789ABCDEF";
    out_ += '"';
    while (!text.empty()) {
      const size_t length = codec::utf8_sequence_length(text);
      const auto c = static_cast<unsigned char>(text[0]);
      if (const size_t i = kEscaped.find(text[0]); i != std::string_view::npos) {
        out_.append(1, '\\').append(1, kLetters[i]);
      } else if (length == 0) {
        out_ += "\\uFFFD";
      } else if (c < 0x20 || c == 0x7F) {
        out_.append("\\x").append(1, kHex[c >> 4]).append(1, kHex[c & 15]);
      } else if (c == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0) {
        const auto low = static_cast<unsigned char>(text[1]);
        out_.append("\\x").append(1, kHex[low >> 4]).append(1, kHex[low & 15]);
      } else if (text.starts_with("\u2028") || text.starts_with("\u2029")) {
        out_ += text[2] == '\xA8' ? "\\L" : "\\P";
      } else if (text.starts_with("\uFEFF")) {
        out_ += "\\uFEFF";
      } else {
        out_.append(text.data(), length);
      }
      text.remove_prefix(length == 0 ? 1 : length);
    }
    out_ += '"';
  }

  void write_literal(std::string_view text, size_t indent) {
    out_ += '|';
    if (text[0] == ' ' || text[0] == '\n') out_ += '2';  // how far the block is indented
    const bool ends = text.ends_with('\n');
    const bool keeps = text == "\n" || text.ends_with("\n\n");
    out_.append(keeps ? "+" : ends ? "" : "-");
    if (ends) text.remove_suffix(1);
    for (;;) {
      const size_t end = std::min(text.find('\n'), text.size());
      out_ += '\n';
      if (end > 0) out_.append(indent, ' ').append(text.substr(0, end));
      if (end == text.size()) break;
      text.remove_prefix(end + 1);
    }
    if (ends) out_ += '\n';
  }

  std::string& out_;
};

}  // namespace

void append_yaml(std::string& out, const Value& value) {
  std::string text;
  Writer(text).document(value);
  out += text;
}

std::string to_yaml(const Value& value) {
  std::string text;
  Writer(text).document(value);
  return text;
}

}  // namespace object
