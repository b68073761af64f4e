#include "golden.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/check.h"
#include "codec/base64.h"
#include "gen/catalogue.h"
#include "object/json.h"
#include "schema/envelope.h"

namespace golden {
namespace {

const schema::Message* message_of(const schema::TypeMeta& type) {
  if (type.kind.empty()) return gen::find_message("meta.v1", "WatchEvent");  // the one object without a type of its own
  size_t slash = type.api_version.find('/');
  bool grouped = slash != std::string_view::npos;
  std::string_view group = grouped ? type.api_version.substr(0, slash) : std::string_view();
  std::string_view version = grouped ? type.api_version.substr(slash + 1) : type.api_version;
  const schema::Kind* kind = gen::find_kind(group, version, type.kind);
  // The kinds of meta.v1 belong to every group version.
  if (!kind) kind = gen::find_kind("meta.k8s.io", "v1", type.kind);
  return kind ? kind->message : nullptr;
}

std::string compact(std::string_view json) {
  auto value = object::parse_json(json);
  CHECK(value);
  return object::to_json(*value);
}

// Takes the message out of its envelope.
void identify(Sample& sample) {
  auto envelope = schema::unwrap(sample.pb);
  CHECK(envelope);
  sample.message = message_of(envelope->type);
  sample.api_version = envelope->type.api_version;
  sample.kind = envelope->type.kind;
  sample.envelope = sample.pb;
  sample.pb = std::string(envelope->raw);
  sample.pb_from_json = std::string(schema::unwrap(sample.pb_from_json)->raw);
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string path_of(const std::string& relative) { return std::string(KEELSON_FIXTURES) + "/" + relative; }

std::vector<Sample> file_samples() {
  std::vector<Sample> samples;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path_of(""))) {
    if (entry.path().extension() != ".pb") continue;
    Sample sample = {};
    sample.name = entry.path().stem().string() + " of " + entry.path().parent_path().filename().string();
    sample.pb = sample.pb_from_json = read_file(entry.path().string());
    sample.pretty_json = read_file(std::filesystem::path(entry.path()).replace_extension(".json").string());
    sample.json = sample.json_from_pb = compact(sample.pretty_json);
    identify(sample);
    samples.push_back(std::move(sample));
  }
  std::ranges::sort(samples, {}, &Sample::name);
  return samples;
}

std::vector<Sample> generated_samples() {
  std::vector<Sample> samples;
  std::ifstream file(path_of("random.jsonl"));
  for (std::string line; std::getline(file, line);) {
    auto value = object::parse_json(line);
    CHECK(value);
    auto text = [&](std::string_view key) { return std::string(value->string_at({key})); };
    auto bytes = [&](std::string_view key) { return *codec::parse_base64(value->string_at({key})); };
    Sample sample = {};
    sample.name = text("Kind") + " " + text("Group") + "/" + text("Version") + " " + text("Variant");
    sample.json = text("JSON");
    sample.pb = bytes("PB");
    sample.json_from_pb = text("JSONFromPB");
    sample.pb_from_json = bytes("PBFromJSON");
    while (sample.json.ends_with('\n')) sample.json.pop_back();
    while (sample.json_from_pb.ends_with('\n')) sample.json_from_pb.pop_back();
    if (schema::has_envelope(sample.pb)) {
      identify(sample);
    } else {
      auto found = std::ranges::find(gen::messages(), text("Kind"), &schema::Message::proto_name);
      sample.message = found == gen::messages().end() ? nullptr : *found;
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace golden
