#include "controllers/garbagecollector/source.h"

#include <algorithm>
#include <utility>

#include "controllers/runtime/owners.h"
#include "schema/metadata_view.h"

namespace controllers::garbagecollector {
namespace {

// Keys of objects whose owners' kinds nobody has defined; beyond it an object is only looked at when it changes.
constexpr size_t kMaxWaiting = 100'000;
// Owners in each half of the memory of gone ones.
constexpr size_t kMaxGone = 4'096;

}  // namespace

std::optional<CustomName> custom_name(const api::apiextensions::v1::CustomResourceDefinition& definition) {
  const bool established = std::ranges::any_of(definition.status.conditions, [](const auto& condition) {
    return condition.type == "Established" && condition.status == "True";
  });
  if (!established) return std::nullopt;
  const auto& versions = definition.spec.versions;
  auto version = std::ranges::find_if(versions, [](const auto& v) { return v.served && v.storage; });
  if (version == versions.end()) version = std::ranges::find_if(versions, [](const auto& v) { return v.served; });
  if (version == versions.end()) return std::nullopt;
  const auto& names = definition.status.accepted_names;
  return CustomName{definition.spec.group, version->name, names.plural, names.kind,
                    definition.spec.scope == "Namespaced"};
}

CustomSource::CustomSource(std::string definition, CustomName name, std::shared_ptr<client::Transport> transport,
                           base::Executor* executor, base::MonoTime started)
    : name_(std::move(name)), started_(started), row_{} {
  id = std::move(definition);
  row_.group = row_.stored_group = name_.group;
  row_.version = row_.stored_version = name_.version;
  row_.kind = row_.stored_kind = name_.kind;
  row_.name = name_.plural;
  row_.namespaced = name_.namespaced;
  resource = &row_;
  client::InformerOptions options;
  options.scope.resource = &row_;
  options.executor = executor;
  watching_ = std::make_unique<client::Informer>(std::move(transport), std::move(options));
  informer = watching_.get();
}

void CustomSource::start(client::ChangeHandler handler) {
  watching_->add_index(std::string(kOwnerIndex),
                       [flag = has_owned_](const client::RawObject& object, std::vector<std::string>& values) {
                         const auto view = schema::view_metadata(object.payload());
                         if (!view || view->owner_references.empty()) return;
                         flag->store(true, std::memory_order_relaxed);
                         for (const schema::OwnerView owner : view->owner_references) values.emplace_back(owner.uid);
                       });
  watching_->add_handler([this, handler = std::move(handler)](const client::Change& change) {
    handler(change);
    if (!change.before) ++delivered_;
    if (!change.after) --delivered_;
  });
  watching_->start();
}

CustomSourcePtr CustomSources::find(std::string_view definition) const {
  base::MutexLock lock(mutex_);
  const auto found = by_definition_.find(definition);
  return found == by_definition_.end() ? nullptr : found->second;
}

std::shared_ptr<const CustomSourceList> CustomSources::all() const {
  base::MutexLock lock(mutex_);
  return all_;
}

CustomSourcePtr CustomSources::find_kind(std::string_view group, std::string_view kind) const {
  base::MutexLock lock(mutex_);
  const auto found = by_kind_.find({std::string(group), std::string(kind)});
  return found == by_kind_.end() ? nullptr : found->second;
}

CustomSourcePtr CustomSources::find_kind(std::string_view group, std::string_view kind, std::string waiting_key) {
  KindName name{std::string(group), std::string(kind)};
  base::MutexLock lock(mutex_);
  const auto found = by_kind_.find(name);
  if (found != by_kind_.end()) return found->second;
  if (waiting_count_ < kMaxWaiting && waiting_[std::move(name)].insert(std::move(waiting_key)).second) ++waiting_count_;
  return nullptr;
}

std::vector<std::string> CustomSources::add(CustomSourcePtr source) {
  base::MutexLock lock(mutex_);
  const KindName kind{source->name().group, source->name().kind};
  by_kind_[kind] = source;
  by_definition_[source->id] = std::move(source);
  publish();
  const auto waiting = waiting_.extract(kind);
  if (waiting.empty()) return {};
  waiting_count_ -= waiting.mapped().size();
  return {waiting.mapped().begin(), waiting.mapped().end()};
}

void CustomSources::remove(const CustomSourcePtr& source) {
  base::MutexLock lock(mutex_);
  by_definition_.erase(source->id);
  // Names that one definition gave up may be another's by now.
  const auto kind = by_kind_.find({source->name().group, source->name().kind});
  if (kind != by_kind_.end() && kind->second == source) by_kind_.erase(kind);
  publish();
}

void CustomSources::publish() {
  auto list = std::make_shared<CustomSourceList>();
  list->reserve(by_definition_.size());
  for (const auto& [definition, source] : by_definition_) list->push_back(source);
  all_ = std::move(list);
}

void CustomSources::remember_gone(std::string_view uid) {
  base::MutexLock lock(mutex_);
  gone_new_.emplace(uid);
  if (gone_new_.size() < kMaxGone) return;
  gone_old_ = std::exchange(gone_new_, {});
}

bool CustomSources::is_gone(std::string_view uid) const {
  base::MutexLock lock(mutex_);
  return gone_new_.contains(uid) || gone_old_.contains(uid);
}

}  // namespace controllers::garbagecollector
