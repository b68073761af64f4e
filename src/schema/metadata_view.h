// Metadata read straight from an object's protobuf bytes, without decoding: for keys, selectors, watches, owners. Views
// into the bytes, which must outlive them; nothing is allocated. Thread: any.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace schema {

struct StringPair {
  std::string_view key;
  std::string_view value;
};
struct OwnerView {
  std::string_view api_version;
  std::string_view kind;
  std::string_view name;
  std::string_view uid;
  bool controller = false;
  bool block_owner_deletion = false;
};

namespace internal {
// The payload of the next field `number` at or after `at`, and moves `at` behind it. False at the end.
bool next_payload(std::string_view bytes, uint32_t number, size_t& at, std::string_view& payload);
StringPair read_pair(std::string_view payload);
OwnerView read_owner(std::string_view payload);
inline std::string_view read_string(std::string_view payload) { return payload; }
}  // namespace internal

// The elements of one repeated field: for (auto [key, value] : metadata.labels).
template <auto kRead>
class Repeated {
 public:
  using value_type = decltype(kRead(std::string_view()));
  class Iterator {
   public:
    using value_type = Repeated::value_type;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(std::string_view bytes, uint32_t number) : bytes_(bytes), number_(number) { ++*this; }
    value_type operator*() const { return kRead(payload_); }
    Iterator& operator++() {
      if (!internal::next_payload(bytes_, number_, at_, payload_)) number_ = 0;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return number_ == 0; }

   private:
    std::string_view bytes_;
    std::string_view payload_;
    size_t at_ = 0;
    uint32_t number_ = 0;
  };

  Repeated() = default;
  Repeated(std::string_view bytes, uint32_t number) : bytes_(bytes), number_(number) {}
  Iterator begin() const { return number_ == 0 ? Iterator() : Iterator(bytes_, number_); }
  std::default_sentinel_t end() const { return {}; }
  bool empty() const { return begin() == end(); }

 private:
  std::string_view bytes_;  // from the first element to the end of the last
  uint32_t number_ = 0;     // 0 = no element
};
using StringPairs = Repeated<internal::read_pair>;
using Strings = Repeated<internal::read_string>;
using Owners = Repeated<internal::read_owner>;

// The value under the key; nothing when it is absent.
std::optional<std::string_view> find(const StringPairs& pairs, std::string_view key);

struct MetadataView {
  std::string_view name;
  std::string_view generate_name;
  std::string_view namespace_;
  std::string_view uid;
  std::string_view resource_version;  // "" in stored objects
  int64_t generation = 0;
  std::optional<int64_t> creation_seconds;  // since 1970; nothing = zero time
  std::optional<int64_t> deletion_seconds;  // has a value = the object is being deleted
  std::optional<int64_t> deletion_grace_period_seconds;
  StringPairs labels;
  StringPairs annotations;
  Owners owner_references;
  Strings finalizers;
};

// `raw`: an object's message, with ObjectMeta as field 1 (all empty when it is missing).
[[nodiscard]] base::Result<MetadataView> view_metadata(std::string_view raw);
// The same from the bytes of the ObjectMeta itself.
[[nodiscard]] base::Result<MetadataView> view_object_meta(std::string_view metadata);

// The payload of the string, bytes or message at a path of field numbers; the last one when repeated. Nothing when it
// is absent or the bytes are malformed.
std::optional<std::string_view> find_bytes(std::string_view raw, std::span<const uint32_t> path);
std::optional<std::string_view> find_bytes(std::string_view raw, std::initializer_list<uint32_t> path);
// The same for a bool or an integer.
std::optional<int64_t> find_int(std::string_view raw, std::span<const uint32_t> path);
std::optional<int64_t> find_int(std::string_view raw, std::initializer_list<uint32_t> path);

// Field numbers along JSON names, for find_…: {"spec", "nodeName"} → {2, 10}. Resolve once per kind. Empty when there
// is no such singular member. `last`, when not null, gets the last one's field.
struct NumberPath {
  static constexpr size_t kMax = 8;
  uint32_t numbers[kMax] = {};
  size_t size = 0;
  operator std::span<const uint32_t>() const { return {numbers, size}; }  // NOLINT(google-explicit-constructor)
};
struct Message;
struct Field;
NumberPath resolve_path(const Message& message, std::span<const std::string_view> json_names,
                        const Field** last = nullptr);

}  // namespace schema
