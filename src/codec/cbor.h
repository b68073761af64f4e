// CBOR (RFC 8949) below any schema: a reader of one token at a time over libcbor's stateless decoder, and a writer that
// counts what is in a map or an array by itself. Neither allocates by a length that the bytes merely claim. Compat:
// what is written, and the words of errors, are those of upstream's encoder and decoder. Thread: as plain data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codec {

// Tag 55799 around everything that upstream writes: says that the bytes are CBOR.
inline constexpr std::string_view kCborSelfDescribed = "\xd9\xd9\xf7";
inline constexpr uint64_t kCborSelfDescribedTag = 55799;

enum class CborMajor : uint8_t { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kPrimitive };
// As upstream's errors have it: "byte string".
std::string_view cbor_major_name(CborMajor major);

struct CborToken {
  enum class Kind : uint8_t {
    kUnsigned,  // number
    kNegative,  // -1 - number
    kBytes,     // text, or chunks until kBreak if indefinite
    kText,      // the same
    kArray,     // number of elements, or until kBreak if indefinite
    kMap,       // number of pairs, likewise
    kTag,       // number; what it is about follows
    kBool,      // number
    kNull,
    kFloat,   // real; finite
    kSimple,  // number: undefined (23) and the unassigned ones
    kBreak,
  };
  Kind kind = Kind::kNull;
  bool indefinite = false;
  uint64_t number = 0;
  double real = 0;
  std::string_view text;  // points into the bytes
  CborMajor major() const;
};

class CborReader {
 public:
  explicit CborReader(std::string_view bytes) : bytes_(bytes) {}

  bool done() const { return at_ == bytes_.size(); }
  size_t offset() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }
  // The major type of the next token; the reader is not done.
  CborMajor peek() const { return static_cast<CborMajor>(static_cast<unsigned char>(bytes_[at_]) >> 5); }
  unsigned char peek_byte() const { return static_cast<unsigned char>(bytes_[at_]); }
  // False when the bytes are cut off or no CBOR, or hold a float that is not finite: error() has upstream's text.
  bool next(CborToken& token);
  const std::string& error() const { return error_; }

 private:
  bool fail(std::string text) {
    error_ = std::move(text);
    return false;
  }
  bool next_simple(CborToken& token);

  std::string_view bytes_;
  size_t at_ = 0;
  std::string error_;
};

// The head of an item: major type and argument in the fewest bytes.
void append_cbor_head(std::string& out, CborMajor major, uint64_t argument);

// Appends items to a string. The caller writes, within a map, a key before each value.
class CborWriter {
 public:
  explicit CborWriter(std::string& out) : out_(out) {}

  void begin_map() { begin(CborMajor::kMap); }
  void end_map() { end(); }
  void begin_array() { begin(CborMajor::kArray); }
  void end_array() { end(); }
  // Where the name stands in what is written.
  size_t key(std::string_view name);
  // Compat: upstream writes all text as byte strings, which need not be valid UTF-8.
  void string(std::string_view text);
  // Bytes that JSON shows as base64 (tag 22).
  void bytes(std::string_view bytes);
  void integer(int64_t value);
  // In the fewest bytes that keep the value. It is finite.
  void real(double value);
  void boolean(bool value);
  void null();
  void self_described() { out_ += kCborSelfDescribed; }
  std::string_view written(size_t at, size_t size) const { return std::string_view(out_).substr(at, size); }
  // What was written up to now, to go back to.
  struct Mark {
    size_t bytes, open, count;
  };
  Mark mark() const { return {out_.size(), open_.size(), open_.empty() ? 0 : open_.back().count}; }
  void go_back(const Mark& mark);
  // One item that is CBOR already.
  void item(std::string_view encoded);

 private:
  struct Container {
    CborMajor major;
    size_t start;  // of what is in it; its head, of one byte for now, is the byte before
    size_t count;  // elements, or pairs
  };
  void begin(CborMajor major);
  void end();
  void count_value() {
    if (!open_.empty() && open_.back().major == CborMajor::kArray) ++open_.back().count;
  }

  std::string& out_;
  std::vector<Container> open_;
};

}  // namespace codec
