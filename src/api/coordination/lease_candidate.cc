#include <algorithm>
#include <compare>
#include <optional>

#include "api/shared/cells.h"
#include "api/shared/checks.h"
#include "gen/coordination/v1beta1.h"
#include "object/names.h"

namespace api {
namespace {

using coordination::v1beta1::LeaseCandidate;
using coordination::v1beta1::LeaseCandidateSpec;

// major.minor.patch[-prerelease][+build]; build metadata is not compared.
struct SemanticVersion {
  uint64_t numbers[3] = {};
  std::vector<std::string> prerelease;
  bool zero() const { return numbers[0] == 0 && numbers[1] == 0 && numbers[2] == 0 && prerelease.empty(); }
};

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}
bool is_identifier(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}
// No leading zeros, and at most 2^64-1.
std::optional<uint64_t> parse_number(std::string_view text) {
  if (!all_digits(text) || (text.size() > 1 && text[0] == '0') || text.size() > 20) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value)) return std::nullopt;
  }
  return value;
}
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find(separator, start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

std::optional<SemanticVersion> parse_version(std::string_view text) {
  SemanticVersion version;
  if (const size_t plus = text.find('+'); plus != std::string_view::npos) {
    if (!std::ranges::all_of(split(text.substr(plus + 1), '.'), is_identifier)) return std::nullopt;
    text = text.substr(0, plus);
  }
  if (const size_t dash = text.find('-'); dash != std::string_view::npos) {
    for (std::string_view part : split(text.substr(dash + 1), '.')) {
      if (!is_identifier(part) || (all_digits(part) && !parse_number(part))) return std::nullopt;
      version.prerelease.emplace_back(part);
    }
    text = text.substr(0, dash);
  }
  const auto parts = split(text, '.');
  if (parts.size() != 3) return std::nullopt;
  for (size_t i = 0; i < 3; ++i) {
    const auto number = parse_number(parts[i]);
    if (!number) return std::nullopt;
    version.numbers[i] = *number;
  }
  return version;
}

// Numbers come before words; a version without a prerelease comes after those with one.
bool prerelease_less(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  if (a.empty() || b.empty()) return !a.empty();
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const auto x = parse_number(a[i]), y = parse_number(b[i]);
    if (x && y && *x != *y) return *x < *y;
    if (bool(x) != bool(y)) return bool(x);
    if (!x && a[i] != b[i]) return a[i] < b[i];
  }
  return a.size() < b.size();
}
bool version_less(const SemanticVersion& a, const SemanticVersion& b) {
  for (size_t i = 0; i < 3; ++i) {
    if (a.numbers[i] != b.numbers[i]) return a.numbers[i] < b.numbers[i];
  }
  return a.prerelease != b.prerelease && prerelease_less(a.prerelease, b.prerelease);
}

// Of a field: nothing given is no version and no error.
SemanticVersion check_version(const std::string& text, const FieldPath& path, FieldErrors& errors) {
  if (text.empty()) return {};
  const auto version = parse_version(text);
  if (!version) errors.invalid(path, text, "must be a valid semantic version");
  return version.value_or(SemanticVersion{});
}

void check_strategy(const std::string& strategy, const FieldPath& path, FieldErrors& errors) {
  // Compat: the path names the field twice.
  const FieldPath twice = path.child("strategy");
  if (strategy.find('/') != std::string::npos) {
    errors.invalid_each(twice, strategy, object::validate_qualified_name(strategy));
  } else if (strategy != "OldestEmulationVersion") {
    errors.not_supported(twice, strategy, {"OldestEmulationVersion"});
  }
}

void check_spec(const LeaseCandidateSpec& spec, FieldErrors& errors) {
  const FieldPath path("spec");
  const FieldPath emulated = path.child("emulationVersion"), binary = path.child("binaryVersion");
  if (spec.lease_name.empty()) errors.required(path.child("leaseName"));
  const SemanticVersion emulation_version = check_version(spec.emulation_version, emulated, errors);
  if (spec.binary_version.empty()) errors.required(binary);
  const SemanticVersion binary_version = check_version(spec.binary_version, binary, errors);
  if (!spec.binary_version.empty() && !spec.emulation_version.empty() &&
      version_less(binary_version, emulation_version)) {
    errors.invalid(binary, spec.binary_version, "must be greater than or equal to `emulationVersion`");
  }
  if (spec.strategy.empty()) return errors.required(path.child("strategy"));
  if (spec.strategy == "OldestEmulationVersion" && emulation_version.zero()) {
    errors.required(emulated, "must be specified when `strategy` is 'OldestEmulationVersion'");
  }
  check_strategy(spec.strategy, path.child("strategy"), errors);
}

class LeaseCandidateRules final : public RulesFor<LeaseCandidate> {
 public:
  LeaseCandidateRules() : RulesFor("coordination.k8s.io", "v1beta1", "LeaseCandidate") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }
  CreateOnUpdate create_on_update() const override { return CreateOnUpdate::kAllowed; }
  // A prefix may end in "-" as any name may.
  NameValidator name_validator() const override {
    return [](std::string_view name, NameUse) { return object::validate_config_map_key(name); };
  }

  void validate(RuleContext&, const LeaseCandidate& candidate, FieldErrors& errors) const override {
    check_spec(candidate.spec, errors);
  }
  void validate_update(RuleContext&, const LeaseCandidate& candidate, const LeaseCandidate& old,
                       FieldErrors& errors) const override {
    check_spec(candidate.spec, errors);
    const FieldPath path("spec");
    validate_immutable(candidate.spec.lease_name, old.spec.lease_name, path.child("leaseName"), errors);
  }
  void cells(const LeaseCandidate& candidate, base::WallTime now, TableRow& row) const override {
    const auto& spec = candidate.spec;
    row.cells = {candidate.metadata.name, spec.lease_name, spec.binary_version, spec.emulation_version,
                 age_cell(candidate.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> lease_candidate_rules() { return std::make_unique<LeaseCandidateRules>(); }

}  // namespace api
