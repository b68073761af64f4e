#include "controllers/serviceaccounttoken/controller.h"

#include <algorithm>
#include <optional>

#include "controllers/serviceaccounttoken/plan.h"
#include "gen/core/v1.h"
#include "pki/jwt.h"
#include "schema/metadata_view.h"

namespace controllers::serviceaccounttoken {
namespace {

using api::core::v1::Secret;
using api::core::v1::ServiceAccount;
using client::Change;
using client::ObjectKey;
using client::RawObject;

constexpr const char* kAccountIndex = "serviceAccountOfToken";  // "namespace/name" of the account

// The account that a token Secret names; "" of every other Secret.
std::string account_of(const RawObject& secret) {
  static const schema::NumberPath type_path = [] {
    const std::string_view names[] = {"type"};
    return schema::resolve_path(gen::message_of<Secret>(), names);
  }();
  if (!secret || schema::find_bytes(secret.payload(), type_path).value_or("") != kSecretType) return {};
  const auto metadata = schema::view_metadata(secret.payload());
  if (!metadata) return {};
  return std::string(schema::find(metadata->annotations, kNameAnnotation).value_or(""));
}

class ServiceAccountTokenController final : public Controller {
 public:
  ServiceAccountTokenController(const Dependencies& dependencies, pki::KeySource key, std::string root_ca)
      : client_(dependencies.transport),
        key_(std::move(key)),
        root_ca_(std::move(root_ca)),
        secrets_(dependencies.informers->get<Secret>()),
        accounts_(dependencies.informers->get<ServiceAccount>()) {
    secrets_.add_index(kAccountIndex, [](const RawObject& secret, std::vector<std::string>& values) {
      const std::string account = account_of(secret);
      if (account.empty()) return;
      const auto metadata = schema::view_metadata(secret.payload());
      values.push_back(std::string(metadata->namespace_) + "/" + account);
    });
  }

  std::string_view name() const override { return "serviceaccount-token-controller"; }
  std::vector<WatchSpec> watches() override {
    return {{&secrets_,
             [](const Change& change, const EnqueueKey& enqueue) {
               if (!account_of(change.before).empty() || !account_of(change.after).empty())
                 enqueue(to_string(change.key));
             }},
            {&accounts_, [this](const Change& change, const EnqueueKey& enqueue) {
               if (change.before && change.after) return;  // nothing of an account that changes stands in a Secret
               for (const RawObject& secret : secrets_.by_index(kAccountIndex, to_string(change.key))) {
                 if (const auto metadata = schema::view_metadata(secret.payload()))
                   enqueue(to_string(ObjectKey{std::string(metadata->namespace_), std::string(metadata->name)}));
               }
             }}};
  }

  base::Result<Requeue> reconcile(const std::string& key) override {
    const ObjectKey at = client::parse_key(key);
    const RawObject raw = secrets_.get(at);
    if (!raw) return strike(at);
    const std::string name = account_of(raw);
    if (name.empty()) return Requeue{};
    TRY_ASSIGN(Secret secret, client::decode_object<Secret>(raw));
    auto account = find_account({at.ns, name});
    if (!account) return base::fail(account.error());
    const ServiceAccount* found = *account ? &**account : nullptr;
    switch (plan(secret, found, root_ca_)) {
      case Action::kNothing:
        return Requeue{};
      case Action::kDelete:
        return remove(secret);
      case Action::kFill:
        break;
    }
    TRY_ASSIGN(const pki::PrivateKey signer, key_());
    TRY_ASSIGN(const std::string token, pki::sign_jwt(token_claims(*found, at.name), signer));
    // A newer Secret than the one seen here is a conflict, and is looked at again.
    if (auto written = client_.update(filled(std::move(secret), *found, root_ca_, token)); !written) {
      const base::Reason reason = written.error().reason;
      if (reason == base::Reason::kNotFound) return Requeue{};
      return base::fail(written.error());
    }
    return Requeue{};
  }

 private:
  // From the cache; before it counts as gone, the server is asked: a Secret is not deleted on old knowledge.
  base::Result<std::optional<ServiceAccount>> find_account(const ObjectKey& at) {
    if (auto cached = accounts_.get_as<ServiceAccount>(at)) return *std::move(cached);
    auto live = client_.get<ServiceAccount>(at.ns, at.name);
    if (live) return *std::move(live);
    if (live.error().reason == base::Reason::kNotFound) return std::nullopt;
    return base::fail(live.error());
  }

  base::Result<Requeue> remove(const Secret& secret) {
    client::DeleteOptions options;
    options.precondition_uid = secret.metadata.uid;
    auto removed = client_.remove<Secret>(secret.metadata.namespace_, secret.metadata.name, options);
    if (removed || removed.error().reason == base::Reason::kNotFound ||
        removed.error().reason == base::Reason::kConflict) {
      return Requeue{};
    }
    return base::fail(removed.error());
  }

  base::Result<Requeue> strike(const ObjectKey& at) {
    for (ServiceAccount& account : accounts_.list_as<ServiceAccount>(at.ns)) {
      const size_t before = account.secrets.size();
      std::erase_if(account.secrets, [&](const auto& reference) { return reference.name == at.name; });
      if (account.secrets.size() == before) continue;
      if (auto written = client_.update(account); !written && written.error().reason != base::Reason::kNotFound)
        return base::fail(written.error());
    }
    return Requeue{};
  }

  const client::Client client_;
  const pki::KeySource key_;
  const std::string root_ca_;
  client::Informer& secrets_;
  client::Informer& accounts_;
};

}  // namespace

std::unique_ptr<Controller> make_controller(const Dependencies& dependencies, pki::KeySource key,
                                            std::string root_ca_pem) {
  return std::make_unique<ServiceAccountTokenController>(dependencies, std::move(key), std::move(root_ca_pem));
}

}  // namespace controllers::serviceaccounttoken
