#include "storage/keys.h"

namespace storage {

std::string object_key(std::string_view prefix, std::string_view ns, std::string_view name) {
  std::string key;
  key.reserve(prefix.size() + ns.size() + name.size() + 2);
  key += prefix;
  if (!ns.empty()) {
    key += '/';
    key += ns;
  }
  key += '/';
  key += name;
  return key;
}

std::string range_start(std::string_view prefix, std::string_view ns) {
  std::string start(prefix);
  start += '/';
  if (!ns.empty()) {
    start += ns;
    start += '/';
  }
  return start;
}

KeyParts split_key(std::string_view prefix, std::string_view key) {
  std::string_view rest = key.substr(prefix.size() + 1);
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return {{}, rest};
  return {rest.substr(0, slash), rest.substr(slash + 1)};
}

}  // namespace storage
