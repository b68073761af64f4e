#include <algorithm>

#include "codec/json_text.h"
#include "object/json.h"

namespace object {
namespace {

std::vector<const Member*> sorted_members(const Object& object) {
  std::vector<const Member*> members;
  members.reserve(object.size());
  for (const Member& member : object) members.push_back(&member);
  std::ranges::sort(members, {}, [](const Member* member) -> std::string_view { return member->key; });
  return members;
}

// Writes one document; `indent_` < 0 writes the compact form.
class Writer {
 public:
  Writer(std::string& out, KeyOrder order, int indent) : out_(out), order_(order), indent_(indent) {}

  void write(const Value& value) {
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
        codec::append_json_double(out_, *value.double_if());
        return;
      case Value::Kind::kString:
        codec::append_json_string(out_, *value.string_if());
        return;
      case Value::Kind::kArray:
        write_array(*value.array_if());
        return;
      case Value::Kind::kObject:
        write_object(*value.object_if());
        return;
    }
  }

 private:
  void write_array(const Array& array) {
    out_ += '[';
    bool first = true;
    begin_level();
    for (const Value& element : array) {
      separate(first);
      write(element);
    }
    end_level(first);
    out_ += ']';
  }

  void write_object(const Object& object) {
    out_ += '{';
    bool first = true;
    begin_level();
    if (order_ == KeyOrder::kSorted) {
      for (const Member* member : sorted_members(object)) write_member(*member, first);
    } else {
      for (const Member& member : object) write_member(member, first);
    }
    end_level(first);
    out_ += '}';
  }

  void write_member(const Member& member, bool& first) {
    separate(first);
    codec::append_json_string(out_, member.key);
    out_ += indent_ < 0 ? ":" : ": ";
    write(member.value);
  }

  void begin_level() {
    if (indent_ >= 0) indent_ += 2;
  }
  void separate(bool& first) {
    if (!first) out_ += ',';
    first = false;
    if (indent_ >= 0) out_.append(1, '\n').append(static_cast<size_t>(indent_), ' ');
  }
  void end_level(bool was_empty) {
    if (indent_ < 0) return;
    indent_ -= 2;
    if (!was_empty) out_.append(1, '\n').append(static_cast<size_t>(indent_), ' ');
  }

  std::string& out_;
  const KeyOrder order_;
  int indent_;
};

}  // namespace

void append_json(std::string& out, const Value& value, KeyOrder order) { Writer(out, order, -1).write(value); }

std::string to_json(const Value& value, KeyOrder order) {
  std::string out;
  append_json(out, value, order);
  return out;
}

void append_pretty_json(std::string& out, const Value& value, KeyOrder order) { Writer(out, order, 0).write(value); }

std::string to_pretty_json(const Value& value, KeyOrder order) {
  std::string out;
  append_pretty_json(out, value, order);
  return out;
}

std::string_view json_type_name(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kBool:
      return "bool";
    case Value::Kind::kInt:
    case Value::Kind::kDouble:
      return "number";
    case Value::Kind::kString:
      return "string";
    case Value::Kind::kArray:
      return "array";
    case Value::Kind::kObject:
      return "object";
  }
  return "";
}

}  // namespace object
