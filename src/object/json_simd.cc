// The quick ways to a Value and to a TextTree, by simdjson: for documents that need none of Go's peculiarities.
#include "object/json_simd.h"

#include <simdjson.h>

#include <memory_resource>
#include <unordered_set>

#include "codec/json_text.h"
#include "codec/limits.h"
#include "object/text_tree.h"

namespace object {
namespace {

using Type = simdjson::dom::element_type;

// A parser has some 14 bytes of memory for each byte of the text. One is kept for each thread: new memory would have to
// be cleared by the system for each document.
class Parser {
 public:
  Parser() : parser_(std::move(spare())) {
    if (!parser_) parser_ = std::make_unique<simdjson::dom::parser>();
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() {
    if (parser_->capacity() <= kMostKept) spare() = std::move(parser_);
  }
  bool parse(std::string_view text, simdjson::dom::element& root) {
    return parser_->parse(text.data(), text.size()).get(root) == simdjson::SUCCESS;
  }

 private:
  static constexpr size_t kMostKept = size_t{64} << 10;
  static std::unique_ptr<simdjson::dom::parser>& spare() {
    thread_local std::unique_ptr<simdjson::dom::parser> parser;
    return parser;
  }

  std::unique_ptr<simdjson::dom::parser> parser_;
};

bool convert(simdjson::dom::element element, Value& out, int depth);

bool has_key(const Object& object, std::string_view key) {
  for (const Member& member : object) {
    if (member.key == key) return true;
  }
  return false;
}

bool convert_object(simdjson::dom::object from, Value& out, int depth) {
  if (depth > codec::kMaxDepth) return false;
  out = Object();
  Object& object = *out.object_if();
  const size_t size = from.size();
  object.reserve(size);
  std::unordered_set<std::string_view> keys;  // of large objects; they point into simdjson's buffer
  for (const auto [key, value] : from) {
    const bool repeated = size < Object::kIndexFrom ? has_key(object, key) : !keys.insert(key).second;
    if (repeated || !convert(value, object.append(std::string(key), Value()), depth)) return false;
  }
  return true;
}

bool convert_array(simdjson::dom::array from, Value& out, int depth) {
  if (depth > codec::kMaxDepth) return false;
  out = Array();
  Array& array = *out.array_if();
  array.reserve(from.size());
  for (const simdjson::dom::element element : from) {
    if (!convert(element, array.emplace_back(), depth)) return false;
  }
  return true;
}

bool convert(simdjson::dom::element element, Value& out, int depth) {
  switch (element.type()) {
    case Type::OBJECT:
      return convert_object(element.get_object().value_unsafe(), out, depth + 1);
    case Type::ARRAY:
      return convert_array(element.get_array().value_unsafe(), out, depth + 1);
    case Type::STRING:
      out = std::string(element.get_string().value_unsafe());
      return true;
    case Type::INT64:
      out = element.get_int64().value_unsafe();
      return true;
    case Type::UINT64:
      out = static_cast<double>(element.get_uint64().value_unsafe());
      return true;
    case Type::DOUBLE:
      out = element.get_double().value_unsafe();
      return true;
    case Type::BOOL:
      out = element.get_bool().value_unsafe();
      return true;
    case Type::NULL_VALUE:
      out = nullptr;
      return true;
  }
  return false;
}

void append_text(std::string& out, const TextValue& value) {
  if (const bool* flag = value.bool_if()) {
    out += *flag ? "true" : "false";
  } else if (const int64_t* integer = value.int_if()) {
    codec::append_json_int(out, *integer);
  } else if (const double* real = value.double_if()) {
    codec::append_json_double(out, *real);
  } else if (const std::string_view* text = value.string_if()) {
    codec::append_json_string(out, *text);
  } else if (const TextArray* array = value.array_if()) {
    out += '[';
    for (const TextValue& item : *array) {
      if (&item != array->data()) out += ',';
      append_text(out, item);
    }
    out += ']';
  } else if (const TextObject* object = value.object_if()) {
    out += '{';
    for (const TextMember& member : *object) {
      if (&member != object->begin()) out += ',';
      codec::append_json_string(out, member.key);
      out += ':';
      append_text(out, member.value);
    }
    out += '}';
  } else {
    out += "null";
  }
}

}  // namespace

bool parse_json_simd(std::string_view text, Value& out) {
  Parser parser;
  simdjson::dom::element root;
  return parser.parse(text, root) && convert(root, out, 0);
}

// The memory of a tree.
class TextTree::Reader {
 public:
  bool read(std::string_view text, TextValue& root) {
    simdjson::dom::element element;
    return parser_.parse(text, element) && read(element, root, 0);
  }

 private:
  static constexpr size_t kFirstBlockBytes = size_t{16} << 10;  // what a Pod's nodes take

  template <typename T>
  T* make(size_t count) {
    T* made = static_cast<T*>(nodes_.allocate(count * sizeof(T), alignof(T)));
    std::uninitialized_default_construct_n(made, count);
    return made;
  }

  bool read(simdjson::dom::element element, TextValue& out, int depth) {
    switch (element.type()) {
      case Type::OBJECT:
        return read_object(element.get_object().value_unsafe(), out, depth + 1);
      case Type::ARRAY:
        return read_array(element.get_array().value_unsafe(), out, depth + 1);
      case Type::STRING:
        out = TextValue(element.get_string().value_unsafe());
        return true;
      case Type::INT64:
        out = TextValue(element.get_int64().value_unsafe());
        return true;
      case Type::UINT64:
        out = TextValue(static_cast<double>(element.get_uint64().value_unsafe()));
        return true;
      case Type::DOUBLE:
        out = TextValue(element.get_double().value_unsafe());
        return true;
      case Type::BOOL:
        out = TextValue(element.get_bool().value_unsafe());
        return true;
      case Type::NULL_VALUE:
        out = TextValue();
        return true;
    }
    return false;
  }

  bool read_object(simdjson::dom::object from, TextValue& out, int depth) {
    const size_t size = from.size();
    if (depth > codec::kMaxDepth || size >= kManyMembers) return false;
    TextMember* members = make<TextMember>(size);
    size_t count = 0;
    std::unordered_set<std::string_view> keys;
    for (const auto [key, value] : from) {
      const bool repeated =
          size < Object::kIndexFrom ? TextObject(members, count).find(key) != nullptr : !keys.insert(key).second;
      members[count].key = key;
      if (repeated || !read(value, members[count].value, depth)) return false;
      ++count;
    }
    out = TextValue(TextObject(members, count));
    return true;
  }

  bool read_array(simdjson::dom::array from, TextValue& out, int depth) {
    const size_t size = from.size();
    if (depth > codec::kMaxDepth || size >= kManyMembers) return false;
    TextValue* items = make<TextValue>(size);
    size_t count = 0;
    for (const simdjson::dom::element item : from) {
      if (!read(item, items[count++], depth)) return false;
    }
    out = TextValue(TextArray(items, count));
    return true;
  }

  static constexpr size_t kManyMembers = 0xffffff;  // simdjson counts no further
  Parser parser_;
  std::pmr::monotonic_buffer_resource nodes_{kFirstBlockBytes};
};

TextTree::TextTree() : reader_(std::make_unique<Reader>()) {}
TextTree::~TextTree() = default;
bool TextTree::read(std::string_view text) { return reader_->read(text, root_); }

const TextValue* TextObject::find(std::string_view key) const {
  for (const TextMember& member : *this) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::string to_json(const TextValue& value) {
  std::string out;
  append_text(out, value);
  return out;
}

}  // namespace object
