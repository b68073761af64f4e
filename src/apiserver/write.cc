#include "apiserver/write.h"

#include <algorithm>
#include <charconv>

#include "api/core/namespace.h"
#include "api/meta_validation.h"
#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/limits.h"
#include "apiserver/manage_fields.h"
#include "gen/core/v1.h"
#include "object/status.h"
#include "object/time.h"
#include "schema/envelope.h"
#include "schema/metadata_view.h"
#include "storage/keys.h"
#include "storage/stored_object.h"

namespace apiserver {
namespace {

using api::AnyObject;
using api::meta_of;
using base::Reason;
using Meta = api::meta::v1::ObjectMeta;

base::SharedBytes envelope_of(const Endpoint& endpoint, std::string_view raw) {
  std::string head;
  schema::wrap_head(endpoint.stored_type(), raw.size(), head);
  auto value = base::SharedBytes::uninitialized(head.size() + raw.size() + schema::kEnvelopeEnd.size());
  char* to = value.mutable_data();
  for (const std::string_view part : {std::string_view(head), raw, schema::kEnvelopeEnd}) {
    to = std::copy(part.begin(), part.end(), to);
  }
  return value;
}

kv::Write write_of(const Endpoint& endpoint, const std::string& key, std::string_view raw) {
  kv::Write write;
  write.key = base::SharedBytes(key);
  write.value = envelope_of(endpoint, raw);
  return write;
}

std::string_view object_name(const Meta& meta) {
  return meta.name.empty() ? meta.generate_name : std::string_view(meta.name);
}

base::Result<void> check_namespace(const RequestContext& context, const Endpoint& endpoint, Meta& meta) {
  // Compat: what belongs to no namespace loses the one that its body names, without a word.
  if (!endpoint.namespaced()) {
    meta.namespace_.clear();
    return {};
  }
  if (meta.namespace_.empty()) meta.namespace_ = context.info.ns;
  if (meta.namespace_ != context.info.ns) return base::fail(object::namespace_mismatch());
  return {};
}

api::MetaRules meta_rules(const Endpoint& endpoint) {
  // Compat: definitions come from the same server as custom objects do, whose finalizers need no domain.
  const bool custom = endpoint.custom || endpoint.stored_kind == "CustomResourceDefinition";
  return custom ? api::MetaRules::kCustom : api::MetaRules::kBuiltIn;
}

api::MetaSubject meta_subject(const Endpoint& endpoint) {
  return {endpoint.namespaced() ? api::Scope::kNamespaced : api::Scope::kCluster, endpoint.rules->name_validator(),
          meta_rules(endpoint)};
}

base::Error invalid(const Endpoint& endpoint, const Meta& meta, const object::FieldErrors& errors) {
  return object::invalid_error(endpoint.main->resource->stored_group, endpoint.stored_kind, object_name(meta), errors);
}

// The managed fields of an object to be created.
base::Result<void> own_new(RequestContext& context, const Endpoint& endpoint, AnyObject& object,
                           const WriteOptions& options) {
  if (!endpoint.rules->owns_more()) return manage_fields(context, endpoint, nullptr, object, options, "");
  TRY_ASSIGN(AnyObject shown, decode_stored(endpoint, encode_struct(object)));
  endpoint.rules->show_to_field_managers_any(shown.get());
  TRY(manage_fields(context, endpoint, nullptr, shown, options, ""));
  meta_of(object.message(), object.get()).managed_fields = meta_of(shown.message(), shown.get()).managed_fields;
  return {};
}

base::Result<void> prepare_new(RequestContext& context, const Endpoint& endpoint, AnyObject& object,
                               const WriteOptions& options, FieldOwnership ownership) {
  Meta& meta = meta_of(object.message(), object.get());
  api::RuleContext rules = context.rule_context();
  if (meta.name.empty() && !meta.generate_name.empty()) {
    // Compat: the prefix is cut so that it and five random characters fit into 63.
    meta.name = meta.generate_name.substr(0, 58) + base::random_suffix(context.core->rng(), 5);
  }
  // Compat: a manager owns what it sent and its defaults, not what admission adds.
  if (ownership == FieldOwnership::kTrack) TRY(own_new(context, endpoint, object, options));
  admission::Attributes attributes =
      admission_attributes(context, endpoint, meta.name, admission::Operation::kCreate, options.dry_run);
  attributes.object = &object;
  TRY(context.core->admission().admit(attributes, *context.core));
  meta.uid = base::new_uuid(context.core->rng());
  meta.creation_timestamp = object::to_time(context.now);
  meta.creation_timestamp.nanos = 0;
  const size_t warned = context.warnings.size();
  endpoint.rules->prepare_for_create_any(rules, object.get());
  object::FieldErrors errors;
  api::validate_object_meta(meta, meta_subject(endpoint), errors);
  endpoint.rules->validate_any(rules, object.get(), errors);
  if (!errors.empty()) {
    context.warnings.resize(warned);  // Compat: only a valid object is warned of
    return base::fail(invalid(endpoint, meta, errors));
  }
  return context.core->admission().validate(attributes, *context.core);
}

// Takes the resourceVersion out of a body to be created; 0 when it is none.
int64_t take_resource_version(Meta& meta) {
  const std::string text = std::move(meta.resource_version);
  meta.resource_version.clear();
  int64_t version = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), version);
  return failed == std::errc() && end == text.data() + text.size() ? version : 0;
}

base::Result<Answer> store_new(RequestContext& context, const Endpoint& endpoint, AnyObject& object,
                               const WriteOptions& options) {
  Core& core = *context.core;
  Meta& meta = meta_of(object.message(), object.get());
  const int64_t given_version = take_resource_version(meta);
  const std::string key = storage::object_key(endpoint.prefix(), meta.namespace_, meta.name);
  if (options.dry_run == DryRun::kYes) {
    if (core.store().latest(key)) return base::fail(object::already_exists(endpoint.group_resource, meta.name));
    TRY_ASSIGN(std::string form, stored_form(endpoint, object));
    return answer_with(endpoint, std::move(form), given_version, 201);
  }
  // Compat: it is the store that refuses one, after all other checks and before it looks at the name.
  if (given_version != 0)
    return base::fail(Reason::kUnknown, "resourceVersion should not be set on objects to be created");
  TRY_ASSIGN(std::string raw, stored_form(endpoint, object));
  kv::Write write = write_of(endpoint, key, raw);
  write.expected_mod_revision = 0;
  if (endpoint.stored_kind == "Event" && !endpoint.custom) {
    TRY_ASSIGN(write.lease, core.event_lease());
  }
  kv::WriteResult written = core.store().write(std::move(write));
  if (!written) {
    if (written.error().kind == kv::WriteFailure::Kind::kRefused) return base::fail(store_error(written.error()));
    base::Error exists = object::already_exists(endpoint.group_resource, meta.name);
    if (auto current = storage::open_stored(written.error().current)) {
      auto view = schema::view_metadata(current->raw);
      // Compat: a name that is still being deleted says so.
      if (view && view->deletion_seconds) exists.message = "object is being deleted: " + exists.message;
    }
    return base::fail(std::move(exists));
  }
  TRY_ASSIGN(Answer answer, answer_with(endpoint, std::move(raw), written->revision, 201));
  answer.ticket = *written;
  return answer;
}

}  // namespace

base::Error store_error(const kv::WriteFailure& failure) {
  if (failure.kind == kv::WriteFailure::Kind::kRefused) return failure.error;
  return base::Error(Reason::kConflict, "the object has been modified");
}

admission::Attributes admission_attributes(RequestContext& context, const Endpoint& endpoint, std::string_view name,
                                           admission::Operation operation, DryRun dry_run) {
  admission::Attributes a;
  a.operation = operation;
  a.group = endpoint.resource->group;
  a.version = endpoint.resource->version;
  a.resource = endpoint.resource->name;
  a.subresource = endpoint.resource->subresource;
  a.kind = endpoint.body_kind.empty() ? endpoint.kind : endpoint.body_kind;
  a.ns = endpoint.namespaced() || endpoint.resource->name == "namespaces" ? context.info.ns : std::string();
  a.name = name;
  a.user_name = context.user.name;
  a.user_uid = context.user.uid;
  a.user_groups = context.user.groups;
  a.dry_run = dry_run;
  a.now = context.now;
  a.warnings = &context.warnings;
  return a;
}

base::Result<Answer> answer_with(const Endpoint& endpoint, std::string raw, int64_t revision, int code) {
  Answer answer;
  answer.code = code;
  answer.message = endpoint.served;
  answer.api_version = endpoint.api_version;
  answer.kind = endpoint.kind;
  answer.revision = revision;
  answer.endpoint = &endpoint;
  if (!endpoint.shows_stored(raw)) {
    TRY_ASSIGN(answer.raw, to_served(endpoint, raw));
  } else {
    answer.raw = std::move(raw);
  }
  return answer;
}

base::Result<void> check_name(std::string_view in_object, std::string_view in_url) {
  if (in_object == in_url) return {};
  if (!in_object.empty()) return base::fail(object::name_mismatch(in_object, in_url));
  return base::fail(Reason::kBadRequest, "the name of the object (" + std::string(in_url) +
                                             " based on URL) was undeterminable: name must be provided");
}

namespace {

// Keeps what admission holds for an object until it is durable, and so visible, or given up.
class CreateUnderWay {
 public:
  CreateUnderWay(admission::Chain admission, std::string uid)
      : admission_(std::move(admission)), uid_(std::move(uid)) {}
  CreateUnderWay(const CreateUnderWay&) = delete;
  CreateUnderWay& operator=(const CreateUnderWay&) = delete;
  ~CreateUnderWay() { admission_.create_ended(uid_); }

 private:
  const admission::Chain admission_;  // shares the plugins: the store may answer when the server is gone
  const std::string uid_;
};

}  // namespace

base::Result<Answer> create_object(RequestContext& context, const Endpoint& endpoint, AnyObject object,
                                   const WriteOptions& options, FieldOwnership ownership) {
  Meta& meta = meta_of(object.message(), object.get());
  TRY(check_namespace(context, endpoint, meta));
  api::prepare_meta_for_create(meta);  // what the server sets is no manager's
  api::dedup_owner_references(meta, context.warnings);
  const bool generated = meta.name.empty() && !meta.generate_name.empty();
  const std::string before = generated ? encode_struct(object) : std::string();
  for (int attempt = 1;; ++attempt) {
    const auto prepared = prepare_new(context, endpoint, object, options, ownership);
    auto under_way =
        std::make_shared<CreateUnderWay>(context.core->admission(), meta_of(object.message(), object.get()).uid);
    TRY(prepared);
    Allocator* allocator = context.core->allocator;
    if (allocator) TRY(allocator->allocate(context, endpoint, object, nullptr));
    auto answer = store_new(context, endpoint, object, options);
    if (allocator && (!answer || options.dry_run == DryRun::kYes)) allocator->release(endpoint, object, nullptr);
    if (answer) answer->held = std::move(under_way);
    if (answer || !generated || answer.error().reason != Reason::kAlreadyExists) return answer;
    if (attempt == kMaxGenerateNameAttempts)
      return base::fail(object::generate_name_exhausted(endpoint.group_resource, meta.name));
    TRY_ASSIGN(object, decode_stored(endpoint, before));
  }
}

bool may_vanish(const AnyObject& object) {
  const Meta& meta = meta_of(object.message(), object.get());
  if (!meta.deletion_timestamp || !meta.finalizers.empty() || meta.deletion_grace_period_seconds.value_or(0) != 0)
    return false;
  // Compat: a Namespace also waits for the finalizers of its spec.
  return &object.message() != &gen::message_of<::api::core::v1::Namespace>() ||
         api::namespace_finalized(object.as<::api::core::v1::Namespace>());
}

base::Result<AnyObject> read_live(RequestContext& context, const Endpoint& endpoint, std::string_view name,
                                  kv::KeyValueRef& kv, std::string_view& raw) {
  const std::string key = storage::object_key(endpoint.prefix(), endpoint.namespaced() ? context.info.ns : "", name);
  kv = context.core->store().latest(key);
  if (!kv) return base::fail(object::not_found(endpoint.group_resource, name));
  TRY_ASSIGN(storage::StoredObject stored, storage::open_stored(kv));
  raw = stored.raw;
  TRY_ASSIGN(AnyObject object, decode_stored(endpoint, stored.raw));
  meta_of(object.message(), object.get()).resource_version = std::to_string(stored.revision);
  return object;
}

namespace {

// Checks of a new state against the live one; the object is then ready to be stored.
base::Result<void> prepare_update(RequestContext& context, const Endpoint& endpoint, const UpdateRequest& request,
                                  const Live& before, AnyObject& object) {
  const AnyObject& live = before.object;
  Meta& meta = meta_of(object.message(), object.get());
  const Meta& old = meta_of(live.message(), live.get());
  TRY(check_namespace(context, endpoint, meta));
  if (meta.name.empty()) meta.name = old.name;
  api::dedup_owner_references(meta, context.warnings);
  if (!request.uid_precondition.empty() && request.uid_precondition != old.uid) {
    const std::string key = storage::object_key(endpoint.prefix(), old.namespace_, old.name);
    return base::fail(
        object::uid_precondition_failed(endpoint.group_resource, old.name, {key, request.uid_precondition, old.uid}));
  }
  if (meta.resource_version.empty() || meta.resource_version == "0") {
    if (endpoint.rules->update_without_version() == api::UpdateWithoutVersion::kRefused &&
        request.subresource.empty()) {
      const object::FieldPath metadata("metadata");
      object::FieldErrors errors;
      errors.invalid(metadata.child("resourceVersion"), object::BadValue(0), "must be specified for an update");
      // Compat: this one names the resource in place of the kind.
      return base::fail(object::invalid_error(endpoint.group_resource.group, endpoint.group_resource.resource,
                                              object_name(meta), errors));
    }
    meta.resource_version = old.resource_version;
  } else if (meta.resource_version != old.resource_version) {
    return base::fail(object::object_modified(endpoint.group_resource, old.name));
  }
  if (request.ownership == FieldOwnership::kTrack) {
    TRY(manage_fields(context, endpoint, &before, object, request.options, request.subresource));
  }
  if (request.subresource == "binding") return {};  // admitted as a binding, and changes what a binding may
  admission::Attributes attributes =
      admission_attributes(context, endpoint, old.name, admission::Operation::kUpdate, request.options.dry_run);
  attributes.object = &object;
  attributes.old = &live;
  TRY(context.core->admission().admit(attributes, *context.core));
  api::RuleContext rules = context.rule_context();
  api::prepare_meta_for_update(meta, old);
  const size_t warned = context.warnings.size();
  object::FieldErrors errors;
  if (request.subresource.empty()) {
    endpoint.rules->prepare_for_update_any(rules, object.get(), live.get());
    api::validate_object_meta_update(meta, old, meta_rules(endpoint), errors);
    endpoint.rules->validate_update_any(rules, object.get(), live.get(), errors);
  } else {
    endpoint.rules->prepare_for_subresource_any(request.subresource, rules, object.get(), live.get());
    api::validate_object_meta_update(meta, old, meta_rules(endpoint), errors);
    endpoint.rules->validate_subresource_any(request.subresource, rules, object.get(), live.get(), errors);
  }
  if (!errors.empty()) {
    context.warnings.resize(warned);
    return base::fail(invalid(endpoint, meta, errors));
  }
  return context.core->admission().validate(attributes, *context.core);
}

enum class Attempt : uint8_t { kDone, kRetry };

// One read-change-write. kRetry: another write came between.
base::Result<Attempt> try_update(RequestContext& context, const Endpoint& endpoint, const UpdateRequest& request,
                                 const Change& change, Answer& answer) {
  Core& core = *context.core;
  kv::KeyValueRef kv;
  std::string_view live_raw;
  TRY_ASSIGN(AnyObject live, read_live(context, endpoint, request.name, kv, live_raw));
  const Live before{live, live_raw, kv->mod_revision};
  TRY_ASSIGN(AnyObject object, change(before));
  TRY(prepare_update(context, endpoint, request, before, object));
  Meta& meta = meta_of(object.message(), object.get());
  meta.resource_version.clear();
  if (core.allocator && request.subresource.empty()) TRY(core.allocator->allocate(context, endpoint, object, &live));
  TRY_ASSIGN(std::string raw, stored_form(endpoint, object));
  if (request.options.dry_run == DryRun::kYes) {
    if (core.allocator && request.subresource.empty()) core.allocator->release(endpoint, object, &live);
    TRY_ASSIGN(answer, answer_with(endpoint, std::move(raw), kv->mod_revision, 200));
    return Attempt::kDone;
  }
  // Compat: an update that changes nothing writes nothing.
  const bool vanishes = may_vanish(object);
  if (raw == live_raw && !vanishes) {
    TRY_ASSIGN(answer, answer_with(endpoint, std::move(raw), kv->mod_revision, 200));
    return Attempt::kDone;
  }
  kv::Write write = write_of(endpoint, std::string(kv->key.view()), raw);
  write.expected_mod_revision = kv->mod_revision;
  write.lease = kv->lease;
  // Compat: the update that takes the last finalizer off a deleted object removes it, and answers with its last state.
  if (vanishes) write.value.reset();
  kv::WriteResult written = core.store().write(std::move(write));
  if (!written) {
    if (core.allocator && request.subresource.empty()) core.allocator->release(endpoint, object, &live);
    if (written.error().kind == kv::WriteFailure::Kind::kConflict) return Attempt::kRetry;
    return base::fail(store_error(written.error()));
  }
  if (core.allocator && request.subresource.empty())
    core.allocator->release(endpoint, live, vanishes ? nullptr : &object);
  // Compat: the last state keeps the version that it had; no write of it ever was.
  TRY_ASSIGN(answer, answer_with(endpoint, std::move(raw), vanishes ? kv->mod_revision : written->revision, 200));
  answer.ticket = *written;
  return Attempt::kDone;
}

}  // namespace

base::Result<Answer> update_object(RequestContext& context, const Endpoint& endpoint, const UpdateRequest& request,
                                   const Change& change) {
  for (int attempt = 0; attempt < kMaxUpdateRetries; ++attempt) {
    Answer answer;
    auto outcome = try_update(context, endpoint, request, change, answer);
    if (outcome) {
      if (*outcome == Attempt::kDone) return answer;
      continue;
    }
    if (outcome.error().reason != Reason::kNotFound || !request.create || outcome.error().details == nullptr ||
        outcome.error().details->name != request.name) {
      return base::fail(std::move(outcome).error());
    }
    TRY_ASSIGN(AnyObject object, request.create());
    meta_of(object.message(), object.get()).resource_version.clear();  // Compat: it means nothing here
    auto created = create_object(context, endpoint, std::move(object), request.options, request.ownership);
    if (created || created.error().reason != Reason::kAlreadyExists) return created;
  }
  return base::fail(object::object_modified(endpoint.group_resource, request.name));
}

}  // namespace apiserver
