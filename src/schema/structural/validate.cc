// Validation of values. A first pass only says whether the value is valid, without building a text; the second runs
// when it is not, and says what is wrong in upstream's words and with upstream's choice among the branches of anyOf and
// oneOf: the one that matched most checks.
#include <cmath>
#include <unordered_set>

#include "codec/json_text.h"
#include "object/json.h"
#include "schema/patch/go_text.h"
#include "schema/structural/compiled.h"
#include "schema/structural/correlation.h"
#include "schema/structural/limits.h"

namespace schema {
namespace structural {
namespace {

using object::Array;
using object::BadValue;
using object::FieldError;
using object::FieldErrors;
using object::FieldErrorType;
using object::FieldPath;
using object::Object;
using object::Value;

enum class Pass : uint8_t { kQuick, kReport };

struct Issue {
  FieldErrorType type = FieldErrorType::kInvalid;
  std::string name;  // the path from the validated value; "" = the value itself
  std::string bad_value;
  std::string detail;
};

struct Outcome {
  std::vector<Issue> issues;
  uint32_t matches = 0;  // checks that passed: picks the branch whose errors are shown
  bool failed = false;

  void merge(Outcome other) {
    failed |= other.failed;
    matches += other.matches;
    for (Issue& issue : other.issues) {
      if (issues.size() < kMaxSchemaErrors) issues.push_back(std::move(issue));
    }
  }
};

bool is_json_integer(double value) {
  constexpr double kMax = 9007199254740991.0;
  return std::isfinite(value) && std::abs(value) <= kMax && value == std::trunc(value);
}

int64_t code_points(std::string_view text) {
  int64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

int64_t to_integer(double value) {
  if (value >= 9223372036854775807.0) return INT64_MAX;
  if (value <= -9223372036854775808.0) return INT64_MIN;
  return static_cast<int64_t>(value);
}

// What the value is, in a schema's words.
std::string_view type_of(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kBool:
      return "boolean";
    case Value::Kind::kInt:
      return "integer";
    case Value::Kind::kDouble:
      return "number";
    case Value::Kind::kString:
      return "string";
    case Value::Kind::kArray:
      return "array";
    case Value::Kind::kObject:
      return "object";
  }
  return "";
}

std::string text_of(const FieldPath& at) { return at.empty() ? "" : at.to_string(); }

// A value as upstream's field errors show it: floats as Go's %v, nil as a word in quotes.
std::string shown(const Value& value) {
  if (value.is_null()) return "\"null\"";
  if (const double* real = value.double_if()) {
    std::string out;
    append_go_float(out, *real);
    return out;
  }
  return BadValue(value).text();
}

class Validator {
 public:
  Validator(const Compiled& schema, Pass pass) : schema_(schema), report_(pass == Pass::kReport) {}

  void check(const Node& node, const Value& value, const FieldPath& at, const Correlation* old, Outcome& out) {
    if (value.is_null()) {
      if ((node.type != Type::kUnset || node.is(kIntOrString)) && !node.is(kNullable)) {
        type_issue(out, at, type_text(node), "null");
      } else {
        ++out.matches;
      }
      check_enum(node, value, at, out);
      return;
    }
    check_type(node, value, at, out);
    if (stop(out)) return;
    if (const Checks* checks = schema_.checks_of(node)) {
      check_branches(*checks, value, at, old, out);
      if (stop(out)) return;
      check_string(*checks, value, at, out);
      check_number(*checks, value, at, out);
      if (stop(out)) return;
    } else {
      out.matches += value.is_string() ? 3 : value.is_number() ? 4 : 2;
    }
    if (const Array* items = value.array_if()) check_array(node, *items, at, old, out);
    check_enum(node, value, at, out);
    if (stop(out)) return;
    if (const Object* members = value.object_if()) check_object(node, *members, at, old, out);
    ++out.matches;
  }

 private:
  bool stop(const Outcome& out) const { return out.failed && !report_; }

  static std::string_view type_text(const Node& node) {
    return node.is(kIntOrString) ? std::string_view("integer,string") : type_name(node.type);
  }

  template <typename Make>
  void fail(Outcome& out, Make&& make) {
    out.failed = true;
    if (report_ && out.issues.size() < kMaxSchemaErrors) out.issues.push_back(make());
  }

  void type_issue(Outcome& out, const FieldPath& at, std::string_view wanted, std::string_view found) {
    fail(out, [&] {
      const std::string name = text_of(at), quoted = codec::go_quoted(found);
      return Issue{FieldErrorType::kTypeInvalid, name, quoted,
                   name + " in body must be of type " + std::string(wanted) + ": " + quoted};
    });
  }

  // `spec.a in body should …` on a value.
  void invalid(Outcome& out, const FieldPath& at, const Value& value, const auto& rule) {
    fail(out, [&] {
      const std::string name = text_of(at);
      return Issue{FieldErrorType::kInvalid, name, shown(value), name + " in body " + rule()};
    });
  }

  // A junctor's own error. Compat: it has no field.
  void branch_issue(Outcome& out, const FieldPath& at, std::string_view text) {
    fail(out, [&] {
      return Issue{FieldErrorType::kInvalid, "", "\"\"", codec::go_quoted(text_of(at)) + ' ' + std::string(text)};
    });
  }

  static bool type_matches(const Node& node, const Value& value) {
    const auto is = [&](Type type) {
      switch (type) {
        case Type::kInteger:
          return value.is_int() || (value.double_if() && is_json_integer(*value.double_if()));
        case Type::kNumber:
          return value.is_number();
        default:
          return type_name(type) == type_of(value);
      }
    };
    return node.is(kIntOrString) ? is(Type::kInteger) || is(Type::kString) : is(node.type);
  }

  void check_type(const Node& node, const Value& value, const FieldPath& at, Outcome& out) {
    const Checks* checks = schema_.checks_of(node);
    const bool has_type = node.is(kIntOrString) || (node.type != Type::kUnset && node.type != Type::kOther);
    const bool has_format = checks && checks->format != Format::kNone;
    if (!has_type && !has_format) return;
    ++out.matches;
    const bool matches = has_type && type_matches(node, value);
    if (has_format && !matches) {
      if (!value.is_string() && !value.is_array()) {
        const std::string_view found = value.is_int() ? "int64" : value.is_number() ? "float64" : "";
        type_issue(out, at, checks->format_text, found);
        return;
      }
      const bool numeric = node.is(kIntOrString) || node.type == Type::kInteger || node.type == Type::kNumber;
      // Compat: a format lets a string or a list pass whatever the type says.
      if (!numeric) {
        ++out.matches;
        return;
      }
    }
    if (!matches) {
      type_issue(out, at, type_text(node), type_of(value));
      return;
    }
    ++out.matches;
  }

  const Node& branch(const Range& range, uint32_t i) const { return schema_.nodes[schema_.branches[range.first + i]]; }

  void check_branches(const Checks& checks, const Value& value, const FieldPath& at, const Correlation* old,
                      Outcome& out) {
    if (checks.any_of.count != 0) check_any_of(checks.any_of, value, at, old, out);
    if (stop(out)) return;
    if (checks.one_of.count != 0) check_one_of(checks.one_of, value, at, old, out);
    if (stop(out)) return;
    if (checks.all_of.count != 0) check_all_of(checks.all_of, value, at, old, out);
    if (stop(out)) return;
    if (checks.not_node != 0) {
      Outcome negated;
      check(schema_.nodes[checks.not_node], value, at, old, negated);
      if (!negated.failed) branch_issue(out, at, "must not validate the schema (not)");
    }
    out.matches += 2;
  }

  void check_any_of(const Range& range, const Value& value, const FieldPath& at, const Correlation* old, Outcome& out) {
    Outcome best;
    for (uint32_t i = 0; i < range.count; ++i) {
      Outcome result;
      check(branch(range, i), value, at, old, result);
      if (!result.failed) {
        out.merge(std::move(result));
        return;
      }
      if (i == 0 || result.matches > best.matches) best = std::move(result);
    }
    branch_issue(out, at, "must validate at least one schema (anyOf)");
    out.merge(std::move(best));
  }

  void check_one_of(const Range& range, const Value& value, const FieldPath& at, const Correlation* old, Outcome& out) {
    Outcome best, first_valid;
    bool have_best = false;
    int valid = 0;
    for (uint32_t i = 0; i < range.count; ++i) {
      Outcome result;
      check(branch(range, i), value, at, old, result);
      if (!result.failed) {
        if (++valid == 1) first_valid = std::move(result);
        have_best = false;
      } else if (valid == 0 && (!have_best || result.matches > best.matches)) {
        best = std::move(result);
        have_best = true;
      }
    }
    if (valid == 1) {
      out.merge(std::move(first_valid));
      return;
    }
    branch_issue(out, at,
                 "must validate one and only one schema (oneOf). " +
                     (valid == 0 ? "Found none valid" : "Found " + std::to_string(valid) + " valid alternatives"));
    if (have_best) out.merge(std::move(best));
  }

  void check_all_of(const Range& range, const Value& value, const FieldPath& at, const Correlation* old, Outcome& out) {
    uint32_t valid = 0;
    for (uint32_t i = 0; i < range.count; ++i) {
      Outcome result;
      check(branch(range, i), value, at, old, result);
      if (!result.failed) ++valid;
      out.merge(std::move(result));
      if (stop(out)) return;
    }
    if (valid == range.count) return;
    branch_issue(out, at,
                 std::string("must validate all the schemas (allOf)") + (valid == 0 ? ". None validated" : ""));
  }

  // Compat: of length, pattern and format the first failure of the first two hides the rest, the format stands apart.
  void check_string(const Checks& checks, const Value& value, const FieldPath& at, Outcome& out) {
    const std::string* text = value.string_if();
    if (!text) return;
    ++out.matches;
    if (checks.is(kMaxLength) && code_points(*text) > checks.max_length) {
      fail(out, [&] {
        FieldErrors one;
        one.too_long(at, checks.max_length);
        return Issue{FieldErrorType::kTooLong, text_of(at), "", one.errors().front().detail};
      });
    } else if (checks.is(kMinLength) && code_points(*text) < checks.min_length) {
      invalid(out, at, value,
              [&] { return "should be at least " + std::to_string(checks.min_length) + " chars long"; });
    } else if (checks.pattern != 0 && !schema_.patterns[checks.pattern]->matches(*text)) {
      invalid(out, at, value, [&] { return "should match '" + schema_.patterns[checks.pattern]->text() + '\''; });
    }
    if (checks.format == Format::kNone) return;
    ++out.matches;
    if (!has_format(checks.format, *text)) type_issue(out, at, checks.format_text, *text);
  }

  // Compat: an integer is compared with limits cut to integers.
  static std::string limit_text(const Value& value, double limit) {
    if (value.is_int()) return std::to_string(to_integer(limit));
    std::string out;
    append_go_float(out, limit);
    return out;
  }
  // <0, 0, >0: the value against a limit.
  static int compare(const Value& value, double limit) {
    if (const int64_t* integer = value.int_if()) {
      const int64_t other = to_integer(limit);
      return *integer < other ? -1 : *integer > other ? 1 : 0;
    }
    const double real = *value.double_if();
    return real < limit ? -1 : real > limit ? 1 : 0;
  }

  static bool is_multiple(const Value& value, double factor) {
    if (const int64_t* integer = value.int_if()) {
      const int64_t divisor = to_integer(factor);
      return *integer % divisor == 0;
    }
    const double real = *value.double_if();
    return is_json_integer(factor < 1 ? 1 / factor * real : real / factor);
  }

  void check_multiple(const Checks& checks, const Value& value, const FieldPath& at, Outcome& out) {
    const double factor = checks.multiple_of;
    const bool positive = value.is_int() ? to_integer(factor) > 0 : factor > 0;
    if (!positive) {
      fail(out, [&] {
        const std::string name = text_of(at), text = limit_text(value, factor);
        return Issue{FieldErrorType::kInvalid, name, text,
                     "factor MultipleOf declared for " + name + " must be positive: " + text};
      });
    } else if (!is_multiple(value, factor)) {
      invalid(out, at, value, [&] { return "should be a multiple of " + limit_text(value, factor); });
    }
  }

  void check_number(const Checks& checks, const Value& value, const FieldPath& at, Outcome& out) {
    if (!value.is_number()) return;
    out.matches += 2;
    if (checks.is(kMultipleOf)) check_multiple(checks, value, at, out);
    if (checks.is(kMinimum)) {
      const int order = compare(value, checks.minimum);
      const bool exclusive = checks.is(kExclusiveMinimum);
      if (order < 0 || (exclusive && order == 0)) {
        invalid(out, at, value, [&] {
          return std::string(exclusive ? "should be greater than " : "should be greater than or equal to ") +
                 limit_text(value, checks.minimum);
        });
      }
    }
    if (checks.is(kMaximum)) {
      const int order = compare(value, checks.maximum);
      const bool exclusive = checks.is(kExclusiveMaximum);
      if (order > 0 || (exclusive && order == 0)) {
        invalid(out, at, value, [&] {
          return std::string(exclusive ? "should be less than " : "should be less than or equal to ") +
                 limit_text(value, checks.maximum);
        });
      }
    }
  }

  // A part of the value under its own schema: unchanged parts do not fail.
  void check_part(const Node& node, const Value& value, const FieldPath& at, std::optional<Correlation> old,
                  Outcome& out) {
    Outcome result;
    check(node, value, at, old ? &*old : nullptr, result);
    if (result.failed && old && old->equal()) {
      result.failed = false;
      result.issues.clear();
    }
    out.merge(std::move(result));
  }

  void size_issue(Outcome& out, const FieldPath& at, size_t size, const std::string& rule) {
    invalid(out, at, Value(static_cast<int64_t>(size)), [&] { return rule; });
  }
  void too_many(Outcome& out, const FieldPath& at, size_t size, int64_t limit) {
    fail(out, [&] {
      FieldErrors one;
      one.too_many(at, static_cast<int64_t>(size), limit);
      const FieldError& error = one.errors().front();
      return Issue{FieldErrorType::kTooMany, text_of(at), error.bad_value, error.detail};
    });
  }

  void check_array(const Node& node, const Array& items, const FieldPath& at, const Correlation* old, Outcome& out) {
    out.matches += 2;
    if (const Node* below = schema_.node(node.items)) {
      for (size_t i = 0; i < items.size(); ++i) {
        check_part(*below, items[i], at.index(i), old ? old->item(items[i]) : std::nullopt, out);
        if (stop(out) || out.issues.size() >= kMaxSchemaErrors) return;
      }
    }
    const Checks* checks = schema_.checks_of(node);
    if (!checks) return;
    const auto size = static_cast<int64_t>(items.size());
    if (checks->is(kMinItems) && size < checks->min_items) {
      size_issue(out, at, items.size(), "should have at least " + std::to_string(checks->min_items) + " items");
    }
    if (checks->is(kMaxItems) && size > checks->max_items) too_many(out, at, items.size(), checks->max_items);
  }

  // Compat: a number is converted to the enum value's type before they are compared, so 1.5 is among [1].
  static bool equals_enum(const Value& value, const Value& allowed) {
    if (allowed.is_null()) return false;
    if (allowed.is_int() && value.double_if()) return to_integer(*value.double_if()) == *allowed.int_if();
    return value == allowed;
  }

  void check_enum(const Node& node, const Value& value, const FieldPath& at, Outcome& out) {
    ++out.matches;
    const Checks* checks = schema_.checks_of(node);
    if (!checks || checks->enums.count == 0) return;
    for (uint32_t i = 0; i < checks->enums.count; ++i) {
      if (equals_enum(value, schema_.values[checks->enums.first + i])) return;
    }
    fail(out, [&] {
      std::vector<std::string> supported;
      for (uint32_t i = 0; i < checks->enums.count; ++i) {
        const Value& allowed = schema_.values[checks->enums.first + i];
        supported.push_back(allowed.string_if() ? *allowed.string_if() : object::to_json(allowed));
      }
      FieldErrors one;
      one.not_supported(at, BadValue::verbatim(shown(value)), supported);
      const FieldError& error = one.errors().front();
      return Issue{FieldErrorType::kNotSupported, text_of(at), error.bad_value, error.detail};
    });
  }

  std::optional<Correlation> old_member(const Correlation* old, const FieldPath& at, const object::Member& member) {
    // Compat: changes of the type are never ratcheted at the root.
    if (!old || (at.empty() && (member.key == "kind" || member.key == "apiVersion"))) return std::nullopt;
    return old->member(member.key, member.value);
  }

  void check_additional(const Node& node, const Object& members, const FieldPath& at, const Correlation* old,
                        Outcome& out) {
    const Node* additional = schema_.node(node.additional);
    const bool refused = node.is(kHasAdditional) && !node.is(kAdditionalAllowed);
    if (!additional && !refused) return;
    for (const object::Member& member : members) {
      if (schema_.property(node, member.key)) continue;
      if (refused) {
        fail(out, [&] {
          const std::string name = text_of(at);
          return Issue{FieldErrorType::kInvalid, name, codec::go_quoted(member.key),
                       name + '.' + member.key + " in body is a forbidden property"};
        });
      } else {
        // Compat: below the validated value itself the name has a leading dot.
        const std::string dotted = at.empty() ? '.' + member.key : std::string();
        check_part(*additional, member.value, at.empty() ? FieldPath(dotted) : at.child(member.key),
                   old_member(old, at, member), out);
      }
      if (stop(out) || out.issues.size() >= kMaxSchemaErrors) return;
    }
  }

  void check_object(const Node& node, const Object& members, const FieldPath& at, const Correlation* old,
                    Outcome& out) {
    ++out.matches;
    const Checks* checks = schema_.checks_of(node);
    const auto size = static_cast<int64_t>(members.size());
    if (checks && checks->is(kMinProperties) && size < checks->min_properties) {
      size_issue(out, at, members.size(),
                 "should have at least " + std::to_string(checks->min_properties) + " properties");
    }
    if (checks && checks->is(kMaxProperties) && size > checks->max_properties) {
      too_many(out, at, members.size(), checks->max_properties);
    }
    check_additional(node, members, at, old, out);
    if (stop(out)) return;
    if (node.properties.count != 0) {
      size_t hint = 0;
      for (const object::Member& member : members) {
        const Node* below = schema_.property(node, member.key, hint);
        if (!below) continue;
        check_part(*below, member.value, at.child(member.key), old_member(old, at, member), out);
        if (stop(out) || out.issues.size() >= kMaxSchemaErrors) return;
      }
    }
    if (!checks) return;
    for (uint32_t i = 0; i < checks->required.count; ++i) {
      const std::string_view name = schema_.names[checks->required.first + i];
      if (members.contains(name)) continue;
      fail(out, [&] { return Issue{FieldErrorType::kRequired, at.child(name).to_string(), "", ""}; });
    }
  }

  const Compiled& schema_;
  const bool report_;
};

// The issue's field under the path of the validated value.
std::string full_path(const FieldPath& path, std::string_view name) {
  if (!name.empty() && name.front() == '.') name.remove_prefix(1);
  if (name.empty()) return path.to_string();
  return path.empty() ? std::string(name) : path.to_string() + '.' + std::string(name);
}

}  // namespace
}  // namespace structural

void validate(SchemaNode node, const object::Value& value, const object::Value* old, const object::FieldPath& path,
              object::FieldErrors& errors) {
  using namespace structural;  // NOLINT(google-build-using-namespace): the words of this file
  if (!node) return;
  Outcome quick;
  Validator(*node.compiled(), Pass::kQuick).check(*node.node(), value, {}, nullptr, quick);
  if (!quick.failed) return;
  std::optional<Correlation> correlation;
  if (old) correlation.emplace(*node.compiled(), *node.node(), value, *old);
  Outcome outcome;
  const Correlation* correlated = correlation ? &*correlation : nullptr;
  Validator(*node.compiled(), Pass::kReport).check(*node.node(), value, {}, correlated, outcome);
  if (!outcome.failed || (correlation && correlation->equal())) return;
  std::unordered_set<std::string> seen;
  for (Issue& issue : outcome.issues) {
    FieldError error{issue.type, full_path(path, issue.name), std::move(issue.bad_value), std::move(issue.detail)};
    if (seen.insert(error.to_string()).second) errors.add(std::move(error));
  }
}

}  // namespace schema
