#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace base {

void check_failed(const char* file, int line, const char* text) {
  std::fprintf(stderr, "CHECK failed at %s:%d: %s\n", file, line, text);
  std::abort();
}

}  // namespace base
