// RedisReply: what Redis answered, as an owned value (RESP2: https://redis.io/docs/reference/protocol-spec).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace mediagen {

struct RedisReply {
  enum class Kind {
    kNil,
    kInteger,
    kText,   // a bulk string or a simple one ("OK"); any bytes
    kArray,  // of any of these
    kError,  // only inside an array: an error that is a whole answer becomes a Status
  };
  Kind kind = Kind::kNil;
  int64_t integer = 0;
  std::string text;  // of kText and kError
  std::vector<RedisReply> elements;

  bool nil() const { return kind == Kind::kNil; }
  bool is_text() const { return kind == Kind::kText; }
  bool is_integer() const { return kind == Kind::kInteger; }
  bool is_array() const { return kind == Kind::kArray; }
};

// The Status of an error reply, by its first word. Arguments that Redis repeats in its text are cut off: they
// may be secret.
//
//   NOAUTH WRONGPASS                                            kUnauthorized
//   NOPERM                                                      kForbidden
//   LOADING READONLY MASTERDOWN CLUSTERDOWN TRYAGAIN MOVED ASK
//   BUSY MISCONF NOREPLICAS                                     kUnavailable
//   OOM                                                         kOverloaded
//   WRONGTYPE                                                   kConflict
//   CROSSSLOT                                                   kUnsupported
//   NOSCRIPT                                                    kNotFound
//   any other                                                   kInvalid
Status RedisError(std::string_view text);

// Whether an error reply begins with this word ("NOSCRIPT").
bool IsRedisError(std::string_view text, std::string_view word);

}  // namespace mediagen
