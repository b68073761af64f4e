// What finding the matches of a label selector costs, of 1 % of the objects: by signature, and by looking at each.
// Usage: list_bench
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/wire.h"
#include "kv/store.h"
#include "schema/envelope.h"
#include "schema/metadata_view.h"
#include "storage/keys.h"
#include "storage/signature.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kPodBytes = 5800;
constexpr int kRepeat = 20;

std::string pod(size_t i) {
  std::string metadata, spec, raw, out;
  codec::append_bytes_field(metadata, 1, "load-pod-" + std::to_string(i));
  const std::pair<std::string, std::string> labels[] = {{"app", "app-" + std::to_string(i % 100)},
                                                        {"app.kubernetes.io/part-of", "storefront"},
                                                        {"pod-template-hash", "6d4b75cb6d"},
                                                        {"tier", "backend"}};
  for (const auto& [key, value] : labels) {
    std::string entry;
    codec::append_bytes_field(entry, 1, key);
    codec::append_bytes_field(entry, 2, value);
    codec::append_bytes_field(metadata, 11, entry);
  }
  codec::append_bytes_field(spec, 2, std::string(kPodBytes, 'x'));
  codec::append_bytes_field(spec, 10, "node-" + std::to_string(i % 100));
  codec::append_bytes_field(raw, 1, metadata);
  codec::append_bytes_field(raw, 2, spec);
  schema::wrap({"v1", "Pod"}, raw, out);
  return out;
}

bool is_app_7(const kv::KeyValueRef& kv) {
  const auto envelope = schema::unwrap(kv->value.view());
  const auto metadata = schema::view_metadata(envelope->raw);
  return schema::find(metadata->labels, "app") == "app-7";
}

template <typename F>
double nanoseconds_each(size_t count, F&& run) {
  const auto start = Clock::now();
  run();
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / static_cast<double>(count);
}

void measure(size_t count) {
  const storage::ObjectSigner signer;
  std::vector<kv::KeyValueRef> records;
  for (size_t i = 0; i < count; ++i) {
    const std::string key = storage::object_key("/registry/pods", "load-ns-" + std::to_string(i % 10),
                                                "load-pod-" + std::to_string(10'000'000 + i));
    records.push_back(kv::KeyValueRef::make(
        {.key = base::SharedBytes(key), .value = base::SharedBytes(pod(i)), .mod_revision = 1, .version = 1}));
  }
  kv::Tree signed_tree(&signer), plain;
  const double set_plain = nanoseconds_each(count, [&] {
    for (const auto& record : records) plain.set(record);
  });
  const double set_signed = nanoseconds_each(count, [&] {
    for (const auto& record : records) signed_tree.set(record);
  });
  const kv::Snapshot snapshot(signed_tree, 1);
  const kv::Signature wanted[] = {storage::label_signature("app", "app-7")};
  size_t looked_at = 0, found = 0, walked = 0;
  const double by_signature = nanoseconds_each(count * kRepeat, [&] {
    for (int i = 0; i < kRepeat; ++i) {
      snapshot.range_covering("/registry/pods/", "/registry/pods0", wanted, [&](const kv::KeyValueRef& kv) {
        ++looked_at;
        found += is_app_7(kv);
        return kv::Visit::kContinue;
      });
    }
  });
  const double by_walk = nanoseconds_each(count * kRepeat, [&] {
    for (int i = 0; i < kRepeat; ++i) {
      snapshot.range("/registry/pods/", "/registry/pods0", [&](const kv::KeyValueRef& kv) {
        walked += is_app_7(kv);
        return kv::Visit::kContinue;
      });
    }
  });
  CHECK(found == walked && found == count / 100 * kRepeat);
  std::printf(
      "%7zu Pods: by signature %5.1f ns each (%zu looked at for %zu), by walk %6.1f ns; set %4.0f ns, unsigned %4.0f\n",
      count, by_signature, looked_at / kRepeat, found / kRepeat, by_walk, set_signed, set_plain);
}

}  // namespace

int main() {
  measure(10'000);
  measure(100'000);
}
