#include "kv/segment_format.h"

#include <cstring>

#include "kv/crc32c.h"
#include "kv/wire.h"

namespace kv {

namespace {

constexpr std::string_view kSegmentMagic = "KEELLOG\n";

uint32_t salted_crc(std::string_view header_without_crc, std::string_view payload, uint64_t salt) {
  std::string seed;
  put_fixed64(seed, salt);
  return crc32c(payload, crc32c(header_without_crc, crc32c(seed)));
}

}  // namespace

std::string encode(const SegmentHeader& header) {
  std::string out(kSegmentMagic);
  put_fixed32(out, header.version);
  put_fixed32(out, 0);
  put_fixed64(out, header.salt);
  put_fixed64(out, header.first_number);
  put_fixed32(out, header.previous_crc);
  out.resize(kSegmentHeaderBytes - 4, '\0');
  put_fixed32(out, crc32c(out));
  return out;
}

std::optional<SegmentHeader> decode_segment_header(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kSegmentMagic)) return std::nullopt;
  if (Reader(bytes.substr(kSegmentHeaderBytes - 4)).fixed32() != crc32c(bytes.substr(0, kSegmentHeaderBytes - 4))) {
    return std::nullopt;
  }
  Reader reader(bytes.substr(kSegmentMagic.size()));
  SegmentHeader header;
  header.version = reader.fixed32();
  reader.fixed32();
  header.salt = reader.fixed64();
  header.first_number = reader.fixed64();
  header.previous_crc = reader.fixed32();
  return header;
}

uint32_t seal_record(std::string& record, const RecordHeader& header, uint64_t salt) {
  const std::string_view payload = std::string_view(record).substr(kRecordHeaderBytes);
  std::string head;
  put_fixed32(head, kRecordMagic);
  put_fixed32(head, static_cast<uint32_t>(payload.size()));
  put_fixed64(head, header.number);
  put_fixed32(head, header.previous_crc);
  const uint32_t crc = salted_crc(head, payload, salt);
  put_fixed32(head, crc);
  record.replace(0, kRecordHeaderBytes, head);
  record.resize(record_bytes(record.size() - kRecordHeaderBytes), '\0');
  return crc;
}

std::optional<RecordHeader> decode_record_header(std::string_view bytes) {
  if (bytes.size() < kRecordHeaderBytes) return std::nullopt;
  Reader reader(bytes);
  if (reader.fixed32() != kRecordMagic) return std::nullopt;
  RecordHeader header;
  header.length = reader.fixed32();
  header.number = reader.fixed64();
  header.previous_crc = reader.fixed32();
  header.crc = reader.fixed32();
  return header;
}

bool checksum_matches(std::string_view header_bytes, std::string_view payload, uint64_t salt) {
  uint32_t expected = Reader(header_bytes.substr(kRecordHeaderBytes - 4)).fixed32();
  return salted_crc(header_bytes.substr(0, kRecordHeaderBytes - 4), payload, salt) == expected;
}

std::string segment_name(uint64_t first_number) {
  std::string digits = std::to_string(first_number);
  return "log-" + std::string(20 - digits.size(), '0') + digits;
}

std::optional<uint64_t> number_in_name(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix) || name.size() != prefix.size() + 20) return std::nullopt;
  uint64_t number = 0;
  for (char c : name.substr(prefix.size())) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number;
}

}  // namespace kv
