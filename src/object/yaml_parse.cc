#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <unordered_map>

#include "codec/base64.h"
#include "codec/json_text.h"
#include "codec/limits.h"
#include "codec/utf8.h"
#include "object/yaml.h"
#include "object/yaml_scalar.h"

namespace object {
namespace {

// Thrown through yaml-cpp to stop it; caught in parse_yaml().
struct Stop {
  std::string message;
};

// How much a value costs to copy.
struct Cost {
  size_t nodes = 0;
  size_t bytes = 0;
};
void add_cost(const Value& value, Cost& cost) {
  ++cost.nodes;
  if (const std::string* text = value.string_if()) cost.bytes += text->size();
  if (const Array* array = value.array_if()) {
    for (const Value& element : *array) add_cost(element, cost);
  }
  if (const Object* object = value.object_if()) {
    for (const Member& member : *object) {
      cost.bytes += member.key.size();
      add_cost(member.value, cost);
    }
  }
}

// Builds the value from yaml-cpp's events; its node graph would cost several times the memory.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const YamlOptions& options) : options_(options) {}
  Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(nullptr, mark, anchor); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(mark, "anchor contains itself");
    charge(found->second, mark);
    add(found->second, mark, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (tag == "?" && text == "<<" && expects_key()) {
      frames_.back().merging = true;
      frames_.back().has_key = true;
      return;
    }
    add(scalar(mark, tag, text), mark, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Array(), mark, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Object(), mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  // A sequence or mapping that is not yet closed.
  struct Frame {
    Value value;
    YAML::Mark mark;
    YAML::anchor_t anchor;
    std::string key;  // of the member whose value is next
    bool has_key = false;
    bool merging = false;                               // that member is <<
    std::unordered_map<std::string, size_t> positions;  // of members by key
    std::unordered_map<std::string, bool> merged;       // keys that came with << and may be set again
  };

  [[noreturn]] static void fail(const YAML::Mark& mark, const std::string& what) {
    throw Stop{"yaml: line " + std::to_string(mark.line + 1) + ": " + what};
  }

  bool expects_key() const { return !frames_.empty() && frames_.back().value.is_object() && !frames_.back().has_key; }

  void open(Value value, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (expects_key()) fail(mark, "a mapping key must be a scalar");
    if (frames_.size() >= static_cast<size_t>(codec::kMaxDepth)) fail(mark, "exceeded max depth");
    frames_.push_back({std::move(value), mark, anchor, {}, false, false, {}, {}});
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    add(std::move(frame.value), frame.mark, frame.anchor);
  }

  // A finished value, into the innermost open one.
  void add(Value value, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (++nodes_ > codec::kMaxYamlNodes) fail(mark, "document has too many values");
    if (anchor != 0) {
      charge(value, mark);  // it is kept twice
      anchors_[anchor] = value;
    }
    if (frames_.empty()) {
      root_ = std::move(value);
      return;
    }
    Frame& frame = frames_.back();
    if (Array* array = frame.value.array_if()) {
      array->push_back(std::move(value));
    } else if (!frame.has_key) {
      frame.key = key_text(value, mark);
      frame.has_key = true;
      note_duplicate(frame, mark);
    } else if (frame.merging) {
      merge(frame, value, mark);
      frame.merging = frame.has_key = false;
    } else {
      frame.merged.erase(frame.key);
      set(frame, frame.key, std::move(value));
      frame.has_key = false;
    }
  }

  static void set(Frame& frame, const std::string& key, Value value) {
    Object& object = *frame.value.object_if();
    const auto [found, is_new] = frame.positions.emplace(key, object.size());
    if (is_new) {
      object.append(key, std::move(value));
    } else {
      (object.begin() + found->second)->value = std::move(value);
    }
  }

  void note_duplicate(const Frame& frame, const YAML::Mark& mark) {
    if (!options_.duplicate_keys || !frame.positions.contains(frame.key) || frame.merged.contains(frame.key)) return;
    options_.duplicate_keys->push_back("line " + std::to_string(mark.line + 1) + ": key " +
                                       codec::go_quoted(frame.key) + " already set in map");
  }

  // << takes a mapping or a sequence of them; what the mapping has of its own wins.
  void merge(Frame& frame, const Value& from, const YAML::Mark& mark) {
    if (const Array* array = from.array_if()) {
      for (const Value& element : *array) {
        if (!element.is_object()) fail(mark, "map merge requires map or sequence of maps as the value");
        merge(frame, element, mark);
      }
      return;
    }
    if (!from.is_object()) fail(mark, "map merge requires map or sequence of maps as the value");
    for (const Member& member : *from.object_if()) {
      if (frame.positions.contains(member.key)) continue;
      set(frame, member.key, member.value);
      frame.merged.emplace(member.key, true);
    }
  }

  static std::string key_text(const Value& key, const YAML::Mark& mark) {
    if (const std::string* text = key.string_if()) return *text;
    if (const bool* truth = key.bool_if()) return *truth ? "true" : "false";
    if (!key.is_number()) fail(mark, "unsupported map key");
    return to_json(key);
  }

  static Value scalar(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
    constexpr std::string_view kPrefix = "tag:yaml.org,2002:";
    const std::string name = tag.starts_with(kPrefix) ? tag.substr(kPrefix.size()) : "";
    if (name == "binary") {
      std::optional<std::string> bytes = codec::parse_base64(text);
      if (!bytes) fail(mark, "!!binary value contains invalid base64 data");
      return codec::utf8_repaired(*bytes);
    }
    const bool typed = name == "int" || name == "float" || name == "bool" || name == "null" || name == "timestamp";
    if (tag != "?" && !typed) return codec::utf8_valid(text) ? text : codec::utf8_repaired(text);
    PlainScalar plain = resolve_plain_scalar(text);
    if (plain.kind == ScalarKind::kInfinity) {
      throw Stop{"json: unsupported value: " + text};
    }
    constexpr std::string_view kNames[] = {"str", "null", "bool", "int", "float", "timestamp"};
    const std::string_view found = kNames[static_cast<size_t>(plain.kind)];
    if (typed && found != name && !(name == "float" && found == "int")) {
      fail(mark, "cannot decode !!" + std::string(found) + " `" + text + "` as a !!" + name);
    }
    const std::string* kept = plain.value.string_if();
    return kept && !codec::utf8_valid(*kept) ? Value(codec::utf8_repaired(*kept)) : std::move(plain.value);
  }

  // Copies are what a small document becomes a large one by.
  void charge(const Value& value, const YAML::Mark& mark) {
    add_cost(value, copied_);
    if (copied_.nodes > codec::kMaxYamlAliasNodes || copied_.bytes > codec::kMaxYamlAliasBytes) {
      fail(mark, "document contains excessive aliasing");
    }
  }

  const YamlOptions& options_;
  Value root_;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, Value> anchors_;
  Cost copied_;
  size_t nodes_ = 0;
};

// What upstream's parser says where ours stops, of the faults that people make.
std::string_view upstream_words(std::string_view ours) {
  const std::pair<std::string_view, std::string_view> words[] = {
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "did not find expected ',' or ']'"},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "did not find expected ',' or '}'"},
      {YAML::ErrorMsg::END_OF_SEQ, "did not find expected '-' indicator"},
      {YAML::ErrorMsg::END_OF_MAP, "did not find expected key"},
      {YAML::ErrorMsg::MAP_VALUE, "mapping values are not allowed in this context"},
      {YAML::ErrorMsg::BLOCK_ENTRY, "block sequence entries are not allowed in this context"},
      {YAML::ErrorMsg::UNKNOWN_TOKEN, "found character that cannot start any token"},
      {YAML::ErrorMsg::TAB_IN_INDENTATION, "found character that cannot start any token"},
      {YAML::ErrorMsg::EOF_IN_SCALAR, "found unexpected end of stream"},
  };
  for (const auto& [from, to] : words) {
    if (ours == from) return to;
  }
  return ours;
}

std::unexpected<base::Error> bad_yaml(const std::string& why) {
  return base::fail(base::Reason::kBadRequest, "error converting YAML to JSON: " + why);
}

// A line that separates documents.
bool is_separator(std::string_view line) {
  return line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

bool has_content(std::string_view document) {
  while (!document.empty()) {
    const size_t end = std::min(document.find('\n'), document.size());
    const std::string_view line = document.substr(0, end);
    const size_t first = line.find_first_not_of(" \t\r");
    if (first != std::string_view::npos && line[first] != '#') return true;
    document.remove_prefix(std::min(end + 1, document.size()));
  }
  return false;
}

}  // namespace

base::Result<Value> parse_yaml(std::string_view text, const YamlOptions& options) {
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(options);
    parser.HandleNextDocument(builder);
    return builder.take();
  } catch (const Stop& stop) {
    return bad_yaml(stop.message);
  } catch (const YAML::Exception& error) {
    return bad_yaml("yaml: line " + std::to_string(error.mark.line + 1) + ": " +
                    std::string(upstream_words(error.msg)));
  } catch (const std::exception& error) {
    return bad_yaml(std::string("yaml: ") + error.what());
  }
}

std::vector<std::string_view> split_yaml_documents(std::string_view text) {
  std::vector<std::string_view> documents;
  size_t start = 0;
  const auto finish = [&](size_t end) {
    const std::string_view document = text.substr(start, end - start);
    if (has_content(document)) documents.push_back(document);
  };
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (is_separator(text.substr(at, end - at))) {
      finish(at);
      start = at + 3;
    }
    at = end + 1;
  }
  finish(text.size());
  return documents;
}

}  // namespace object
