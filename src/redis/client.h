// RedisClient: one asynchronous client of one Redis, for the cache's second level and the limiter.
//
// Thread-safe. Commands are pipelined over one connection, which is made with the first of them and made
// again when it is lost: at once, then after 25 to 500 ms, each time. What was sent on a connection that is
// lost ends with kUnavailable: nobody knows whether Redis carried it out, so nothing is sent twice unless the
// command says that it may be. What was not sent waits for the next connection until its time is over. After
// a few failures in a row the circuit breaker answers kUnavailable at once, with the time of the next try,
// until a connection has answered a PING. Commands that block (XREAD BLOCK, BLPOP) have a connection of their
// own.
//
// One thread a client, begun by the first command; or none, and somebody calls Poll. Messages name the
// server, never the password, and repeat no argument of a command.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/status.h"
#include "redis/reply.h"
#include "redis/url.h"

namespace mediagen {

// Called exactly once, by the thread that drives the loop (which it must not keep: posting the rest elsewhere
// is its own affair) or, for a command that was refused, before Command returns.
//
// kUnavailable: no connection, or one that was lost under way; retry_after_ms says when the next one is
// tried. kTimeout: no answer in time; it may have been carried out. kOverloaded: too much is under way.
// kTooLarge: the reply. kCanceled: Stop. kForked. What Redis itself refuses: see RedisError.
using RedisDone = std::function<void(StatusOr<RedisReply>)>;

// A Lua script and the SHA-1 that Redis knows it by. Copies share the text.
class RedisScript {
 public:
  RedisScript() = default;
  explicit RedisScript(std::string text);
  std::string_view text() const { return known_->first; }
  std::string_view sha1() const { return known_->second; }  // 40 hex digits
  explicit operator bool() const { return known_ != nullptr; }

 private:
  std::shared_ptr<const std::pair<std::string, std::string>> known_;
};

struct RedisCommandOptions {
  int64_t timeout_ms = 0;  // from now to the reply, waiting for a connection included; 0: the client's
  // To carry it out twice does no harm (GET, SET of the same value): it is sent again when the connection is
  // lost.
  bool repeatable = false;
  // Goes over the second connection, on which commands wait for each other, and for which no breaker answers:
  // it waits for a connection as long as its timeout says. That must be longer than what it blocks for.
  bool blocking = false;
};

class RedisClient {
 public:
  virtual ~RedisClient() = default;  // Stop

  // Sends a command; `arguments`, the command's name first, may hold any bytes and are copied. Never blocks.
  virtual void Command(std::span<const std::string_view> arguments, RedisDone done,
                       const RedisCommandOptions& options = {}) = 0;
  void Command(std::initializer_list<std::string_view> arguments, RedisDone done,
               const RedisCommandOptions& options = {}) {
    Command(std::span(arguments.begin(), arguments.size()), std::move(done), options);
  }
  // Runs a script by EVALSHA, and by EVAL where Redis does not know it (any more).
  virtual void Eval(const RedisScript& script, std::span<const std::string_view> keys,
                    std::span<const std::string_view> arguments, RedisDone done,
                    const RedisCommandOptions& options = {}) = 0;

  // Drives the loop on the caller's thread for at most wait_ms, when the client has no thread. True when
  // something happened. One at a time.
  virtual bool Poll(int64_t wait_ms) = 0;
  // Interrupts a Poll.
  virtual void Wake() = 0;
  virtual bool threaded() const = 0;
  // Whether commands can be sent at this moment (the first connection, not the one of blocking commands).
  virtual bool up() const = 0;
  // Commands that were not answered by Redis yet; those that ran out of time are among them.
  virtual size_t active() const = 0;
  // The server's URL without its secrets.
  virtual const std::string& where() const = 0;
  // Ends everything under way with kCanceled and joins the thread. Not from within a `done`.
  virtual void Stop() = 0;
};

struct RedisClientOptions {
  bool threaded = true;  // false: somebody calls Poll
  int64_t timeout_ms = 1'000;
  int64_t connect_timeout_ms = 1'000;  // to look up, connect and greet; each
  size_t max_commands = 16'384;        // under way
  size_t max_bytes = 64 << 20;         // of what they say
  size_t max_reply_bytes = 64 << 20;   // of one reply
  int breaker_failures = 3;  // in a row: connections that failed or broke, and (each) commands without
                             // an answer while nothing else was answered either
  // Told of every change of up(), by the thread that drives the loop.
  std::function<void(bool up)> on_state;
  LogSink* log = nullptr;
  Random* random = nullptr;  // of the backoff's jitter; null: SystemRandom()
};

// Connects to nothing yet. kInvalid when `url` has parameters left (RedisUrl::CheckAllTaken). `clock`, `log`
// and `random` must outlive the client.
StatusOr<std::unique_ptr<RedisClient>> NewRedisClient(Clock* clock, const RedisUrl& url,
                                                      RedisClientOptions options);

// Sends a command and waits for its reply, driving the loop when the client has no thread.
StatusOr<RedisReply> RedisCall(RedisClient& client, std::span<const std::string_view> arguments,
                               const RedisCommandOptions& options = {});
inline StatusOr<RedisReply> RedisCall(RedisClient& client, std::initializer_list<std::string_view> arguments,
                                      const RedisCommandOptions& options = {}) {
  return RedisCall(client, std::span(arguments.begin(), arguments.size()), options);
}

}  // namespace mediagen
