// How most kinds with a spec and a status prepare writes: creation clears the status and starts at generation 1; the
// main resource keeps the status, the status subresource keeps the spec, a changed spec makes a new generation.
// Pure; thread: any.
#pragma once

#include "api/rules.h"
#include "api/shared/checks.h"

namespace api {

// The generation follows the compared parts.
template <typename S, typename O>
void follow_generation(meta::v1::ObjectMeta& metadata, const meta::v1::ObjectMeta& old, const S& spec,
                       const O& old_spec) {
  metadata.generation = old.generation + (spec == old_spec ? 0 : 1);
}

// spec and status, with a generation.
template <typename T>
class SpecStatusRules : public RulesFor<T> {
 public:
  using RulesFor<T>::RulesFor;
  void prepare_for_create(RuleContext&, T& object) const override {
    object.status = {};
    object.metadata.generation = 1;
  }
  void prepare_for_update(RuleContext&, T& object, const T& old) const override {
    object.status = old.status;
    follow_generation(object.metadata, old.metadata, object.spec, old.spec);
  }
  void prepare_for_subresource(std::string_view subresource, RuleContext&, T& object, const T& old) const override {
    if (subresource == "status") object.spec = old.spec;
  }
};

// spec and status, without a generation.
template <typename T>
class PlainStatusRules : public RulesFor<T> {
 public:
  using RulesFor<T>::RulesFor;
  void prepare_for_create(RuleContext&, T& object) const override { object.status = {}; }
  void prepare_for_update(RuleContext&, T& object, const T& old) const override { object.status = old.status; }
  void prepare_for_subresource(std::string_view subresource, RuleContext&, T& object, const T& old) const override {
    if (subresource == "status") object.spec = old.spec;
  }
};

// A spec with a generation and no status.
template <typename T>
class SpecRules : public RulesFor<T> {
 public:
  using RulesFor<T>::RulesFor;
  void prepare_for_create(RuleContext&, T& object) const override { object.metadata.generation = 1; }
  void prepare_for_update(RuleContext&, T& object, const T& old) const override {
    follow_generation(object.metadata, old.metadata, object.spec, old.spec);
  }
};

}  // namespace api
