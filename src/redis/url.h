// RedisUrl: where a Redis is, out of one text.
//
//   redis://[[user]:password@]host[:port][/db]      a host name, an IPv4 or an [IPv6] address; port 6379
//   redis+unix://[[user]:password@]/path[?db=n]     a Unix socket; unix:/path and unix:///path mean the same
//
// User and password are percent-encoded. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace mediagen {

struct RedisUrl {
  std::string host;  // without brackets; empty for a Unix socket
  int port = 6379;
  std::string path;  // of a Unix socket
  std::string user, password;
  int db = 0;
  // What stands behind '?', decoded, in order: for whoever uses the connection. `db` is taken out.
  std::vector<std::pair<std::string, std::string>> query;

  // The parameter of that name, taken out of `query`; a double one is kInvalid.
  StatusOr<std::optional<std::string>> Take(std::string_view name);
  // kInvalid, naming the parameter that nobody took.
  Status CheckAllTaken() const;
  // The URL without its secrets, for messages: "redis://host:6379/2".
  std::string Where() const;
};

// kInvalid for a text of another form; kUnsupported for rediss:// (TLS). The text itself, which may hold a
// password, is never repeated in the error.
StatusOr<RedisUrl> ParseRedisUrl(std::string_view text);

}  // namespace mediagen
