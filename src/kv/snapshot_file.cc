#include "kv/snapshot_file.h"

#include <algorithm>
#include <utility>

#include "kv/crc32c.h"
#include "kv/wire.h"

namespace kv {

using base::fail;
using base::Reason;
using base::Result;

namespace {

constexpr std::string_view kMagic = "KEELSNAP";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 64;
constexpr size_t kBlockHeaderBytes = 8;
constexpr size_t kBlockBytes = size_t{1} << 18;      // a block is closed once it has this much
constexpr uint64_t kSyncBytes = size_t{8} << 20;     // between two syncs: less, and the log's own syncs wait longer
constexpr size_t kMaxBlockBytes = size_t{64} << 20;  // more in a file is damage
constexpr const char* kTemporaryName = "snapshot.tmp";

enum class Entry : uint8_t { kKeyValue = 1, kLease = 2 };

void encode_record(std::string& out, const KeyValue& record) {
  out.push_back(static_cast<char>(Entry::kKeyValue));
  put_varint(out, static_cast<uint64_t>(record.create_revision));
  put_varint(out, static_cast<uint64_t>(record.mod_revision));
  put_varint(out, static_cast<uint64_t>(record.version));
  put_varint(out, static_cast<uint64_t>(record.lease));
  put_string(out, record.key.view());
  put_string(out, record.value.view());
}

void encode_lease(std::string& out, const LeaseRecord& lease) {
  out.push_back(static_cast<char>(Entry::kLease));
  put_varint(out, static_cast<uint64_t>(lease.id));
  put_varint(out, static_cast<uint64_t>(lease.ttl_seconds));
  put_varint(out, static_cast<uint64_t>(lease.deadline_unix_ms));
}

std::string encode_header(const SnapshotImage& image) {
  std::string out(kMagic);
  put_fixed32(out, kVersion);
  put_fixed32(out, 0);
  put_fixed64(out, static_cast<uint64_t>(image.revision));
  put_fixed64(out, image.log_number);
  put_fixed64(out, image.tree.size());
  put_fixed64(out, image.leases.size());
  out.resize(kHeaderBytes - 4, '\0');
  put_fixed32(out, crc32c(out));
  return out;
}

// Blocks chained by checksum: each begins from the checksum of what came before.
class BlockWriter {
 public:
  explicit BlockWriter(File& file) : file_(file) {}

  FileResult<void> header(const std::string& bytes) {
    crc_ = crc32c(bytes);
    TRY(file_.write_in_order(0));
    TRY(file_.write_at(0, bytes));
    offset_ = bytes.size();
    return {};
  }
  // Where entries are appended: behind the room for the block's header.
  std::string& block() { return block_; }
  bool block_is_empty() const { return block_.size() == kBlockHeaderBytes; }
  FileResult<void> flush_if_full() { return block_.size() < kBlockBytes ? FileResult<void>() : flush(); }
  // An empty block is the end mark.
  FileResult<void> flush() {
    const std::string_view entries = std::string_view(block_).substr(kBlockHeaderBytes);
    crc_ = crc32c(entries, crc_);
    std::string head;
    put_fixed32(head, static_cast<uint32_t>(entries.size()));
    put_fixed32(head, crc_);
    block_.replace(0, head.size(), head);
    TRY(file_.write_at(offset_, block_));
    offset_ += block_.size();
    block_.resize(kBlockHeaderBytes);
    if (offset_ - synced_ < kSyncBytes) return {};
    synced_ = offset_;
    return file_.sync();
  }
  uint64_t offset() const { return offset_; }

 private:
  File& file_;
  std::string block_ = std::string(kBlockHeaderBytes, '\0');
  uint64_t offset_ = 0;
  uint64_t synced_ = 0;
  uint32_t crc_ = 0;
};

FileResult<uint64_t> write_image(File& file, const SnapshotImage& image) {
  BlockWriter writer(file);
  TRY(writer.header(encode_header(image)));
  for (const auto& [id, lease] : image.leases) {
    encode_lease(writer.block(), lease);
    TRY(writer.flush_if_full());
  }
  for (Tree::Iterator at = image.tree.seek(""); !at.at_end(); at.next()) {
    encode_record(writer.block(), *at.record());
    TRY(writer.flush_if_full());
  }
  if (!writer.block_is_empty()) TRY(writer.flush());
  TRY(writer.flush());
  TRY(file.sync());
  return writer.offset();
}

class SnapshotReader {
 public:
  SnapshotReader(std::string path, File& file, const Signer* signer) : path_(std::move(path)), file_(file) {
    image_.tree = Tree(signer);
  }

  Result<SnapshotImage> run() {
    TRY(header());
    for (;;) {
      TRY_ASSIGN(std::string block, next_block());
      if (block.empty()) break;
      TRY(entries(block));
    }
    if (image_.tree.size() != keys_ || image_.leases.size() != leases_) return damaged("entries are missing");
    return std::move(image_);
  }

 private:
  std::unexpected<base::Error> damaged(const std::string& what) const {
    return fail(Reason::kInternalError, path_ + " is damaged at offset " + std::to_string(offset_) + ": " + what);
  }

  Result<std::string> read(uint64_t size) {
    std::string bytes(size, '\0');
    FileResult<size_t> got = file_.read_at(offset_, bytes);
    if (!got) return fail(Reason::kInternalError, got.error().message);
    if (*got != size) return damaged("the file ends too early");
    return bytes;
  }

  Result<void> header() {
    TRY_ASSIGN(std::string bytes, read(kHeaderBytes));
    crc_ = crc32c(bytes);
    if (!bytes.starts_with(kMagic) || Reader(std::string_view(bytes).substr(kHeaderBytes - 4)).fixed32() !=
                                          crc32c(std::string_view(bytes).substr(0, kHeaderBytes - 4))) {
      return damaged("the header is not valid");
    }
    Reader reader(std::string_view(bytes).substr(kMagic.size()));
    uint32_t version = reader.fixed32();
    if (version != kVersion) {
      return fail(Reason::kInternalError, path_ + " has snapshot format " + std::to_string(version) +
                                              "; this program reads format " + std::to_string(kVersion));
    }
    reader.fixed32();
    image_.revision = static_cast<int64_t>(reader.fixed64());
    image_.log_number = reader.fixed64();
    keys_ = reader.fixed64();
    leases_ = reader.fixed64();
    offset_ = kHeaderBytes;
    return {};
  }

  Result<std::string> next_block() {
    TRY_ASSIGN(std::string head, read(kBlockHeaderBytes));
    Reader reader(head);
    uint32_t length = reader.fixed32();
    uint32_t crc = reader.fixed32();
    if (length > kMaxBlockBytes) return damaged("a block has an impossible length");
    offset_ += kBlockHeaderBytes;
    TRY_ASSIGN(std::string block, read(length));
    crc_ = crc32c(block, crc_);
    if (crc_ != crc) return damaged("the checksum of a block is wrong");
    offset_ += length;
    return block;
  }

  Result<void> entries(std::string_view block) {
    Reader reader(block);
    while (!reader.at_end()) {
      auto kind = static_cast<Entry>(reader.byte());
      if (kind == Entry::kLease) {
        LeaseRecord lease{.id = static_cast<int64_t>(reader.varint())};
        lease.ttl_seconds = static_cast<int64_t>(reader.varint());
        lease.deadline_unix_ms = static_cast<int64_t>(reader.varint());
        if (reader.ok()) image_.leases[lease.id] = lease;
      } else if (kind == Entry::kKeyValue) {
        KeyValue record{.create_revision = static_cast<int64_t>(reader.varint())};
        record.mod_revision = static_cast<int64_t>(reader.varint());
        record.version = static_cast<int64_t>(reader.varint());
        record.lease = static_cast<int64_t>(reader.varint());
        record.key = base::SharedBytes(reader.string());
        record.value = base::SharedBytes(reader.string());
        if (reader.ok()) image_.tree.set(KeyValueRef::make(std::move(record)));
      } else {
        return damaged("an entry has an unknown kind");
      }
    }
    if (!reader.ok()) return damaged("a block ends within an entry");
    return {};
  }

  const std::string path_;
  File& file_;
  uint64_t offset_ = 0;
  uint32_t crc_ = 0;
  uint64_t keys_ = 0;
  uint64_t leases_ = 0;
  SnapshotImage image_;
};

}  // namespace

std::string snapshot_name(uint64_t log_number) {
  std::string digits = std::to_string(log_number);
  return "snapshot-" + std::string(20 - digits.size(), '0') + digits;
}

FileResult<uint64_t> write_snapshot(Directory& directory, const SnapshotImage& image) {
  TRY_ASSIGN(std::unique_ptr<File> file, directory.create(kTemporaryName));
  FileResult<uint64_t> size = write_image(*file, image);
  file.reset();
  FileResult<void> named;
  if (size) named = directory.rename(kTemporaryName, snapshot_name(image.log_number));
  if (!size || !named) {
    static_cast<void>(directory.remove(kTemporaryName));
    return size ? FileResult<uint64_t>(std::unexpected(named.error())) : size;
  }
  TRY(directory.sync());
  return size;
}

Result<SnapshotImage> read_snapshot(Directory& directory, const std::string& name, const Signer* signer) {
  FileResult<std::unique_ptr<File>> file = directory.open(name);
  if (!file) return fail(Reason::kInternalError, file.error().message);
  return SnapshotReader(directory.path() + "/" + name, **file, signer).run();
}

}  // namespace kv
