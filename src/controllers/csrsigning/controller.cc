#include "controllers/csrsigning/controller.h"

#include "gen/certificates/v1.h"
#include "object/time.h"

namespace controllers::csrsigning {
namespace {

using api::certificates::v1::CertificateSigningRequest;

class SigningController final : public Controller {
 public:
  SigningController(const Dependencies& dependencies, std::shared_ptr<const CertificateSigner> signer)
      : client_(dependencies.transport),
        clock_(dependencies.clock),
        signer_(std::move(signer)),
        requests_(dependencies.informers->get<CertificateSigningRequest>()) {}

  std::string_view name() const override { return "certificatesigningrequest-signing-controller"; }
  int workers() const override { return 1; }
  std::vector<WatchSpec> watches() override { return {{&requests_, enqueue_self()}}; }

  base::Result<Requeue> reconcile(const std::string& key) override {
    auto csr = requests_.get_as<CertificateSigningRequest>(client::parse_key(key));
    if (!csr || !waits_for_signature(*csr)) return Requeue{};
    const std::string pem = csr->spec.request.value_or("");
    TRY_ASSIGN(const RequestFacts facts, signer_->read(pem));
    const Plan plan = make_plan(*csr, facts);
    if (plan.step == Step::kFail) {
      add_failure(*csr, plan.problem);
    } else {
      TRY_ASSIGN(csr->status.certificate, signer_->sign(pem, csr->spec.usages, plan.validity));
    }
    auto written = client_.update_status(*csr);
    if (!written && written.error().reason != base::Reason::kNotFound) return base::fail(written.error());
    return Requeue{};
  }

 private:
  void add_failure(CertificateSigningRequest& csr, const std::string& problem) const {
    auto& condition = csr.status.conditions.emplace_back();
    condition.type = "Failed";
    condition.status = "True";
    condition.reason = "SignerValidationFailure";
    condition.message = problem;
    condition.last_update_time = object::to_time(clock_->wall_now());
    condition.last_update_time.nanos = 0;
    condition.last_transition_time = condition.last_update_time;
  }

  const client::Client client_;
  base::Clock* const clock_;
  const std::shared_ptr<const CertificateSigner> signer_;
  client::Informer& requests_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies,
                                            std::shared_ptr<const CertificateSigner> signer) {
  return std::make_unique<SigningController>(dependencies, std::move(signer));
}

}  // namespace controllers::csrsigning
