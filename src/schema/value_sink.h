// Internal to the codecs: the sink of a WireWalk that builds a Value. Thread: as plain data.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/base64.h"
#include "codec/utf8.h"
#include "object/json.h"
#include "object/time.h"
#include "object/value.h"

namespace schema::internal {

class ValueSink {
 public:
  explicit ValueSink(object::Value& root) : root_(root) {}

  void begin_object() { open_.push_back(&put(object::Object())); }
  void reserve(size_t members) { open_.back()->object_if()->reserve(members); }
  void end_object() { open_.pop_back(); }
  void begin_array() { open_.push_back(&put(object::Array())); }
  void end_array() { open_.pop_back(); }
  void key(std::string_view name) { key_.assign(name); }
  void key_escaped(std::string_view name) { key_ = clean(name); }
  void string(std::string_view value) { put(clean(value)); }
  void integer(int64_t value) { put(value); }
  void boolean(bool value) { put(value); }
  void real(double value) { put(value); }
  void null() { put(nullptr); }
  void bytes(std::string_view value) { put(codec::base64(value)); }
  bool raw_json(std::string_view json) {
    auto parsed = object::parse_json(json);
    if (parsed) put(*std::move(parsed));
    return parsed.has_value();
  }
  bool raw_members(std::string_view members) {
    auto parsed = object::parse_json("{" + std::string(members) + "}");
    if (!parsed) return false;
    for (object::Member& member : *parsed->object_if()) {
      open_.back()->object_if()->append(std::move(member.key), std::move(member.value));
    }
    return true;
  }
  void time(int64_t seconds) { put(object::format_time({seconds, 0})); }
  void micro_time(int64_t seconds, int32_t nanos) { put(object::format_micro_time({seconds, nanos})); }
  void duration(int64_t nanoseconds) { put(object::format_duration(object::Duration{nanoseconds})); }

 private:
  static bool ascii(std::string_view text) {
    unsigned char all = 0;
    for (unsigned char c : text) all |= c;
    return all < 0x80;
  }
  static std::string clean(std::string_view text) {
    return ascii(text) || codec::utf8_valid(text) ? std::string(text) : codec::utf8_repaired(text);
  }
  // The place for the next value. Containers grow only at their end while they are open, so the pointers stay good.
  template <typename T>
  object::Value& put(T&& value) {
    if (open_.empty()) return root_ = object::Value(std::forward<T>(value));
    if (object::Array* array = open_.back()->array_if()) return array->emplace_back(std::forward<T>(value));
    return open_.back()->object_if()->append(std::move(key_), object::Value(std::forward<T>(value)));
  }

  object::Value& root_;
  std::vector<object::Value*> open_;
  std::string key_;
};

}  // namespace schema::internal
