#include "codec/cbor.h"
#include "object/json_to_cbor.h"
#include "object/time.h"
#include "schema/transcode.h"
#include "schema/wire_walk.h"

namespace schema {
namespace {

class CborSink {
 public:
  explicit CborSink(std::string& out) : writer_(out) {}

  void begin_object() { writer_.begin_map(); }
  void end_object() { writer_.end_map(); }
  void begin_array() { writer_.begin_array(); }
  void end_array() { writer_.end_array(); }
  void key(std::string_view name) { writer_.key(name); }
  void key_escaped(std::string_view name) { writer_.key(name); }
  void string(std::string_view value) { writer_.string(value); }
  void integer(int64_t value) { writer_.integer(value); }
  void boolean(bool value) { writer_.boolean(value); }
  void real(double value) { writer_.real(value); }
  void null() { writer_.null(); }
  void bytes(std::string_view value) { writer_.bytes(value); }
  bool raw_json(std::string_view json) { return object::write_json(writer_, json); }
  bool raw_members(std::string_view members) { return object::write_json_members(writer_, members); }
  void time(int64_t seconds) {
    spare_.clear();
    object::append_time(spare_, {seconds, 0});
    writer_.string(spare_);
  }
  void micro_time(int64_t seconds, int32_t nanos) {
    spare_.clear();
    object::append_micro_time(spare_, {seconds, nanos});
    writer_.string(spare_);
  }
  void duration(int64_t nanoseconds) {
    spare_.clear();
    object::append_duration(spare_, {nanoseconds});
    writer_.string(spare_);
  }

 private:
  codec::CborWriter writer_;
  std::string spare_;
};

}  // namespace

base::Result<void> append_cbor(const Message& message, std::string_view bytes, const JsonOptions& options,
                               std::string& out) {
  const size_t before = out.size();
  CborSink sink(out);
  internal::WireWalk<CborSink> walk(sink);
  if (options.nested_types == NestedTypes::kWritten) walk.write_nested_types();
  if (bytes.size() <= kMaxMessageBytes && walk.top(message, bytes, options.type, options.resource_version)) return {};
  out.resize(before);
  return internal::malformed(message, base::Reason::kInternalError);
}

}  // namespace schema
