// A gzip body made piece by piece, at the speed that suits answers under way. Thread: one at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace apiserver {

class GzipStream {
 public:
  GzipStream();
  ~GzipStream();
  // What is ready to be sent; may be empty.
  std::string add(std::string_view bytes);
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace apiserver
