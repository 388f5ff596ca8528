// RESP2, both ways: how a command is written, and replies read by hiredis's reader into RedisReply.
//
// Not thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "redis/reply.h"

struct redisReader;

namespace mediagen::redis {

// "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", in its parts: the head says how many arguments follow.
void AppendHead(std::string* out, size_t arguments);
void AppendArgument(std::string* out, std::string_view argument);
std::string CommandBytes(std::span<const std::string_view> arguments);

class ReplyReader {
 public:
  // A reply of more than `max_bytes`, its small parts charged with what they take in memory, is refused.
  explicit ReplyReader(size_t max_bytes);
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  // Takes bytes as they came; at most kMostPiece at once.
  static constexpr size_t kMostPiece = 16 << 10;  // the reader moves what it has not read after each KB
  void Feed(std::string_view bytes);
  // The next whole reply; false when there is none yet. kTooLarge, or kInvalid for what is no RESP: the
  // connection is then of no use any more.
  StatusOr<bool> Next(RedisReply* reply);

  // What hiredis's callbacks work on: a place for one more value, or nullptr when the budget is spent.
  RedisReply* Place(RedisReply* parent, size_t index, RedisReply::Kind kind, size_t bytes);

 private:
  Status Refusal() const;

  const size_t max_bytes_;
  size_t bytes_ = 0;  // of the reply that is being read
  bool too_large_ = false;
  redisReader* reader_;
};

}  // namespace mediagen::redis
