#include "redis/redirect.h"

#include <algorithm>
#include <charconv>

#include "redis/reply.h"

namespace mediagen {

std::optional<RedisNode> RedisMovedTo(std::string_view error) {
  if (!IsRedisError(error, "MOVED")) return std::nullopt;
  const std::string_view place = error.substr(error.rfind(' ') + 1);
  const size_t colon = place.rfind(':');  // an IPv6 address has more of them
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view port = place.substr(colon + 1);
  RedisNode node{.host = std::string(place.substr(0, colon))};
  auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), node.port);
  if (failure != std::errc() || end != port.data() + port.size() || node.port < 1 || node.port > 65'535)
    return std::nullopt;
  const bool bad = std::any_of(node.host.begin(), node.host.end(),
                               [](unsigned char c) { return c <= 0x20 || c >= 0x7F || c == '?'; });
  if (bad || node.host.size() > 253) return std::nullopt;
  return node;
}

}  // namespace mediagen
