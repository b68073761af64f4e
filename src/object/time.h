// Text forms of Time, MicroTime and Duration, and ages for people. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "object/types.h"

namespace object {

Time to_time(base::WallTime time);
MicroTime to_micro_time(base::WallTime time);
// The zero time becomes base::WallTime::min(), as do times before 1678; times after 2261 become WallTime::max().
base::WallTime to_wall_time(const Time& time);
base::WallTime to_wall_time(const MicroTime& time);

// RFC 3339 with any offset and an optional fraction. Errors are kBadRequest with the text of Go's time.Parse.
base::Result<Time> parse_time(std::string_view text);
// RFC 3339 with exactly six digits of fraction.
base::Result<MicroTime> parse_micro_time(std::string_view text);
// UTC, whole seconds (the fraction is cut off): 2024-02-29T23:59:59Z. Zero is 0001-01-01T00:00:00Z: callers write null.
void append_time(std::string& out, const Time& time);
std::string format_time(const Time& time);
// UTC, six digits of fraction: 2024-02-29T23:59:59.123456Z.
void append_micro_time(std::string& out, const MicroTime& time);
std::string format_micro_time(const MicroTime& time);

// Go's duration text: 1h30m0s, 1.5s, 300ms, 0s.
base::Result<Duration> parse_duration(std::string_view text);
void append_duration(std::string& out, const Duration& duration);
std::string format_duration(const Duration& duration);
inline std::string format_duration(base::Duration duration) { return format_duration(Duration{duration.count()}); }

// An age as kubectl prints it: 45s, 3m20s, 5h, 2d3h, 400d, 2y60d. `<invalid>` when more than a second negative.
std::string human_duration(base::Duration duration);
// The age of something created at `created`; `<unknown>` for the zero time.
std::string human_age(const Time& created, base::WallTime now);

}  // namespace object
