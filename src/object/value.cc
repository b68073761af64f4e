#include "object/value.h"

#include <algorithm>
#include <numeric>

namespace object {

Object::Object() = default;
Object::Object(const Object&) = default;
Object::Object(Object&&) noexcept = default;
Object& Object::operator=(const Object&) = default;
Object& Object::operator=(Object&&) noexcept = default;
Object::~Object() = default;

bool Object::empty() const { return members_.empty(); }
size_t Object::size() const { return members_.size(); }
Member* Object::begin() { return members_.data(); }
Member* Object::end() { return members_.data() + members_.size(); }
const Member* Object::begin() const { return members_.data(); }
const Member* Object::end() const { return members_.data() + members_.size(); }

size_t Object::index_of(std::string_view key) const {
  if (members_.size() < kIndexFrom) {
    for (size_t i = 0; i < members_.size(); ++i) {
      if (members_[i].key == key) return i;
    }
    return members_.size();
  }
  const auto key_at = [this](uint32_t i) -> std::string_view { return members_[i].key; };
  if (index_.empty()) {
    index_.resize(members_.size());
    std::iota(index_.begin(), index_.end(), 0U);
    std::ranges::sort(index_, {}, key_at);
  }
  auto found = std::ranges::lower_bound(index_, key, {}, key_at);
  return found != index_.end() && key_at(*found) == key ? *found : members_.size();
}

Value* Object::find(std::string_view key) {
  size_t i = index_of(key);
  return i < members_.size() ? &members_[i].value : nullptr;
}
const Value* Object::find(std::string_view key) const {
  size_t i = index_of(key);
  return i < members_.size() ? &members_[i].value : nullptr;
}

Value& Object::set(std::string_view key, Value value) {
  Value& slot = (*this)[key];
  slot = std::move(value);
  return slot;
}

Value& Object::operator[](std::string_view key) {
  if (Value* found = find(key)) return *found;
  return append(std::string(key), Value());
}

Value& Object::append(std::string key, Value value) {
  if (!index_.empty()) {  // keep the index: insert the new position in its place
    auto key_at = [this](uint32_t i) -> std::string_view { return members_[i].key; };
    auto place = std::ranges::upper_bound(index_, std::string_view(key), {}, key_at);
    index_.insert(place, static_cast<uint32_t>(members_.size()));
  }
  members_.push_back({std::move(key), std::move(value)});
  return members_.back().value;
}

bool Object::erase(std::string_view key) {
  size_t i = index_of(key);
  if (i == members_.size()) return false;
  members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(i));
  index_.clear();
  return true;
}

void Object::sort_by_key() {
  std::ranges::sort(members_, {}, &Member::key);
  index_.clear();
}

void Object::reserve(size_t count) { members_.reserve(count); }

bool Object::operator==(const Object& other) const {
  if (size() != other.size()) return false;
  return std::ranges::all_of(members_, [&](const Member& member) {
    const Value* match = other.find(member.key);
    return match && member.value == *match;
  });
}

const Value* Value::at_path(std::initializer_list<std::string_view> path) const {
  const Value* value = this;
  for (std::string_view key : path) {
    value = value->find(key);
    if (!value) return nullptr;
  }
  return value;
}

std::string_view Value::string_at(std::initializer_list<std::string_view> path) const {
  const Value* value = at_path(path);
  const std::string* text = value ? value->string_if() : nullptr;
  return text ? std::string_view(*text) : std::string_view();
}

bool Value::operator==(const Value& other) const {
  if (is_number() && other.is_number() && kind() != other.kind()) {
    const int64_t integer = is_int() ? *int_if() : *other.int_if();
    const double real = is_int() ? *other.double_if() : *double_if();
    return static_cast<double>(integer) == real;
  }
  return data_ == other.data_;
}

}  // namespace object
