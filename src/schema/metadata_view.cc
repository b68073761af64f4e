#include "schema/metadata_view.h"

#include "codec/wire.h"
#include "schema/field_cursor.h"
#include "schema/tables.h"

namespace schema {
namespace {
using codec::WireReader;
using codec::WireType;

// Field numbers of ObjectMeta.
enum : uint32_t {
  kName = 1,
  kGenerateName = 2,
  kNamespace = 3,
  kUid = 5,
  kResourceVersion = 6,
  kGeneration = 7,
  kCreationTimestamp = 8,
  kDeletionTimestamp = 9,
  kDeletionGracePeriodSeconds = 10,
  kLabels = 11,
  kAnnotations = 12,
  kOwnerReferences = 13,
  kFinalizers = 14,
};

// From the first element of a repeated field to the end of the last.
struct Range {
  const char* begin = nullptr;
  const char* end = nullptr;
  void add(const char* from, const char* to) {
    if (!begin) begin = from;
    end = to;
  }
  std::string_view view() const { return {begin, static_cast<size_t>(end - begin)}; }
};

bool read_seconds(std::string_view payload, std::optional<int64_t>& seconds) {
  int32_t nanos;
  if (payload.empty()) return true;
  int64_t value;
  if (!internal::read_timestamp(payload, value, nanos)) return false;
  if (value != object::kZeroTimeSeconds) seconds = value;
  return true;
}

struct Reading {
  MetadataView view;
  Range labels, annotations, owners, finalizers;

  bool bytes_field(uint32_t number, std::string_view payload, const char* start) {
    const char* end = payload.data() + payload.size();
    switch (number) {
      case kName:
        view.name = payload;
        return true;
      case kGenerateName:
        view.generate_name = payload;
        return true;
      case kNamespace:
        view.namespace_ = payload;
        return true;
      case kUid:
        view.uid = payload;
        return true;
      case kResourceVersion:
        view.resource_version = payload;
        return true;
      case kCreationTimestamp:
        return read_seconds(payload, view.creation_seconds);
      case kDeletionTimestamp:
        return read_seconds(payload, view.deletion_seconds);
      case kLabels:
        labels.add(start, end);
        return true;
      case kAnnotations:
        annotations.add(start, end);
        return true;
      case kOwnerReferences:
        owners.add(start, end);
        return true;
      case kFinalizers:
        finalizers.add(start, end);
        return true;
      default:
        return true;
    }
  }
};

bool read_metadata(std::string_view bytes, Reading& reading) {
  WireReader reader(bytes);
  while (!reader.done()) {
    const char* start = reader.position();
    uint32_t number;
    WireType type;
    if (!reader.read_tag(number, type)) return false;
    if (type == WireType::kBytes) {
      std::string_view payload;
      if (!reader.read_bytes(payload) || !reading.bytes_field(number, payload, start)) return false;
    } else if (type == WireType::kVarint) {
      uint64_t value;
      if (!reader.read_varint(value)) return false;
      if (number == kGeneration) reading.view.generation = static_cast<int64_t>(value);
      if (number == kDeletionGracePeriodSeconds) {
        reading.view.deletion_grace_period_seconds = static_cast<int64_t>(value);
      }
    } else if (!reader.skip(number, type)) {
      return false;
    }
  }
  return true;
}

// The last occurrence of a field: its payload, or its number in `value`.
bool last_field(std::string_view bytes, uint32_t wanted, std::optional<std::string_view>& payload,
                std::optional<int64_t>& value) {
  WireReader reader(bytes);
  while (!reader.done()) {
    uint32_t number;
    WireType type;
    if (!reader.read_tag(number, type)) return false;
    if (number == wanted && type == WireType::kBytes) {
      std::string_view found;
      if (!reader.read_bytes(found)) return false;
      payload = found;
    } else if (number == wanted && type == WireType::kVarint) {
      uint64_t found;
      if (!reader.read_varint(found)) return false;
      value = static_cast<int64_t>(found);
    } else if (!reader.skip(number, type)) {
      return false;
    }
  }
  return true;
}

}  // namespace

namespace internal {

bool next_payload(std::string_view bytes, uint32_t number, size_t& at, std::string_view& payload) {
  WireReader reader(bytes.substr(at));
  while (!reader.done()) {
    uint32_t found;
    WireType type;
    if (!reader.read_tag(found, type)) return false;
    if (found == number && type == WireType::kBytes) {
      if (!reader.read_bytes(payload)) return false;
      at = static_cast<size_t>(reader.position() - bytes.data());
      return true;
    }
    if (!reader.skip(found, type)) return false;
  }
  return false;
}

StringPair read_pair(std::string_view payload) {
  MapEntry entry;
  if (!read_map_entry(payload, entry)) return {};
  return {entry.key, entry.value};
}

OwnerView read_owner(std::string_view payload) {
  OwnerView owner;
  WireReader reader(payload);
  while (!reader.done()) {
    uint32_t number;
    WireType type;
    if (!reader.read_tag(number, type)) return {};
    std::string_view text;
    uint64_t value = 0;
    bool good = type == WireType::kBytes    ? reader.read_bytes(text)
                : type == WireType::kVarint ? reader.read_varint(value)
                                            : reader.skip(number, type);
    if (!good) return {};
    if (number == 1) owner.kind = text;
    if (number == 3) owner.name = text;
    if (number == 4) owner.uid = text;
    if (number == 5) owner.api_version = text;
    if (number == 6) owner.controller = value != 0;
    if (number == 7) owner.block_owner_deletion = value != 0;
  }
  return owner;
}

}  // namespace internal

std::optional<std::string_view> find(const StringPairs& pairs, std::string_view key) {
  for (const StringPair& pair : pairs) {
    if (pair.key == key) return pair.value;
  }
  return std::nullopt;
}

base::Result<MetadataView> view_object_meta(std::string_view metadata) {
  Reading reading;
  if (!read_metadata(metadata, reading)) {
    return base::fail(base::Reason::kInternalError, "object has malformed metadata");
  }
  MetadataView& view = reading.view;
  if (reading.labels.begin) view.labels = {reading.labels.view(), kLabels};
  if (reading.annotations.begin) view.annotations = {reading.annotations.view(), kAnnotations};
  if (reading.owners.begin) view.owner_references = {reading.owners.view(), kOwnerReferences};
  if (reading.finalizers.begin) view.finalizers = {reading.finalizers.view(), kFinalizers};
  return view;
}

base::Result<MetadataView> view_metadata(std::string_view raw) {
  WireReader reader(raw);
  while (!reader.done()) {
    uint32_t number;
    WireType type;
    if (!reader.read_tag(number, type)) break;
    std::string_view metadata;
    if (number == 1 && type == WireType::kBytes) {
      if (!reader.read_bytes(metadata)) break;
      return view_object_meta(metadata);
    }
    if (number > 1) return MetadataView();  // encoders write metadata first
    if (!reader.skip(number, type)) break;
  }
  if (reader.done()) return MetadataView();
  return base::fail(base::Reason::kInternalError, "object has malformed metadata");
}

std::optional<std::string_view> find_bytes(std::string_view raw, std::span<const uint32_t> path) {
  std::optional<std::string_view> at = raw;
  for (uint32_t number : path) {
    std::optional<std::string_view> payload;
    std::optional<int64_t> ignored;
    if (!last_field(*at, number, payload, ignored)) return std::nullopt;
    at = payload;
    if (!at) return std::nullopt;
  }
  return at;
}

std::optional<std::string_view> find_bytes(std::string_view raw, std::initializer_list<uint32_t> path) {
  return find_bytes(raw, std::span(path.begin(), path.size()));
}

std::optional<int64_t> find_int(std::string_view raw, std::span<const uint32_t> path) {
  if (path.empty()) return std::nullopt;
  auto message = find_bytes(raw, path.first(path.size() - 1));
  std::optional<std::string_view> ignored;
  std::optional<int64_t> value;
  if (!message || !last_field(*message, path.back(), ignored, value)) return std::nullopt;
  return value;
}

std::optional<int64_t> find_int(std::string_view raw, std::initializer_list<uint32_t> path) {
  return find_int(raw, std::span(path.begin(), path.size()));
}

namespace {
// Appends the numbers that lead to a JSON member of `message`, through inlined messages.
const Field* numbers_to(const Message& message, std::string_view name, NumberPath& path) {
  if (path.size >= NumberPath::kMax) return nullptr;
  for (const Field& field : message.fields) {
    size_t before = path.size;
    path.numbers[path.size++] = field.number;
    if (field.inlined) {
      if (const Field* found = numbers_to(*field.message, name, path)) return found;
    } else if (field.json == name && !name.empty()) {
      return field.card == Card::kSingular ? &field : nullptr;
    }
    path.size = before;
  }
  return nullptr;
}
}  // namespace

NumberPath resolve_path(const Message& message, std::span<const std::string_view> json_names, const Field** last) {
  NumberPath path;
  const Message* at = &message;
  const Field* field = nullptr;
  for (std::string_view name : json_names) {
    field = at ? numbers_to(*at, name, path) : nullptr;
    if (!field) return {};
    at = field->message;
  }
  if (last) *last = field;
  return path;
}

}  // namespace schema
