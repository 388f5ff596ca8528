// Lane: the commands of one connection, in the order in which they are sent and answered, and when the
// connection is made and given up.
//
// Not thread-safe: the loop's thread alone touches it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "redis/client.h"
#include "redis/connection.h"
#include "redis/gate.h"

namespace mediagen::redis {

// One command under way.
struct Request {
  std::string bytes;   // as it is sent; empty once it can not be sent again
  size_t counted = 0;  // in the Gate
  RedisScript script;  // of an EVALSHA: `bytes` from `tail` on is what an EVAL says, too
  size_t arguments = 0, tail = 0;
  bool repeatable = false, blocking = false;
  int64_t timeout_ms = 0, deadline_ms = 0, sent_ms = 0;
  int moves = 0;   // how often another node was named
  RedisDone done;  // empty once it was called: the reply is then dropped
};

// What both lanes of a client work with.
struct LaneSetup {
  Clock* clock;
  Random* random;
  LogSink* log;
  RedisUrl url;
  RedisClientOptions options;
  std::function<void()> wake;
  Gate* gate;
};

class Lane {
 public:
  // The lane of blocking commands keeps no connection that nobody wants, and leaves the gate alone.
  Lane(const LaneSetup& setup, bool blocking)
      : setup_(setup), blocking_(blocking), connection_(setup.url, setup.options, setup.wake) {}

  void Add(Request request);
  // Connects, sends, receives and lets commands expire, as far as it goes without waiting; `revents` are
  // poll's. True when something happened.
  bool Drive(short revents, int64_t now_ms);
  // What poll shall wait for, and until when at the latest.
  int fd() const { return connection_.fd(); }
  short events() const;
  int64_t next_ms() const;

  // Ends everything with this.
  void Close(const Status& why);

 private:
  void Connect(short revents, int64_t now_ms);
  void Opened(int64_t now_ms);
  void Write(int64_t now_ms);
  void Sent(size_t bytes, int64_t now_ms);
  void Read(int64_t now_ms);
  void OnReply(RedisReply reply, int64_t now_ms);
  bool SendAgain(Request& request, const std::string& error);
  void Move(int64_t now_ms);
  void Expire(int64_t now_ms);
  int64_t GiveUpMs() const;
  // Whether there is something to send here; after a MOVED that is only what is half sent.
  bool may_send() const { return sent_ < queue_.size() && (!moved_to_ || offset_ > 0); }
  size_t touched() const { return sent_ + (offset_ > 0 ? 1 : 0); }
  // The connection is no more: `failures` count for the breaker.
  void Lose(const Status& why, int64_t now_ms, int failures = 1);
  void SetUp(bool up, const Status& why);
  void Refuse(const Status& why);
  void Answer(Request& request, StatusOr<RedisReply> reply);
  void End(Request& request, StatusOr<RedisReply> reply);
  int64_t Backoff();
  Status Away(const Status& why, int64_t now_ms) const;

  const LaneSetup& setup_;
  const bool blocking_;
  Connection connection_;
  std::deque<Request> queue_;  // what was sent, then what was not
  size_t sent_ = 0;            // how many were sent whole
  size_t offset_ = 0;          // how much of the next one was
  bool wanted_ = false, up_ = false;
  bool progress_ = false;                                 // something happened in this Drive
  std::optional<RedisNode> moved_to_;                     // when all that was sent is answered
  bool proven_ = false;                                   // this connection has answered a command
  int failures_ = 0;                                      // in a row
  int64_t next_try_ms_ = 0;                               // when closed
  int64_t opened_ms_ = 0, heard_ms_ = 0, pushed_ms_ = 0;  // pushed: a command that was not sent whole got on
  int64_t next_deadline_ms_ = INT64_MAX;                  // no command ends before it
};

}  // namespace mediagen::redis
