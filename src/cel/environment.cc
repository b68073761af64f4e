#include <utility>

#include "cel/cel.h"
#include "cel/checker.h"
#include "cel/code.h"
#include "cel/libraries/catalogue.h"
#include "cel/parser.h"

namespace cel {

Environment Environment::kubernetes(Version version) { return Environment(kubernetes_functions(version)); }
Environment Environment::everything() { return Environment(all_functions()); }

size_t Environment::declare(std::string_view name, const Type* type) {
  variables_.push_back({std::string(name), type, nullptr});
  return variables_.size() - 1;
}

size_t Environment::declare(std::string_view name, const DeclType& type) {
  variables_.push_back({std::string(name), type.type, &type});
  return variables_.size() - 1;
}

void Environment::add_types(std::shared_ptr<const DeclTypes> types) { types_.push_back(std::move(types)); }

base::Result<Program> Environment::compile(std::string_view text) const {
  Issues issues(text);
  Ast ast;
  auto code = std::make_unique<Code>();
  TypePool pool;
  const auto failed = [&] { return base::fail(base::Reason::kInvalid, issues.display()); };
  parse(text, functions_->macros, ast, issues);
  if (!issues.empty()) return failed();
  if (checking_ == TypeChecking::kOn) {
    check(*this, ast, pool, issues);
    if (!issues.empty()) return failed();
    if (!functions_->cel_go_extras) check_literals(ast, issues);
    if (!issues.empty()) return failed();
    code->estimate = estimate_cost(*this, ast);
    code->result_kind = ast.root->type->kind;
    code->result_type = format_type(*ast.root->type);
  } else {
    code->estimate = {0, UINT64_MAX};
    code->result_type = "dyn";
  }
  code->functions = functions_;
  code->declared = types_;
  plan(*this, ast, *code, issues);
  if (!issues.empty()) return failed();
  return Program(std::move(code));
}

}  // namespace cel
