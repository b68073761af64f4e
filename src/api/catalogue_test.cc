// What holds for every kind with rules.
#include "gen/catalogue.h"

#include <gtest/gtest.h>

#include "api/kinds.h"
#include "api/testing.h"

namespace api {
namespace {

const schema::Resource* resource_of(const KindRules& rules) {
  for (const auto& version : gen::group_versions()) {
    for (const auto& resource : version.resources) {
      if (resource.subresource.empty() && resource.kind == rules.kind() && resource.group == rules.group() &&
          resource.version == rules.version()) {
        return &resource;
      }
    }
  }
  return nullptr;
}

TEST(Catalogue, FindsEveryKindByName) {
  const Catalogue catalogue;
  for (const auto& rules : catalogue.all()) {
    EXPECT_EQ(catalogue.rules(rules->group(), rules->version(), rules->kind()), rules.get()) << rules->kind();
    const schema::Kind* kind = gen::find_kind(rules->group(), rules->version(), rules->kind());
    ASSERT_NE(kind, nullptr) << rules->kind();
    EXPECT_EQ(kind->message, &rules->message()) << rules->kind();
  }
  EXPECT_EQ(catalogue.rules("", "v1", "Nothing"), nullptr);
}

TEST(Catalogue, PrintsOneCellForEachColumn) {
  const Catalogue catalogue;
  for (const auto& rules : catalogue.all()) {
    const schema::Resource* resource = resource_of(*rules);
    ASSERT_NE(resource, nullptr) << rules->kind();
    AnyObject object = AnyObject::make(rules->message());
    TableRow row;
    rules->cells_any(object.get(), testing::at("2026-01-01T00:00:00Z"), row);
    // Compat: upstream prints an IPAddress's age without a column for it.
    const size_t extra = rules->kind() == "IPAddress" ? 1 : 0;
    EXPECT_EQ(row.cells.size(), resource->columns.size() + extra) << rules->kind();
  }
}

// Errors are fine; a crash on what a client may leave out is not.
TEST(Catalogue, TakesEmptyObjects) {
  const Catalogue catalogue;
  for (const auto& rules : catalogue.all()) {
    for (const bool defaulted : {false, true}) {
      AnyObject object = AnyObject::make(rules->message()), old = AnyObject::make(rules->message());
      testing::Request request;
      object::FieldErrors errors;
      if (defaulted) rules->set_defaults_any(object.get());
      rules->validate_any(request.context, object.get(), errors);
      rules->prepare_for_create_any(request.context, object.get());
      rules->validate_any(request.context, object.get(), errors);
      rules->prepare_for_update_any(request.context, object.get(), old.get());
      rules->validate_update_any(request.context, object.get(), old.get(), errors);
      for (const char* subresource : {"status", "resize", "ephemeralcontainers", "finalize", "approval", "scale"}) {
        rules->prepare_for_subresource_any(subresource, request.context, object.get(), old.get());
        rules->validate_subresource_any(subresource, request.context, object.get(), old.get(), errors);
        rules->reset_fields(subresource);
      }
      rules->selectable_fields_any(object.get());
      rules->scale_any(object.get());
      rules->grace_period_any(object.get(), std::nullopt);
    }
  }
}

TEST(Catalogue, DefaultsAreIdempotent) {
  const Catalogue catalogue;
  for (const auto& rules : catalogue.all()) {
    AnyObject once = AnyObject::make(rules->message()), twice = AnyObject::make(rules->message());
    meta_of(rules->message(), once.get()).name = "a";
    meta_of(rules->message(), twice.get()).name = "a";
    rules->set_defaults_any(once.get());
    rules->set_defaults_any(twice.get());
    rules->set_defaults_any(twice.get());
    EXPECT_TRUE(rules->equal_any(once.get(), twice.get())) << rules->kind();
  }
}

TEST(Catalogue, NamesHaveRules) {
  const Catalogue catalogue;
  for (const auto& rules : catalogue.all()) {
    const NameValidator names = rules->name_validator();
    if (rules->kind() == "ClusterTrustBundle") continue;  // the name depends on the rest of the object
    EXPECT_FALSE(names("a/b", NameUse::kName).empty()) << rules->kind();
    // Named by their addresses, and by a group and a resource.
    if (rules->kind() == "IPAddress" || rules->kind() == "StorageVersion") continue;
    EXPECT_TRUE(names("good-name", NameUse::kName).empty()) << rules->kind();
    EXPECT_TRUE(names("good-prefix-", NameUse::kPrefix).empty()) << rules->kind();
  }
}

}  // namespace
}  // namespace api
