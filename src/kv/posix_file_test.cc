// Writes in order may go past the page cache: what is read back is what was written, wherever writes begin and end.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kv/file.h"
#include "kv/test_support.h"

namespace kv::test {
namespace {

std::string text_of(size_t size, char first) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(first + i % 61);
  return text;
}

class PosixFileTest : public testing::Test {
 protected:
  void SetUp() override {
    auto directory = open_directory(temporary_.path());
    ASSERT_TRUE(directory);
    directory_ = *std::move(directory);
    file_ = directory_->create("file").value();
  }
  void write(uint64_t offset, const std::string& bytes) {
    ASSERT_TRUE(file_->write_at(offset, bytes));
    if (expected_.size() < offset + bytes.size()) expected_.resize(offset + bytes.size());
    expected_.replace(offset, bytes.size(), bytes);
  }
  // Behind what was written there may be zeros.
  void check(File& file) {
    const uint64_t size = file.size().value();
    ASSERT_GE(size, expected_.size());
    std::string found(size, 'x');
    ASSERT_EQ(file.read_at(0, found).value(), size);
    EXPECT_TRUE(found.starts_with(expected_));
    EXPECT_EQ(found.find_first_not_of('\0', expected_.size()), std::string::npos);
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<File> file_;
  std::string expected_;
};

TEST_F(PosixFileTest, WritesInOrder) {
  write(0, text_of(100, 'a'));
  ASSERT_TRUE(file_->write_in_order(100));
  for (const size_t size : {1u, 3995u, 4096u, 5u, 8192u, 3u << 20, 4095u, 17u}) {
    write(expected_.size(), text_of(size, static_cast<char>('a' + size % 7)));
    ASSERT_TRUE(file_->sync());
    const auto other = directory_->open("file");  // a read through the same File would end the order
    ASSERT_TRUE(other);
    check(**other);
  }
  check(*file_);
}

TEST_F(PosixFileTest, AWriteElsewhereEndsTheOrder) {
  ASSERT_TRUE(file_->write_in_order(0));
  write(0, text_of(5000, 'a'));
  write(10, text_of(20, 'A'));
  write(5000, text_of(300, 'b'));
  ASSERT_TRUE(file_->write_in_order(5300));
  write(5300, text_of(70, 'c'));
  write(5370, text_of(5000, 'd'));
  check(*file_);
}

}  // namespace
}  // namespace kv::test
