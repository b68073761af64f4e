// Scripts with recorded output: blocks of a command line, `name: value` lines, `----`, the output, and an empty line.
// `apply_test --rewrite` writes the outputs anew. A block whose command starts with # is a comment.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "object/value.h"

namespace script {

struct Block {
  std::vector<std::string> command;              // words
  std::map<std::string, std::string> arguments;  // of the lines below and of name=value words of the command
  std::string expected;

  std::string argument(const std::string& name, const std::string& fallback = "") const;
  // The argument parsed as JSON, null when absent. Fails the test on bad JSON.
  object::Value json(const std::string& name) const;
};

// Runs every block of tests/apply/testdata/<file> through `run`, compares or records its output.
void run_file(const std::string& file, const std::function<std::string(const Block&)>& run);

extern bool rewrite;

}  // namespace script
