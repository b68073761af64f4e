// Compile errors with their places, and the text in which clients see them. Private to this folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cel {

class Issues {
 public:
  explicit Issues(std::string_view source) : source_(source) {}
  void add(uint32_t position, std::string message);
  bool empty() const { return count_ == 0; }
  // One block for each error, in order of place: ERROR: <input>:line:column: message, the line, and a mark under it.
  std::string display() const;

 private:
  struct Issue {
    uint32_t line, column;
    std::string message;
  };
  void append(std::string& out, const Issue& issue) const;
  std::string_view source_;
  size_t count_ = 0;
  std::vector<Issue> issues_;
};

}  // namespace cel
