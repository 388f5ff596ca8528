#include "redis/reply.h"

#include "base/text.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr size_t kMostErrorBytes = 200;

struct Meaning {
  std::string_view word;
  Code code;
  std::string_view hint;
};
constexpr Meaning kMeanings[] = {
    {"NOAUTH", Code::kUnauthorized,
     "Give a password: redis://:password@host, or redis://user:password@host."},
    {"WRONGPASS", Code::kUnauthorized, "Look at the user and the password of the Redis URL."},
    {"NOPERM", Code::kForbidden, "Give this Redis user the commands and keys that are needed (ACL SETUSER)."},
    {"LOADING", Code::kUnavailable, "Redis is reading its data; try again soon."},
    {"READONLY", Code::kUnavailable, "This is a replica; give the address of the primary."},
    {"MASTERDOWN", Code::kUnavailable, ""},
    {"CLUSTERDOWN", Code::kUnavailable, ""},
    {"TRYAGAIN", Code::kUnavailable, ""},
    {"ASK", Code::kUnavailable, "The slot of this key is moving; try again soon."},
    {"BUSY", Code::kUnavailable, "A script of somebody runs too long (SCRIPT KILL)."},
    {"MISCONF", Code::kUnavailable, "Redis cannot write its snapshots to disk."},
    {"NOREPLICAS", Code::kUnavailable, ""},
    {"OOM", Code::kOverloaded, "Raise Redis's maxmemory, or give it an eviction policy."},
    {"WRONGTYPE", Code::kConflict, "Somebody else uses this key; choose another prefix."},
    {"MOVED", Code::kUnavailable, "Another node of the cluster has this key; the client goes there now."},
    {"CROSSSLOT", Code::kUnsupported, "All keys of one command need the same hash tag in a cluster."},
    {"NOSCRIPT", Code::kNotFound, ""},
};

}  // namespace

bool IsRedisError(std::string_view text, std::string_view word) {
  return text.substr(0, word.size()) == word && (text.size() == word.size() || text[word.size()] == ' ');
}

Status RedisError(std::string_view text) {
  const std::string_view shown = text.substr(0, text.find(", with args beginning with"));
  const std::string message = fmt::format("Redis says: {}", Shorten(ReplaceBadUtf8(shown), kMostErrorBytes));
  for (const Meaning& meaning : kMeanings) {
    if (IsRedisError(text, meaning.word))
      return Error(meaning.code, message, {.hint = std::string(meaning.hint)});
  }
  return Error(Code::kInvalid, message);
}

}  // namespace mediagen
