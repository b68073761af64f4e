#include <cmath>

#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/flowcontrol/v1.h"

namespace api {
namespace {

using flowcontrol::v1::PriorityLevelConfiguration;
using flowcontrol::v1::PriorityLevelConfigurationSpec;

constexpr int32_t kMaxQueues = 10'000'000;
constexpr int kMaxEntropyBits = 60;

// Bits of a hash that deal a hand out of a deck.
int entropy_bits(int32_t deck, int32_t hand) {
  double bits = 0;
  for (int32_t i = 0; i < hand; ++i) bits += std::log2(static_cast<double>(deck - i));
  return static_cast<int>(std::ceil(bits));
}

void check_queuing(const flowcontrol::v1::QueuingConfiguration& queuing, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kPositive = "must be positive";
  const FieldPath queues = path.child("queues"), hand = path.child("handSize");
  if (queuing.queue_length_limit <= 0) {
    errors.invalid(path.child("queueLengthLimit"), queuing.queue_length_limit, kPositive);
  }
  if (queuing.queues <= 0) {
    errors.invalid(queues, queuing.queues, kPositive);
  } else if (queuing.queues > kMaxQueues) {
    errors.invalid(queues, queuing.queues, "must not be greater than 10000000");
  }
  if (queuing.hand_size <= 0) return errors.invalid(hand, queuing.hand_size, kPositive);
  if (queuing.hand_size > queuing.queues) {
    return errors.invalid(hand, queuing.hand_size,
                          "should not be greater than queues (" + std::to_string(queuing.queues) + ")");
  }
  if (entropy_bits(queuing.queues, queuing.hand_size) > kMaxEntropyBits) {
    errors.invalid(hand, queuing.hand_size,
                   "required entropy bits of deckSize " + std::to_string(queuing.queues) + " and handSize " +
                       std::to_string(queuing.hand_size) + " should not be greater than 60");
  }
}

void check_shares(const std::optional<int32_t>& shares, const std::optional<int32_t>& lendable, const FieldPath& path,
                  FieldErrors& errors) {
  if (shares.value_or(0) < 0) {
    errors.invalid(path.child("nominalConcurrencyShares"), *shares, "must be a non-negative integer");
  }
  if (lendable && (*lendable < 0 || *lendable > 100)) {
    errors.invalid(path.child("lendablePercent"), *lendable, "must be between 0 and 100, inclusive");
  }
}

void check_limited(const flowcontrol::v1::LimitedPriorityLevelConfiguration& limited, const FieldPath& path,
                   FieldErrors& errors) {
  check_shares(limited.nominal_concurrency_shares, std::nullopt, path, errors);
  const FieldPath response = path.child("limitResponse"), queuing = response.child("queuing");
  const auto& given = limited.limit_response;
  if (given.type == "Reject") {
    if (given.queuing) errors.forbidden(queuing, "must be nil if limited.limitResponse.type is not Limited");
  } else if (given.type == "Queue") {
    if (given.queuing) {
      check_queuing(*given.queuing, queuing, errors);
    } else {
      errors.required(queuing, "must not be empty if limited.limitResponse.type is Limited");
    }
  } else {
    errors.not_supported(response.child("type"), given.type, {"Queue", "Reject"});
  }
  check_shares(std::nullopt, limited.lendable_percent, path, errors);
  if (limited.borrowing_limit_percent && *limited.borrowing_limit_percent < 0) {
    errors.invalid(path.child("borrowingLimitPercent"), *limited.borrowing_limit_percent,
                   "if specified, must be a non-negative integer");
  }
}

object::Value number_or_null(const std::optional<int32_t>& value) {
  return value ? object::Value(*value) : object::Value();
}

BadValue shown_spec(const PriorityLevelConfigurationSpec& spec) {
  object::Object text, limited, exempt, response;
  text.append("Type", spec.type);
  if (spec.limited) {
    response.append("Type", spec.limited->limit_response.type);
    object::Value queuing;
    if (const auto& given = spec.limited->limit_response.queuing) {
      object::Object numbers;
      numbers.append("Queues", given->queues);
      numbers.append("HandSize", given->hand_size);
      numbers.append("QueueLengthLimit", given->queue_length_limit);
      queuing = std::move(numbers);
    }
    response.append("Queuing", std::move(queuing));
    limited.append("NominalConcurrencyShares", spec.limited->nominal_concurrency_shares.value_or(0));
    limited.append("LimitResponse", std::move(response));
    limited.append("LendablePercent", number_or_null(spec.limited->lendable_percent));
    limited.append("BorrowingLimitPercent", number_or_null(spec.limited->borrowing_limit_percent));
    text.append("Limited", std::move(limited));
  } else {
    text.append("Limited", nullptr);
  }
  if (spec.exempt) {
    exempt.append("NominalConcurrencyShares", number_or_null(spec.exempt->nominal_concurrency_shares));
    exempt.append("LendablePercent", number_or_null(spec.exempt->lendable_percent));
    text.append("Exempt", std::move(exempt));
  } else {
    text.append("Exempt", nullptr);
  }
  return shown_json(std::move(text));
}

// The two levels that every server needs keep their specs.
void check_mandatory(const PriorityLevelConfiguration& level, FieldErrors& errors) {
  PriorityLevelConfigurationSpec fixed;
  if (level.metadata.name == "exempt") {
    fixed.type = "Exempt";
    fixed.exempt = level.spec.exempt;
    if (level.spec == fixed) return;
    errors.invalid(FieldPath("spec"), shown_spec(level.spec),
                   "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value");
  } else if (level.metadata.name == "catch-all") {
    fixed.type = "Limited";
    auto& limited = fixed.limited.ensure();
    limited.nominal_concurrency_shares = 5;
    limited.limit_response.type = "Reject";
    limited.lendable_percent = 0;
    if (level.spec == fixed) return;
    errors.invalid(FieldPath("spec"), shown_spec(level.spec), "spec of 'catch-all' must equal the fixed value");
  }
}

class PriorityLevelConfigurationRules final : public SpecStatusRules<PriorityLevelConfiguration> {
 public:
  PriorityLevelConfigurationRules()
      : SpecStatusRules("flowcontrol.apiserver.k8s.io", "v1", "PriorityLevelConfiguration") {}
  UpdateWithoutVersion update_without_version() const override { return UpdateWithoutVersion::kRefused; }

  void set_defaults(PriorityLevelConfiguration& level) const override {
    auto& spec = level.spec;
    if (spec.type == "Exempt") spec.exempt.ensure();
    if (spec.exempt) {
      if (!spec.exempt->nominal_concurrency_shares) spec.exempt->nominal_concurrency_shares = 0;
      if (!spec.exempt->lendable_percent) spec.exempt->lendable_percent = 0;
    }
    if (!spec.limited) return;
    if (!spec.limited->nominal_concurrency_shares) spec.limited->nominal_concurrency_shares = 30;
    if (!spec.limited->lendable_percent) spec.limited->lendable_percent = 0;
    auto& queuing = spec.limited->limit_response.queuing;
    if (!queuing) return;
    if (queuing->queues == 0) queuing->queues = 64;
    if (queuing->hand_size == 0) queuing->hand_size = 8;
    if (queuing->queue_length_limit == 0) queuing->queue_length_limit = 50;
  }
  void validate(RuleContext&, const PriorityLevelConfiguration& level, FieldErrors& errors) const override {
    const FieldPath path("spec");
    const FieldPath type = path.child("type"), limited = path.child("limited"), exempt = path.child("exempt");
    const auto& spec = level.spec;
    if ((level.metadata.name == "exempt") != (spec.type == "Exempt")) {
      errors.invalid(type, spec.type, "must be 'Exempt' if and only if `name` is 'exempt'");
    }
    if (spec.type == "Exempt") {
      if (spec.limited) errors.forbidden(limited, "must be nil if the type is not Limited");
      if (spec.exempt) {
        check_shares(spec.exempt->nominal_concurrency_shares, spec.exempt->lendable_percent, exempt, errors);
      } else {
        errors.required(exempt, "must not be empty when type is Exempt");
      }
    } else if (spec.type == "Limited") {
      if (spec.exempt) errors.forbidden(exempt, "must be nil if the type is Limited");
      if (spec.limited) {
        check_limited(*spec.limited, limited, errors);
      } else {
        errors.required(limited, "must not be empty when type is Limited");
      }
    } else {
      errors.not_supported(type, spec.type, {"Exempt", "Limited"});
    }
    check_mandatory(level, errors);
  }
  void validate_update(RuleContext& context, const PriorityLevelConfiguration& level, const PriorityLevelConfiguration&,
                       FieldErrors& errors) const override {
    validate(context, level, errors);
  }
  void cells(const PriorityLevelConfiguration& level, base::WallTime now, TableRow& row) const override {
    object::Value shares = "<none>", queues = "<none>", hand = "<none>", length = "<none>";
    if (level.spec.limited) {
      shares = level.spec.limited->nominal_concurrency_shares.value_or(0);
      if (const auto& queuing = level.spec.limited->limit_response.queuing) {
        queues = queuing->queues;
        hand = queuing->hand_size;
        length = queuing->queue_length_limit;
      }
    }
    row.cells = {level.metadata.name, level.spec.type, shares, queues, hand, length, age_cell(level.metadata, now)};
  }
};

}  // namespace

std::unique_ptr<const KindRules> priority_level_configuration_rules() {
  return std::make_unique<PriorityLevelConfigurationRules>();
}

}  // namespace api
