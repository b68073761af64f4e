#include <algorithm>

#include "api/core/namespace.h"
#include "api/meta_validation.h"
#include "apiserver/body.h"
#include "apiserver/core.h"
#include "apiserver/crd/conditions.h"
#include "apiserver/limits.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/write.h"
#include "gen/core/v1.h"
#include "object/status.h"
#include "object/time.h"
#include "schema/envelope.h"
#include "storage/keys.h"

namespace apiserver {
namespace {

using Meta = api::meta::v1::ObjectMeta;
constexpr std::string_view kOrphan = "orphan";
constexpr std::string_view kForeground = "foregroundDeletion";

base::Result<void> check_preconditions(const Endpoint& endpoint, const Meta& meta, const DeleteOptions& options) {
  // Compat: upstream names the kind, not the resource, in these two.
  const object::GroupResource subject{std::string(endpoint.resource->group), endpoint.kind};
  if (options.has_precondition_uid && options.precondition_uid != meta.uid) {
    return base::fail(object::conflict(subject, meta.name,
                                       "the UID in the precondition (" + options.precondition_uid +
                                           ") does not match the UID in record (" + meta.uid +
                                           "). The object might have been deleted and then recreated"));
  }
  if (options.has_precondition_resource_version && options.precondition_resource_version != meta.resource_version) {
    return base::fail(object::conflict(subject, meta.name,
                                       "the ResourceVersion in the precondition (" +
                                           options.precondition_resource_version +
                                           ") does not match the ResourceVersion in record (" + meta.resource_version +
                                           "). The object might have been modified"));
  }
  return {};
}

// Compat: which of the two garbage-collection finalizers a delete leaves on the object.
void set_collection_finalizers(const Endpoint& endpoint, const DeleteOptions& options, Meta& meta) {
  const auto has = [&](std::string_view name) {
    return std::ranges::find(meta.finalizers, name) != meta.finalizers.end();
  };
  bool orphan = has(kOrphan);
  bool foreground = has(kForeground);
  if (options.orphan_dependents) {
    orphan = *options.orphan_dependents;
    foreground = false;
  } else if (options.propagation != client::Propagation::kUnset) {
    orphan = options.propagation == client::Propagation::kOrphan;
    foreground = options.propagation == client::Propagation::kForeground;
  } else if (!orphan && !foreground) {
    orphan = endpoint.rules->default_propagation() == api::DefaultPropagation::kOrphan;
  }
  std::erase_if(meta.finalizers,
                [&](const std::string& f) { return (f == kOrphan && !orphan) || (f == kForeground && !foreground); });
  if (orphan && !has(kOrphan)) meta.finalizers.emplace_back(kOrphan);
  if (foreground && !has(kForeground)) meta.finalizers.emplace_back(kForeground);
}

using ::api::core::v1::Namespace;

// Compat: a Namespace also waits for the finalizers of its spec.
bool held(const api::AnyObject& object) {
  return &object.message() == &gen::message_of<Namespace>() && !object.as<Namespace>().spec.finalizers.empty();
}

// kMarkAndRemove: two writes. Compat: a graceful deletion without grace is stored before the object goes, so that
// watchers see its end coming; the answer shows the revision of the removal.
enum class Next : uint8_t { kRemove, kMark, kMarkAndRemove, kNothing };

bool marks(Next next) { return next == Next::kMark || next == Next::kMarkAndRemove; }
bool removes(Next next) { return next == Next::kRemove || next == Next::kMarkAndRemove; }

// Marks the object as being deleted, or finds that it can go at once.
Next prepare_delete(RequestContext& context, const Endpoint& endpoint, const DeleteOptions& options,
                    api::AnyObject& object) {
  Meta& meta = api::meta_of(object.message(), object.get());
  if (mark_definition_for_cleanup(object, object::to_time(context.now))) return Next::kMark;
  const Meta before = meta;
  const std::optional<int64_t> grace = endpoint.rules->grace_period_any(object.get(), options.grace_period_seconds);
  set_collection_finalizers(endpoint, options, meta);
  const int64_t wanted = grace.value_or(0);
  if (!meta.deletion_timestamp) {
    // Compat: kinds that are deleted gracefully show the end of their grace even when it is now.
    const bool remove = wanted == 0 && meta.finalizers.empty() && !held(object);
    if (remove && !grace) return Next::kRemove;
    object::Time at = object::to_time(context.now + std::chrono::seconds(wanted));
    at.nanos = 0;
    meta.deletion_timestamp = at;
    meta.deletion_grace_period_seconds = wanted;
    // Compat: being deleted is a change of the desired state where the kind counts them.
    if (meta.generation > 0) ++meta.generation;
    if (held(object)) {
      meta.deletion_grace_period_seconds.reset();
      api::mark_terminating(object.as<Namespace>());
    }
    return remove ? Next::kMarkAndRemove : Next::kMark;
  }
  // Already being deleted: the grace period may only become shorter.
  const int64_t current = meta.deletion_grace_period_seconds.value_or(0);
  if (grace && wanted < current) {
    meta.deletion_grace_period_seconds = wanted;
    object::Time at = *meta.deletion_timestamp;
    at.seconds += wanted - current;
    meta.deletion_timestamp = std::max(at, object::Time{object::to_time(context.now).seconds, 0});
  }
  if (meta.deletion_grace_period_seconds.value_or(0) == 0 && meta.finalizers.empty() && !held(object))
    return grace && meta != before ? Next::kMarkAndRemove : Next::kRemove;
  return meta == before ? Next::kNothing : Next::kMark;
}

Answer success_answer(const Endpoint& endpoint, const Meta& meta) {
  Answer answer;
  base::ErrorDetails details;
  details.name = meta.name;
  details.group = endpoint.resource->group;
  details.kind = endpoint.resource->name;
  details.uid = meta.uid;
  answer.success = std::move(details);
  return answer;
}

// Compat: these kinds answer a delete with the object that was removed.
bool returns_object(const Endpoint& endpoint) {
  constexpr std::string_view kReturning[] = {"pods",
                                             "services",
                                             "persistentvolumeclaims",
                                             "persistentvolumes",
                                             "serviceaccounts",
                                             "podtemplates",
                                             "resourcequotas",
                                             "csidrivers",
                                             "csinodes",
                                             "storageclasses",
                                             "volumeattachments",
                                             "volumeattributesclasses"};
  return !endpoint.custom && std::ranges::find(kReturning, endpoint.resource->name) != std::end(kReturning);
}

enum class Attempt : uint8_t { kDone, kRetry };

// What is stored and what goes, one write each.
base::Result<Attempt> write_deletion(Core& core, const Endpoint& endpoint, const kv::KeyValueRef& kv, Next next,
                                     std::string_view raw, kv::Ticket& ticket) {
  int64_t expected = kv->mod_revision;
  for (const bool removal : {false, true}) {
    if (removal ? !removes(next) : !marks(next)) continue;
    kv::Write write;
    write.key = kv->key;
    write.expected_mod_revision = expected;
    if (!removal) {
      std::string value;
      schema::wrap(endpoint.stored_type(), raw, value);
      write.value = base::SharedBytes(value);
      write.lease = kv->lease;
    }
    kv::WriteResult written = core.store().write(std::move(write));
    if (!written) {
      if (written.error().kind == kv::WriteFailure::Kind::kConflict) return Attempt::kRetry;
      return base::fail(store_error(written.error()));
    }
    ticket = *written;
    expected = written->revision;
  }
  return Attempt::kDone;
}

base::Result<Attempt> try_delete(RequestContext& context, const Endpoint& endpoint, const std::string& name,
                                 const DeleteOptions& options, DeleteAdmission admission, Answer& answer) {
  Core& core = *context.core;
  kv::KeyValueRef kv;
  std::string_view live_raw;
  TRY_ASSIGN(api::AnyObject live, read_live(context, endpoint, name, kv, live_raw));
  Meta& meta = api::meta_of(live.message(), live.get());
  TRY(check_preconditions(endpoint, meta, options));
  admission::Attributes attributes =
      admission_attributes(context, endpoint, name, admission::Operation::kDelete, options.dry_run);
  attributes.old = &live;
  if (admission == DeleteAdmission::kRun) {
    TRY(core.admission().admit(attributes, core));
    TRY(core.admission().validate(attributes, core));
  }
  meta.resource_version.clear();
  const Next next = prepare_delete(context, endpoint, options, live);
  TRY_ASSIGN(std::string raw, stored_form(endpoint, live));
  int64_t shown = kv->mod_revision;
  std::optional<kv::Ticket> ticket;
  if (options.dry_run == DryRun::kNo && next != Next::kNothing) {
    TRY_ASSIGN(Attempt outcome, write_deletion(core, endpoint, kv, next, raw, ticket.emplace()));
    if (outcome == Attempt::kRetry) return outcome;
    shown = ticket->revision;
    if (removes(next) && core.allocator) core.allocator->release(endpoint, live, nullptr);
  }
  if (removes(next) && !returns_object(endpoint)) {
    answer = success_answer(endpoint, meta);
  } else {
    TRY_ASSIGN(answer, answer_with(endpoint, std::move(raw), shown, 200));
  }
  answer.ticket = ticket;
  return Attempt::kDone;
}

}  // namespace

base::Result<Answer> delete_object(RequestContext& context, const Endpoint& endpoint, const std::string& name,
                                   const DeleteOptions& options, DeleteAdmission admission) {
  for (int attempt = 0; attempt < kMaxUpdateRetries; ++attempt) {
    Answer answer;
    TRY_ASSIGN(Attempt outcome, try_delete(context, endpoint, name, options, admission, answer));
    if (outcome == Attempt::kDone) return answer;
  }
  return base::fail(object::object_modified(endpoint.group_resource, name));
}

void warn_of_deletion(RequestContext& context, const DeleteOptions& options) {
  const Endpoint& endpoint = *context.endpoint;
  if (endpoint.kind != "Job" || endpoint.rules->default_propagation() != api::DefaultPropagation::kOrphan) return;
  if (options.propagation != client::Propagation::kUnset || options.orphan_dependents) return;
  context.warnings.emplace_back(
      "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or "
      "set propagationPolicy=Orphan to suppress this warning");
}

base::Result<Answer> delete_verb(RequestContext& context) {
  TRY_ASSIGN(DeleteOptions options, parse_delete_options(context));
  warn_of_deletion(context, options);
  TRY_ASSIGN(Answer answer, delete_object(context, *context.endpoint, context.info.name, options));
  // Compat: 202 when the object is still there and the client said, in the old way, that dependents go first.
  if (answer.message && options.orphan_dependents && !*options.orphan_dependents) answer.code = 202;
  return answer;
}

}  // namespace apiserver
