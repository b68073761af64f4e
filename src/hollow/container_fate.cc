#include "hollow/container_fate.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "hollow/script.h"

namespace hollow {
namespace {

using api::core::v1::Container;
using api::core::v1::EnvVar;
using api::core::v1::Pod;

constexpr int32_t kMaxRuns = 8;  // of a script whose earlier runs left files

std::optional<int64_t> annotated(const Pod& pod, const char* name) {
  const auto found = pod.metadata.annotations.find(name);
  if (found == pod.metadata.annotations.end()) return std::nullopt;
  int64_t number = 0;
  const std::string& text = found->second;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

// "metadata.annotations['key']", "metadata.labels['key']", "metadata.name".
std::optional<std::string> field_of(const Pod& pod, std::string_view path) {
  if (path == "metadata.name") return pod.metadata.name;
  if (path == "metadata.namespace") return pod.metadata.namespace_;
  for (const auto& [prefix, entries] : {std::pair("metadata.annotations['", &pod.metadata.annotations),
                                        std::pair("metadata.labels['", &pod.metadata.labels)}) {
    if (!path.starts_with(prefix) || !path.ends_with("']")) continue;
    path.remove_prefix(std::string_view(prefix).size());
    path.remove_suffix(2);
    const auto found = entries->find(std::string(path));
    return found == entries->end() ? "" : found->second;
  }
  return std::nullopt;
}

ScriptWorld world_of(const Pod& pod, const Container& container) {
  ScriptWorld world;
  for (const EnvVar& variable : container.env) {
    if (!variable.value_from) {
      world.variables[variable.name] = variable.value;
    } else if (variable.value_from->field_ref) {
      if (auto value = field_of(pod, variable.value_from->field_ref->field_path))
        world.variables[variable.name] = std::move(*value);
    }
  }
  return world;
}

bool is_shell(std::string_view program) { return program == "sh" || program == "bash"; }

std::string_view last_part(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// The command as one line for a shell; "" when the image decides what runs.
std::string script_of(const std::vector<std::string>& words) {
  if (words.empty()) return "";
  const std::string_view program = last_part(words[0]);
  if (is_shell(program)) return words.size() >= 3 && words[1] == "-c" ? words[2] : "";
  std::string line(program);
  for (size_t i = 1; i < words.size(); ++i) line.append(" '").append(words[i]).append("'");
  return line;
}

// Images whose own program serves until it is stopped.
bool serves(const Container& container) {
  static constexpr std::array<std::string_view, 5> kServers = {"pause", "nginx", "httpd", "redis", "agnhost"};
  std::string_view name = last_part(container.image);
  name = name.substr(0, name.find_first_of(":@"));
  return container.command.empty() && std::ranges::find(kServers, name) != kServers.end();
}

std::optional<ScriptRun> told_by_command(const Pod& pod, const Container& container, int32_t restarts) {
  std::vector<std::string> words = container.command;
  if (words.empty()) return std::nullopt;
  words.insert(words.end(), container.args.begin(), container.args.end());
  const std::string script = script_of(words);
  if (script.empty()) return std::nullopt;
  ScriptWorld world = world_of(pod, container);
  std::optional<ScriptRun> run;
  for (int32_t i = 0; i <= std::min(restarts, kMaxRuns); ++i) run = run_script(script, world);
  return run;
}

}  // namespace

Fate foresee(const Pod& pod, const Container& container, Role role, int32_t restarts, const Options& options) {
  const auto code = static_cast<int32_t>(annotated(pod, kExitCode).value_or(0));
  const auto seconds = annotated(pod, kRunSeconds);
  if (role == Role::kMain && (seconds || code != 0)) {
    return {seconds ? base::Duration(std::chrono::seconds(*seconds)) : options.run_time, code};
  }
  if (const auto told = told_by_command(pod, container, restarts)) return {told->lasts, told->exit_code};
  if (role == Role::kInit) return {base::Duration::zero(), 0};
  const bool stays = pod.spec.restart_policy == "Always" || pod.spec.restart_policy.empty() || serves(container);
  return {stays ? std::nullopt : std::optional(options.run_time), 0};
}

bool can_be_pulled(std::string_view image) {
  const std::string_view registry = image.substr(0, image.find('/'));
  if (registry.size() < image.size() && (registry.ends_with(".invalid") || registry.starts_with("invalid.")))
    return false;
  const std::string_view name = last_part(image);
  return !name.ends_with(":non-existent") && !name.ends_with(":404");
}

std::optional<base::Duration> first_success(const api::core::v1::Probe& probe) {
  if (probe.handler.exec && !probe.handler.exec->command.empty()) {
    ScriptWorld world;
    const auto run = run_script(script_of(probe.handler.exec->command), world);
    if (run && run->exit_code != 0) return std::nullopt;
  }
  return std::chrono::seconds(probe.initial_delay_seconds);
}

}  // namespace hollow
