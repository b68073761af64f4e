// What a short shell script does, as far as that can be told without running it: sleep, exit, true, false, echo, touch,
// conditions on files, numbers and texts, loops without an end. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace hollow {

struct ScriptWorld {
  std::map<std::string, std::string, std::less<>> variables;
  std::set<std::string, std::less<>> files;  // what was touched; a script adds to it
};

struct ScriptRun {
  std::optional<base::Duration> lasts;  // nothing = for ever
  int32_t exit_code = 0;
};

// Nothing: the script holds something else than the above.
std::optional<ScriptRun> run_script(std::string_view text, ScriptWorld& world);

}  // namespace hollow
