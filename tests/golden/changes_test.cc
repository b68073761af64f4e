// What a write changes, found from encodings or from a struct, is what the comparison of the whole trees finds: for
// every kind, with objects that differ in a few places, in many, and in all.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>

#include "golden.h"
#include "object/json.h"
#include "schema/apply/new_fields.h"
#include "schema/apply/typed.h"
#include "schema/fieldpath/fields_v1.h"
#include "schema/proto_difference.h"
#include "schema/proto_struct.h"
#include "schema/proto_value.h"

namespace {

using object::Value;

std::string text_of(schema::FieldSet set) {
  std::string out;
  schema::append_fields_v1(out, set);
  return out;
}

// Without what the encoded forms leave out.
Value comparable(const schema::Message& message, const std::string& raw) {
  auto tree = schema::decode_value(message, raw);
  EXPECT_TRUE(tree);
  if (Value* metadata = tree->find("metadata"); metadata && metadata->object_if()) {
    metadata->object_if()->erase("managedFields");
  }
  return *std::move(tree);
}

// Nothing when the trees cannot be compared.
std::optional<std::string> whole_comparison(const schema::Message& message, const Value& before, const Value& after) {
  schema::Arena arena;
  auto changes = schema::compare(arena, schema::message_type(message), before, after);
  if (!changes) return std::nullopt;
  return "+" + text_of(changes->added) + "\n~" + text_of(changes->modified) + "\n-" + text_of(changes->removed);
}

std::optional<std::string> encoded_comparison(const schema::Message& message, const std::string& before,
                                              const std::string& after) {
  auto difference = schema::decode_difference(message, before, after);
  EXPECT_TRUE(difference);
  if (!difference) return std::nullopt;
  return whole_comparison(message, difference->before, difference->after);
}

using Struct = std::unique_ptr<void, void (*)(void*)>;

// Null for a message that has none.
Struct struct_of(const schema::Message& message, const std::string& raw) {
  if (!message.ops) return {nullptr, [](void*) {}};
  Struct made(message.ops->create(), message.ops->destroy);
  EXPECT_TRUE(schema::decode_struct(message, raw, made.get()));
  return made;
}

// Takes away, changes, repeats or swaps something somewhere in the tree.
class Mutation {
 public:
  explicit Mutation(uint32_t seed) : random_(seed) {}

  void apply(Value& value, int depth = 0) {
    if (object::Object* object = value.object_if(); object && !object->empty()) {
      object::Member& member = object->begin()[pick(object->size())];
      if (depth > 0 && pick(6) == 0) {
        object->erase(std::string(member.key));
      } else {
        apply(member.value, depth + 1);
      }
    } else if (object::Array* array = value.array_if(); array && !array->empty()) {
      const size_t at = pick(array->size());
      const size_t what = pick(8);
      if (what == 0) {
        array->erase(array->begin() + static_cast<ptrdiff_t>(at));
      } else if (what == 1) {
        Value copy = (*array)[at];
        array->push_back(std::move(copy));
      } else if (what == 2) {
        std::swap((*array)[0], (*array)[at]);
      } else {
        apply((*array)[at], depth + 1);
      }
    } else if (value.string_if()) {
      value = Value(*value.string_if() + "x");
    } else if (const int64_t* integer = value.int_if()) {
      value = Value(*integer == 0 ? int64_t{1} : int64_t{0});
    } else if (const bool* boolean = value.bool_if()) {
      value = Value(!*boolean);
    }
  }

 private:
  size_t pick(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random_); }
  std::mt19937 random_;
};

std::vector<golden::Sample> samples() {
  std::vector<golden::Sample> all = golden::file_samples();
  for (golden::Sample& sample : golden::generated_samples()) all.push_back(std::move(sample));
  std::erase_if(all, [](const golden::Sample& sample) { return !sample.message || sample.kind.empty(); });
  return all;
}

TEST(EncodedChanges, OfANewObject) {
  const std::set<std::string_view> kQuick = {"ConfigMap", "Deployment", "Endpoints",  "Event",  "Job",    "Lease",
                                             "Node",      "Pod",        "ReplicaSet", "Secret", "Service"};
  size_t direct = 0;
  size_t direct_of_structs = 0;
  for (const golden::Sample& sample : samples()) {
    const Value tree = comparable(*sample.message, sample.pb);
    schema::Arena arena;
    const auto fields = schema::new_fields(arena, *sample.message, sample.pb);
    if (!fields) {  // the trees are compared then; kinds that are written much do without
      EXPECT_EQ(kQuick.count(sample.kind), 0u) << sample.name;
      continue;
    }
    auto changes = schema::compare(arena, schema::message_type(*sample.message), Value(object::Object()), tree);
    ASSERT_TRUE(changes) << sample.name;
    const schema::FieldSet whole = schema::unite(arena, changes->added, changes->modified);
    const schema::Element managed[] = {schema::Element::field("metadata"), schema::Element::field("managedFields")};
    const auto owned = [&](schema::FieldSet set) {
      return text_of(schema::subtract_recursively(arena, set, schema::make_set_of_path(arena, managed)));
    };
    ASSERT_EQ(owned(*fields), text_of(whole)) << sample.name << "\n" << object::to_json(tree);
    ++direct;
    const Struct object = struct_of(*sample.message, sample.pb);
    const auto of_struct = object ? schema::new_fields(arena, *sample.message, object.get()) : std::nullopt;
    ASSERT_TRUE(!object || of_struct || kQuick.count(sample.kind) == 0) << sample.name;
    if (of_struct) {
      ASSERT_EQ(owned(*of_struct), text_of(whole)) << sample.name << "\n" << object::to_json(tree);
      ++direct_of_structs;
    }
  }
  EXPECT_GT(direct, 1000u);
  EXPECT_GT(direct_of_structs, 1000u);
}

TEST(EncodedChanges, BetweenTwoObjects) {
  std::map<const schema::Message*, std::string> last;
  size_t compared = 0;
  for (const golden::Sample& sample : samples()) {
    std::string& other = last[sample.message];
    const Value tree = comparable(*sample.message, sample.pb);
    for (uint32_t seed = 0; seed < 12; ++seed) {
      std::string raw = other;
      if (seed > 0) {
        Value changed = tree;
        Mutation mutation(seed + static_cast<uint32_t>(compared));
        for (uint32_t i = 0; i < 1 + seed % 4; ++i) mutation.apply(changed);
        raw.clear();
        if (!schema::encode_value(*sample.message, changed, raw)) continue;
      }
      const Value before = comparable(*sample.message, raw);
      const auto whole = whole_comparison(*sample.message, before, tree);
      if (!whole) continue;
      const auto found = encoded_comparison(*sample.message, raw, sample.pb);
      ASSERT_EQ(found.value_or("not comparable"), *whole) << sample.name << "\n"
                                                          << object::to_json(before) << "\n"
                                                          << object::to_json(tree);
      ++compared;
    }
    other = sample.pb;
  }
  EXPECT_GT(compared, 10000u);
}

}  // namespace
