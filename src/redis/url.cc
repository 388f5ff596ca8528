#include "redis/url.h"

#include <sys/un.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int kMostDb = 65'535;

Status Refuse(std::string_view why) {
  return Error(Code::kInvalid, fmt::format("This is not a Redis URL: {}.", why),
               {.hint = "Write redis://[[user]:password@]host[:port][/db], or redis+unix:///path[?db=n]."});
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Undoes percent-encoding (RFC 3986 §2.1). False for a bad one.
bool Decode(std::string_view text, std::string* decoded) {
  decoded->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      *decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return false;
    *decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

bool ParseNumber(std::string_view text, int least, int most, int* number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && *number >= least && *number <= most &&
         text.front() != '-';
}

bool TakePrefix(std::string_view* text, std::string_view prefix) {
  if (!EqualsIgnoreCase(text->substr(0, prefix.size()), prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

// What stands before the '@' of `rest`, if there is one.
Status TakeUser(std::string_view* rest, std::string_view authority, RedisUrl* url) {
  const size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return OkStatus();
  const std::string_view info = authority.substr(0, at);
  rest->remove_prefix(at + 1);
  const size_t colon = info.find(':');
  if (colon == std::string_view::npos)
    return Refuse("it has a user without a password (a password alone is written \":password@\")");
  if (!Decode(info.substr(0, colon), &url->user) || !Decode(info.substr(colon + 1), &url->password))
    return Refuse("its user or password is not percent-encoded correctly");
  if (url->password.empty()) return Refuse("its password is empty");
  return OkStatus();
}

Status ParseHost(std::string_view host, RedisUrl* url) {
  std::string_view port;
  if (!host.empty() && host.front() == '[') {
    const size_t end = host.find(']');
    if (end == std::string_view::npos) return Refuse("the ']' of its address is missing");
    url->host = host.substr(1, end - 1);
    port = host.substr(end + 1);
  } else {
    const size_t colon = host.find(':');
    url->host = host.substr(0, colon);
    port = colon == std::string_view::npos ? "" : host.substr(colon);
  }
  const bool bad = std::any_of(url->host.begin(), url->host.end(),
                               [](unsigned char c) { return c <= 0x20 || c >= 0x7F || c == '%'; });
  if (url->host.empty() || url->host.size() > 253 || bad) return Refuse("its host is missing or bad");
  if (!port.empty() && (port[0] != ':' || !ParseNumber(port.substr(1), 1, 65'535, &url->port)))
    return Refuse("its port is not a number from 1 to 65535");
  return OkStatus();
}

Status ParseTcp(std::string_view rest, RedisUrl* url) {
  const size_t slash = rest.find('/');
  const std::string_view db = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
  std::string_view authority = rest.substr(0, slash);
  RETURN_IF_ERROR(TakeUser(&authority, authority, url));
  RETURN_IF_ERROR(ParseHost(authority, url));
  if (!db.empty() && !ParseNumber(db, 0, kMostDb, &url->db)) return Refuse("its database is not a number");
  return OkStatus();
}

Status ParseUnix(std::string_view rest, RedisUrl* url) {
  if (TakePrefix(&rest, "//")) RETURN_IF_ERROR(TakeUser(&rest, rest.substr(0, rest.find('/')), url));
  if (!Decode(rest, &url->path)) return Refuse("its path is not percent-encoded correctly");
  if (url->path.empty() || url->path.front() != '/' || url->path.find('\0') != std::string::npos)
    return Refuse("the path of its socket is not absolute");
  if (url->path.size() >= sizeof sockaddr_un{}.sun_path)
    return Refuse(
        fmt::format("the path of its socket is longer than {} bytes", sizeof sockaddr_un{}.sun_path - 1));
  ASSIGN_OR_RETURN(auto db, url->Take("db"));
  if (db && !ParseNumber(*db, 0, kMostDb, &url->db)) return Refuse("its database is not a number");
  return OkStatus();
}

Status ParseQuery(std::string_view text, RedisUrl* url) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    std::string name, value;
    if (!Decode(pair.substr(0, equals), &name) ||
        !Decode(pair.substr(std::min(equals + 1, pair.size())), &value))
      return Refuse("its parameters are not percent-encoded correctly");
    url->query.emplace_back(std::move(name), std::move(value));
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::optional<std::string>> RedisUrl::Take(std::string_view name) {
  std::optional<std::string> value;
  for (auto it = query.begin(); it != query.end();) {
    if (it->first != name) {
      ++it;
      continue;
    }
    if (value) return Error(Code::kInvalid, fmt::format("The Redis URL says \"{}\" twice.", name));
    value = std::move(it->second);
    it = query.erase(it);
  }
  return value;
}

Status RedisUrl::CheckAllTaken() const {
  if (query.empty()) return OkStatus();
  return Error(Code::kInvalid, fmt::format("The Redis URL has a parameter \"{}\", which nothing here knows.",
                                           Shorten(ReplaceBadUtf8(query.front().first), 60)));
}

std::string RedisUrl::Where() const {
  if (!path.empty()) return "redis+unix://" + path;
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("redis://{}{}{}:{}{}", v6 ? "[" : "", host, v6 ? "]" : "", port,
                     db == 0 ? "" : fmt::format("/{}", db));
}

StatusOr<RedisUrl> ParseRedisUrl(std::string_view text) {
  if (text.size() > 4096) return Refuse("it has more than 4,096 bytes");
  RedisUrl url;
  const size_t question = std::min(text.find('?'), text.size());
  RETURN_IF_ERROR(ParseQuery(text.substr(std::min(question + 1, text.size())), &url));
  std::string_view rest = text.substr(0, question);
  if (TakePrefix(&rest, "rediss:")) {
    return Error(Code::kUnsupported, "rediss:// (Redis over TLS) is not offered.",
                 {.hint = "Reach Redis over a private network, a Unix socket or a tunnel (stunnel)."});
  }
  if (TakePrefix(&rest, "redis://")) {
    RETURN_IF_ERROR(ParseTcp(rest, &url));
  } else if (TakePrefix(&rest, "redis+unix:") || TakePrefix(&rest, "unix:")) {
    RETURN_IF_ERROR(ParseUnix(rest, &url));
  } else {
    return Refuse("it begins with neither redis://, redis+unix: nor unix:");
  }
  return url;
}

}  // namespace mediagen
