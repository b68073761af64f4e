#include <algorithm>
#include <vector>

#include "codec/cbor.h"
#include "object/cbor.h"

namespace object {
namespace {

class Writer {
 public:
  Writer(std::string& out, CborOrder order) : writer_(out), order_(order) {}

  void write(const Value& value) {
    switch (value.kind()) {
      case Value::Kind::kNull:
        return writer_.null();
      case Value::Kind::kBool:
        return writer_.boolean(*value.bool_if());
      case Value::Kind::kInt:
        return writer_.integer(*value.int_if());
      case Value::Kind::kDouble:
        return writer_.real(*value.double_if());
      case Value::Kind::kString:
        return writer_.string(*value.string_if());
      case Value::Kind::kArray:
        writer_.begin_array();
        for (const Value& element : *value.array_if()) write(element);
        return writer_.end_array();
      case Value::Kind::kObject:
        return write_map(*value.object_if());
    }
  }

 private:
  void write_map(const Object& object) {
    writer_.begin_map();
    if (order_ == CborOrder::kKept) {
      for (const Member& member : object) write_member(member);
    } else {
      std::vector<const Member*> members;
      for (const Member& member : object) members.push_back(&member);
      // The head of a key is its length, and comes first.
      std::ranges::sort(members, [](const Member* a, const Member* b) {
        return a->key.size() != b->key.size() ? a->key.size() < b->key.size() : a->key < b->key;
      });
      for (const Member* member : members) write_member(*member);
    }
    writer_.end_map();
  }
  void write_member(const Member& member) {
    writer_.key(member.key);
    write(member.value);
  }

  codec::CborWriter writer_;
  const CborOrder order_;
};

}  // namespace

std::string_view cbor_type_name(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kInt:
      return codec::cbor_major_name(*value.int_if() < 0 ? codec::CborMajor::kNegative : codec::CborMajor::kUnsigned);
    case Value::Kind::kString:
      return codec::cbor_major_name(codec::CborMajor::kBytes);
    case Value::Kind::kArray:
      return codec::cbor_major_name(codec::CborMajor::kArray);
    case Value::Kind::kObject:
      return codec::cbor_major_name(codec::CborMajor::kMap);
    default:
      return codec::cbor_major_name(codec::CborMajor::kPrimitive);
  }
}

void append_cbor(std::string& out, const Value& value, CborOrder order) { Writer(out, order).write(value); }

std::string to_cbor(const Value& value, CborOrder order) {
  std::string out(codec::kCborSelfDescribed);
  append_cbor(out, value, order);
  return out;
}

}  // namespace object
