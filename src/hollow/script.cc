#include "hollow/script.h"

#include <cctype>
#include <charconv>
#include <utility>
#include <vector>

namespace hollow {
namespace {

constexpr size_t kMaxTokens = 200;

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// The length of `$(…)` or `${…}` at the front of the text; 0 when it has no end.
size_t group_length(std::string_view text) {
  const char open = text[1];
  const char close = open == '(' ? ')' : '}';
  int depth = 0;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == open) ++depth;
    if (text[i] == close && --depth == 0) return i + 1;
  }
  return 0;
}

// Words and separators: ";" (also for a new line), "&&". Nothing for what is not understood.
std::optional<std::vector<std::string>> tokenize(std::string_view text) {
  std::vector<std::string> tokens;
  std::string word;
  const auto flush = [&] {
    if (!word.empty()) tokens.push_back(std::exchange(word, {}));
  };
  while (!text.empty()) {
    const char c = text.front();
    if (c == '$' && text.size() > 1 && (text[1] == '(' || text[1] == '{')) {
      const size_t length = group_length(text);
      if (length == 0) return std::nullopt;
      word += text.substr(0, length);
      text.remove_prefix(length);
      continue;
    }
    if (c == '|' || c == '`' || c == '>' || c == '<' || c == '(' || c == '\\') return std::nullopt;
    if (c == '\'' || c == '"') {
      const size_t end = text.find(c, 1);
      if (end == std::string_view::npos) return std::nullopt;
      word += text.substr(1, end - 1);
      text.remove_prefix(end + 1);
      continue;
    }
    text.remove_prefix(1);
    if (c == ' ' || c == '\t') {
      flush();
    } else if (c == ';' || c == '\n') {
      flush();
      tokens.emplace_back(";");
    } else if (c == '&') {
      if (!text.starts_with('&')) return std::nullopt;
      text.remove_prefix(1);
      flush();
      tokens.emplace_back("&&");
    } else {
      word += c;
    }
  }
  flush();
  if (tokens.size() > kMaxTokens) return std::nullopt;
  return tokens;
}

enum class Mode : uint8_t { kRun, kSkip };

class Interpreter {
 public:
  Interpreter(std::vector<std::string> tokens, ScriptWorld& world) : tokens_(std::move(tokens)), world_(world) {}

  std::optional<ScriptRun> run() {
    list(Mode::kRun);
    if (unknown_ || (!ended_ && at_ < tokens_.size())) return std::nullopt;
    if (!for_ever_) run_.lasts = elapsed_;
    return run_;
  }

 private:
  bool done() const { return unknown_ || ended_ || at_ >= tokens_.size(); }
  std::string_view peek() const { return at_ < tokens_.size() ? std::string_view(tokens_[at_]) : ""; }
  bool take(std::string_view token) {
    if (peek() != token || at_ >= tokens_.size()) return false;
    ++at_;
    return true;
  }
  void give_up() { unknown_ = true; }

  // Commands up to the end, or a word that ends a branch.
  void list(Mode mode) {
    while (!done()) {
      if (take(";")) continue;
      if (take("&&")) {
        if (run_.exit_code != 0) mode = Mode::kSkip;
        continue;
      }
      const std::string_view word = peek();
      if (word == "then" || word == "else" || word == "fi") return;
      command(mode);
    }
  }

  void command(Mode mode) {
    if (take("if")) return condition(mode);
    if (take("while")) return loop(mode);
    const std::string name = tokens_[at_++];
    std::vector<std::string> words;
    while (at_ < tokens_.size() && peek() != ";" && peek() != "&&") words.push_back(expand(tokens_[at_++]));
    if (mode == Mode::kSkip || unknown_) return;
    if (name == "true" || name == "/bin/true" || name == ":" || name == "echo" || name == "/bin/echo" ||
        name == "trap") {
      run_.exit_code = 0;
    } else if (name == "false" || name == "/bin/false") {
      run_.exit_code = 1;
    } else if (name == "exit" && words.size() <= 1) {
      end(words.empty() ? run_.exit_code : number(words[0]));
    } else if (name == "sleep" && words.size() == 1) {
      sleep(words[0]);
    } else if (name == "touch" && words.size() == 1) {
      world_.files.insert(words[0]);
      run_.exit_code = 0;
    } else if (name == "[" || name == "[[") {
      run_.exit_code = holds(words) ? 0 : 1;
    } else {
      give_up();
    }
  }

  void end(std::optional<int64_t> code) {
    if (!code) return give_up();
    run_.exit_code = static_cast<int32_t>(*code & 255);
    ended_ = true;
  }

  void sleep(std::string_view words) {
    if (words == "infinity") return end_for_ever();
    const auto seconds = number(words);
    if (!seconds || *seconds < 0) return give_up();
    elapsed_ += std::chrono::seconds(*seconds);
    run_.exit_code = 0;
  }

  void end_for_ever() {
    for_ever_ = true;
    ended_ = true;
  }

  void condition(Mode mode) {
    command(mode);  // the test
    const bool holds = run_.exit_code == 0;
    while (take(";")) {
    }
    if (!take("then")) return give_up();
    list(holds ? mode : Mode::kSkip);
    if (done()) return;
    if (take("else")) list(holds ? Mode::kSkip : mode);
    if (!done() && !take("fi")) give_up();
  }

  // Only one that never ends is understood.
  void loop(Mode mode) {
    if (mode == Mode::kSkip || !(take("true") || take(":"))) return give_up();
    end_for_ever();
  }

  // The words after "[" or "[[".
  bool holds(std::vector<std::string> words) {
    if (words.empty() || (words.back() != "]" && words.back() != "]]")) return give_up(), false;
    words.pop_back();
    if (words.size() == 2 && (words[0] == "-r" || words[0] == "-f" || words[0] == "-e"))
      return world_.files.contains(words[1]);
    if (words.size() != 3) return give_up(), false;
    const auto left = number(words[0]), right = number(words[2]);
    if (words[1] == "==" || words[1] == "=") return words[0] == words[2];
    if (words[1] == "!=") return words[0] != words[2];
    if (!left || !right) return give_up(), false;
    if (words[1] == "-eq") return *left == *right;
    if (words[1] == "-ne") return *left != *right;
    return give_up(), false;
  }

  // With the values of its variables.
  std::string expand(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      if (text.front() != '$') {
        out += text.front();
        text.remove_prefix(1);
        continue;
      }
      size_t length = 1;
      if (text.size() > 1 && (text[1] == '{' || text[1] == '(')) {
        length = group_length(text);
        const std::string_view inside = text.substr(2, length - 3);
        out += text[1] == '(' ? arithmetic(inside) : variable(inside);
      } else {
        while (length < text.size() && (std::isalnum(static_cast<unsigned char>(text[length])) || text[length] == '_'))
          ++length;
        out += variable(text.substr(1, length - 1));
      }
      text.remove_prefix(length);
    }
    return out;
  }

  std::string variable(std::string_view name) {
    const auto found = world_.variables.find(name);
    if (found != world_.variables.end()) return found->second;
    give_up();
    return "";
  }

  // "expr A % B"
  std::string arithmetic(std::string_view text) {
    const auto tokens = tokenize(text);
    if (!tokens || tokens->size() != 4 || (*tokens)[0] != "expr" || (*tokens)[2] != "%") return give_up(), "";
    const auto left = number(expand((*tokens)[1])), right = number(expand((*tokens)[3]));
    if (!left || !right || *right == 0) return give_up(), "";
    return std::to_string(*left % *right);
  }

  const std::vector<std::string> tokens_;
  ScriptWorld& world_;
  size_t at_ = 0;
  base::Duration elapsed_{};
  ScriptRun run_;
  bool unknown_ = false, ended_ = false, for_ever_ = false;
};

}  // namespace

std::optional<ScriptRun> run_script(std::string_view text, ScriptWorld& world) {
  auto tokens = tokenize(text);
  if (!tokens) return std::nullopt;
  return Interpreter(std::move(*tokens), world).run();
}

}  // namespace hollow
