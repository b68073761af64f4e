#include "controllers/runtime/revisions.h"

#include <algorithm>
#include <tuple>

#include "controllers/runtime/owners.h"
#include "object/json.h"
#include "schema/proto_struct.h"
#include "schema/proto_value.h"

namespace controllers {
namespace {

using api::apps::v1::ControllerRevision;
using api::core::v1::PodTemplateSpec;
using object::Value;

constexpr std::string_view kSafeAlphabet = "bcdfghjklmnpqrstvwxz2456789";

std::vector<ControllerRevision> owned(const client::Informer& revisions, const std::string& uid) {
  std::vector<ControllerRevision> all = revisions.by_index_as<ControllerRevision>(kOwnerIndex, uid);
  std::erase_if(all, [&](const ControllerRevision& revision) {
    const auto* owner = controller_of(revision.metadata);
    return !owner || owner->uid != uid;
  });
  std::ranges::sort(all, {}, [](const ControllerRevision& revision) {
    return std::tuple(revision.revision, revision.metadata.creation_timestamp, revision.metadata.name);
  });
  return all;
}

ControllerRevision make_revision(const RevisionOwner& owner, const std::string& data, int64_t number) {
  const std::string hash = revision_hash(data, owner.collision_count);
  ControllerRevision revision;
  revision.metadata.name = owner.metadata->name + "-" + hash;
  revision.metadata.namespace_ = owner.metadata->namespace_;
  revision.metadata.labels = owner.pod_template->metadata.labels;
  revision.metadata.labels[owner.hash_label] = hash;
  revision.metadata.annotations = owner.metadata->annotations;
  revision.metadata.owner_references = {controller_reference(*owner.resource, *owner.metadata)};
  revision.data.raw = data;
  revision.revision = number;
  return revision;
}

bool same_data(const ControllerRevision& revision, const std::string& data) {
  if (!revision.data.raw) return false;
  if (*revision.data.raw == data) return true;
  const auto left = object::parse_json(*revision.data.raw), right = object::parse_json(data);
  return left && right && *left == *right;
}

}  // namespace

const ControllerRevision* Revisions::find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(all, [&](const ControllerRevision& revision) { return revision.metadata.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::string revision_data(const PodTemplateSpec& pod_template) {
  std::string bytes;
  schema::encode_struct(gen::message_of<PodTemplateSpec>(), &pod_template, bytes);
  auto value = schema::decode_value(gen::message_of<PodTemplateSpec>(), bytes);
  object::Object content = value && value->object_if() ? *value->object_if() : object::Object();
  content.set("$patch", "replace");
  object::Object spec, patch;
  spec.set("template", Value(std::move(content)));
  patch.set("spec", Value(std::move(spec)));
  return object::to_json(Value(std::move(patch)), object::KeyOrder::kSorted);
}

base::Result<PodTemplateSpec> template_of(const ControllerRevision& revision) {
  TRY_ASSIGN(Value patch, object::parse_json(revision.data.raw.value_or("")));
  const Value* found = patch.at_path({"spec", "template"});
  if (!found) return base::fail(base::Reason::kInvalid, revision.metadata.name + " holds no template");
  Value content = *found;
  if (content.object_if()) content.object_if()->erase("$patch");
  std::string bytes;
  TRY(schema::encode_value(gen::message_of<PodTemplateSpec>(), content, bytes));
  PodTemplateSpec pod_template;
  TRY(schema::decode_struct(gen::message_of<PodTemplateSpec>(), bytes, &pod_template));
  return pod_template;
}

std::string revision_hash(const std::string& data, std::optional<int32_t> collision_count) {
  const std::string bytes = collision_count ? data + std::to_string(*collision_count) : data;
  uint32_t hash = 2166136261u;  // FNV-1
  for (const char byte : bytes) hash = (hash * 16777619u) ^ static_cast<uint8_t>(byte);
  std::string text;
  for (const char digit : std::to_string(hash))
    text += kSafeAlphabet[static_cast<size_t>(digit) % kSafeAlphabet.size()];
  return text;
}

base::Result<Revisions> sync_revisions(const client::Client& client, const client::Informer& revisions,
                                       const RevisionOwner& owner) {
  Revisions result{owned(revisions, owner.metadata->uid), 0};
  const std::string data = revision_data(*owner.pod_template);
  const int64_t next = result.all.empty() ? 1 : result.all.back().revision + 1;
  const auto same = std::find_if(result.all.rbegin(), result.all.rend(),
                                 [&](const ControllerRevision& revision) { return same_data(revision, data); });
  if (same == result.all.rend()) {
    auto created = client.create(make_revision(owner, data, next));
    if (!created && created.error().reason == base::Reason::kAlreadyExists) {
      // Ours, and the cache is behind; or another's of the same hash.
      const std::string name = owner.metadata->name + "-" + revision_hash(data, owner.collision_count);
      auto live = client.get<ControllerRevision>(owner.metadata->namespace_, name);
      if (!live) return base::fail(live.error());
      const auto* controller = controller_of(live->metadata);
      if (!controller || controller->uid != owner.metadata->uid || !same_data(*live, data))
        return base::fail(created.error());
      created = std::move(live);
    }
    if (!created) return base::fail(created.error());
    result.all.push_back(std::move(*created));
  } else if (&*same != &result.all.back()) {  // a roll-back: the old one becomes the newest
    ControllerRevision again = *same;
    again.revision = next;
    auto updated = client.update(again);
    if (!updated) return base::fail(updated.error());
    result.all.erase(std::next(same).base());
    result.all.push_back(std::move(*updated));
  }
  result.update = result.all.size() - 1;
  return result;
}

base::Result<void> trim_revisions(const client::Client& client, const Revisions& revisions,
                                  const std::vector<std::string>& live, int32_t keep) {
  std::vector<const ControllerRevision*> idle;
  for (const ControllerRevision& revision : revisions.all) {
    const bool used = &revision == &revisions.newest() || std::ranges::count(live, revision.metadata.name) > 0;
    if (!used) idle.push_back(&revision);
  }
  for (size_t i = 0; i + static_cast<size_t>(std::max(keep, 0)) < idle.size(); ++i) {
    auto removed = client.remove<ControllerRevision>(idle[i]->metadata.namespace_, idle[i]->metadata.name);
    if (!removed && removed.error().reason != base::Reason::kNotFound) return base::fail(removed.error());
  }
  return {};
}

}  // namespace controllers
