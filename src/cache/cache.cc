#include "cache/cache.h"

#include "fmt/format.h"

namespace mediagen {

std::string VersionedKey(std::string_view key, std::string_view version) {
  // The key's length first: no two pairs have one text.
  return fmt::format("{}:{}@{}", key.size(), key, version);
}

}  // namespace mediagen
