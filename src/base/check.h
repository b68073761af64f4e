// A bug is a CHECK: always compiled in, prints what failed and where, aborts.
#pragma once

namespace base {
// Prints file, line and text to standard error and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* text);
}  // namespace base

#define CHECK(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::base::check_failed(__FILE__, __LINE__, #condition))
