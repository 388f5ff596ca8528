// Which node of a cluster has a key, as another node says it (Redis Cluster specification, "MOVED
// Redirection").
//
// Thread-safe: a pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mediagen {

struct RedisNode {
  std::string host;  // empty: the one that said so
  int port = 0;
};

// "MOVED 3999 10.0.0.2:6381" → {10.0.0.2, 6381}; nothing for any other error.
std::optional<RedisNode> RedisMovedTo(std::string_view error);

}  // namespace mediagen
