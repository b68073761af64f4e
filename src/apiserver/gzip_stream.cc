#include "apiserver/gzip_stream.h"

#include <zlib.h>

#include "base/check.h"

namespace apiserver {

struct GzipStream::State {
  z_stream stream{};
};

namespace {
// Compat: upstream compresses at level 1 too.
constexpr int kLevel = 1;
constexpr int kGzipFormat = 15 + 16;

std::string pump(z_stream& stream, std::string_view bytes, int flush) {
  std::string out;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  char buffer[32 * 1024];
  do {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof(buffer);
    deflate(&stream, flush);
    out.append(buffer, sizeof(buffer) - stream.avail_out);
  } while (stream.avail_out == 0);
  return out;
}
}  // namespace

GzipStream::GzipStream() : state_(std::make_unique<State>()) {
  CHECK(deflateInit2(&state_->stream, kLevel, Z_DEFLATED, kGzipFormat, 8, Z_DEFAULT_STRATEGY) == Z_OK);
}
GzipStream::~GzipStream() { deflateEnd(&state_->stream); }
std::string GzipStream::add(std::string_view bytes) { return pump(state_->stream, bytes, Z_NO_FLUSH); }
std::string GzipStream::finish() { return pump(state_->stream, {}, Z_FINISH); }

}  // namespace apiserver
