#include "cel/libraries/catalogue.h"

#include "cel/libraries/libraries.h"
#include "cel/standard.h"

namespace cel {

namespace {

void add_language(FunctionTable& table) {
  table.add(standard_declarations());
  table.add(time_declarations());
  for (const char* name : {"bool", "int", "uint", "double", "string", "bytes", "list(dyn)", "map(dyn, dyn)", "type"}) {
    const Type* type = table.pool.parse(name);
    table.type_names[type->name] = table.pool.type_of(type);
  }
  table.type_names["null_type"] = table.pool.type_of(simple_type(TypeKind::kNull));
  table.type_names["google.protobuf.Timestamp"] = table.pool.type_of(simple_type(TypeKind::kTimestamp));
  table.type_names["google.protobuf.Duration"] = table.pool.type_of(simple_type(TypeKind::kDuration));
}

// One line for each library: the Kubernetes version (1.x) that brought it, and its parts.
struct Library {
  int since;
  std::span<const Declaration> (*declarations)();
  const char* type = nullptr;  // a type that it brings
};

// Compat: k8s.io/apiserver/pkg/cel/environment/base.go.
constexpr Library kKubernetes[] = {
    {0, url_declarations, "kubernetes.URL"},
    {0, regex_declarations},
    {0, list_declarations},
    {0, string_declarations},
    {27, authorizer_declarations},
    {28, optional_declarations, "optional(dyn)"},
    {28, quantity_declarations, "kubernetes.Quantity"},
    {29, string_format_declarations},
    {29, set_declarations},
    {30, ip_declarations, "net.IP"},
    {30, cidr_declarations, "net.CIDR"},
    {31, format_declarations, "kubernetes.NamedFormat"},
    {31, authorizer_selector_declarations},
    {32, map_insert_declarations},
    {33, semver_declarations, "kubernetes.Semver"},
    {34, list_ext_declarations},
    {34, json_patch_declarations},
};

}  // namespace

std::shared_ptr<const FunctionTable> kubernetes_functions(Version version) {
  auto table = std::make_shared<FunctionTable>();
  add_language(*table);
  for (const Library& library : kKubernetes) {
    if (version.minor < library.since) continue;
    table->add(library.declarations());
    if (library.type) table->add_type(library.type);
  }
  table->macros.bind = false;
  table->macros.optionals = version.minor >= 28;
  table->macros.two_variables = version.minor >= 32;
  table->macros.sort_by = version.minor >= 34;
  return table;
}

std::shared_ptr<const FunctionTable> all_functions() {
  auto table = std::make_shared<FunctionTable>();
  add_language(*table);
  for (const auto declarations :
       {optional_declarations, map_insert_declarations, string_declarations, string_format_spec_declarations,
        string_reverse_declarations, set_declarations, list_ext_declarations, encoder_declarations, math_declarations,
        ip_declarations, cidr_declarations}) {
    table->add(declarations());
  }
  for (const char* type : {"net.IP", "net.CIDR", "optional(dyn)"}) table->add_type(type);
  table->macros.block = true;
  table->macros.quoted_fields = true;
  table->macros.math = true;
  table->homogeneous = false;
  table->presence_costs = true;
  table->cel_go_extras = true;
  return table;
}

}  // namespace cel
