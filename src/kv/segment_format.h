// The bytes of segment and record headers (docs/formats/log.md). Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kv {

inline constexpr uint32_t kLogVersion = 1;
inline constexpr size_t kSegmentHeaderBytes = 64;
inline constexpr size_t kRecordHeaderBytes = 24;
inline constexpr uint32_t kRecordMagic = 0x4345524b;  // "KREC" in the file

struct SegmentHeader {
  uint32_t version = kLogVersion;
  uint64_t salt = 0;  // random, part of every checksum: stored values cannot pose as records
  uint64_t first_number = 0;
  uint32_t previous_crc = 0;  // of the last record of the segment before
};
std::string encode(const SegmentHeader& header);
std::optional<SegmentHeader> decode_segment_header(std::string_view bytes);

struct RecordHeader {
  uint32_t length = 0;  // of the payload
  uint64_t number = 0;
  uint32_t previous_crc = 0;
  uint32_t crc = 0;
};
// Makes a record of a payload that has the header's room before it: fills that in, and pads. Returns the checksum.
uint32_t seal_record(std::string& record, const RecordHeader& header, uint64_t salt);
// None when the magic is not there.
std::optional<RecordHeader> decode_record_header(std::string_view bytes);
bool checksum_matches(std::string_view header_bytes, std::string_view payload, uint64_t salt);
// Of the record in the file, padded to 8.
inline uint64_t record_bytes(uint64_t payload) { return (kRecordHeaderBytes + payload + 7) / 8 * 8; }

// "log-" and the number of the first record, twenty digits.
std::string segment_name(uint64_t first_number);
// The number in a name of this prefix and twenty digits.
std::optional<uint64_t> number_in_name(std::string_view name, std::string_view prefix);

}  // namespace kv
