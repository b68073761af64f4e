#include "base/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <iterator>

namespace base::log {
namespace {

// The process's one log: set before threads start, read by all. Not state that behaviour depends on.
std::atomic<Level> g_level{Level::kInfo};
std::atomic<Format> g_format{Format::kLogfmt};

constexpr std::string_view level_name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "";
}

void append_quoted(std::string& line, std::string_view text) {
  line += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(line), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      line += c;
    }
  }
  line += '"';
}

void append_value(std::string& line, std::string_view text) {
  bool plain = !text.empty();
  for (char c : text) plain = plain && c > ' ' && c != '"' && c != '=' && c != '\\' && c != 0x7f;
  if (plain) {
    line += text;
  } else {
    append_quoted(line, text);
  }
}

}  // namespace

void configure(Level level, Format format) {
  g_level = level;
  g_format = format;
}

void write(Level level, std::string_view message, Fields fields) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  const bool json = g_format.load(std::memory_order_relaxed) == Format::kJson;
  std::string line;
  if (json) {
    fmt::format_to(std::back_inserter(line), R"({{"time":"{:%FT%T}Z","level":"{}","msg":)", now, level_name(level));
  } else {
    fmt::format_to(std::back_inserter(line), "time={:%FT%T}Z level={} msg=", now, level_name(level));
  }
  append_quoted(line, message);
  for (const Field& field : fields) {
    if (json) {
      line += ',';
      append_quoted(line, field.key);
      line += ':';
      append_quoted(line, field.value);
    } else {
      line += ' ';
      line += field.key;
      line += '=';
      append_value(line, field.value);
    }
  }
  line += json ? "}\n" : "\n";
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace base::log
