#include "script.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "object/json.h"

namespace script {

bool rewrite = false;

namespace {

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

}  // namespace

std::string Block::argument(const std::string& name, const std::string& fallback) const {
  auto found = arguments.find(name);
  return found == arguments.end() ? fallback : found->second;
}

object::Value Block::json(const std::string& name) const {
  auto found = arguments.find(name);
  if (found == arguments.end()) return {};
  auto value = object::parse_json(found->second);
  EXPECT_TRUE(value) << name << ": " << found->second;
  return value ? *value : object::Value();
}

void run_file(const std::string& file, const std::function<std::string(const Block&)>& run) {
  const std::string path = "tests/apply/testdata/" + file;
  std::ifstream in(path);
  ASSERT_TRUE(in) << path;
  std::string recorded;
  size_t blocks = 0;
  for (std::string line; std::getline(in, line);) {
    recorded += line + "\n";
    if (line.empty() || line.starts_with('#')) continue;
    Block block;
    const std::string title = line;
    for (const std::string& word : words_of(line)) {
      const size_t equals = word.find('=');
      if (equals == std::string::npos) {
        block.command.push_back(word);
      } else {
        block.arguments[word.substr(0, equals)] = word.substr(equals + 1);
      }
    }
    while (std::getline(in, line) && line != "----") {
      recorded += line + "\n";
      const size_t colon = line.find(": ");
      ASSERT_NE(colon, std::string::npos) << path << ": " << line;
      block.arguments[line.substr(0, colon)] = line.substr(colon + 2);
    }
    while (std::getline(in, line) && !line.empty()) block.expected += line + "\n";
    std::string output = run(block);
    if (!output.ends_with('\n')) output += '\n';
    if (!rewrite) EXPECT_EQ(output, block.expected) << path << ": " << title;
    recorded += "----\n" + output + "\n";
    ++blocks;
  }
  EXPECT_GT(blocks, 0U);
  if (rewrite) std::ofstream(path) << recorded;
}

}  // namespace script

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  script::rewrite = argc > 1 && std::string(argv[1]) == "--rewrite";
  return RUN_ALL_TESTS();
}
