// Connection: one socket to a Redis, from looking up its name to the answered PING, and what goes over it.
//
// Not thread-safe: the loop's thread alone touches it. After any error it is closed and can begin again.
#pragma once

#include <sys/uio.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "redis/client.h"
#include "redis/redirect.h"
#include "redis/socket.h"
#include "redis/wire.h"

namespace mediagen::redis {

class Connection {
 public:
  // `wake` interrupts the loop's waiting; any thread may call it, even after this object is gone.
  Connection(const RedisUrl& url, const RedisClientOptions& options, std::function<void()> wake);

  bool closed() const { return state_ == State::kClosed; }
  bool ready() const { return state_ == State::kReady; }

  void Begin(int64_t now_ms);
  // From the next Begin on to another node of the same cluster, until one fails there.
  void Redirect(const RedisNode& node);
  // Goes on with what was begun, as far as it goes without waiting; `revents` are poll's, of fd().
  Status Advance(short revents, int64_t now_ms);
  // After an error of Advance: whether Redis itself refused (a wrong password, a database that is not there).
  bool refused() const { return refused_; }

  int fd() const { return fd_.get(); }
  // What poll shall wait for, besides room for unsent commands. 0 without a socket.
  short events() const;
  // When Advance has to be called at the latest.
  int64_t deadline_ms() const { return ready() || closed() ? INT64_MAX : deadline_ms_; }

  // When ready. How many bytes went out; 0 when there is no room now.
  StatusOr<size_t> Send(std::span<iovec> pieces);
  // How many bytes came in, at most ReplyReader::kMostPiece; 0 when there are none now.
  StatusOr<size_t> Receive();
  StatusOr<bool> Next(RedisReply* reply) { return reader_->Next(reply); }

  void Close();

 private:
  enum class State { kClosed, kLookingUp, kConnecting, kGreeting, kReady };

  Status Go(short revents, int64_t now_ms);
  Status LookedUp(int64_t now_ms);
  Status TryNext(int64_t now_ms);
  Status Connected(short revents, int64_t now_ms);
  Status Greet(int64_t now_ms);
  Status HearGreeting();

  const RedisUrl home_;
  RedisUrl url_;  // home_, or where we were redirected to
  const int64_t timeout_ms_;
  const size_t max_reply_bytes_;
  const bool lookup_beside_;
  const std::function<void()> wake_;

  State state_ = State::kClosed;
  bool refused_ = false;
  int64_t deadline_ms_ = 0;  // of the present state
  std::shared_ptr<Lookup> lookup_;
  std::vector<Address> addresses_;  // still to be tried, the next one last
  Fd fd_;
  std::optional<ReplyReader> reader_;
  std::string greeting_;  // what of it is still to be sent
  int awaited_ = 0;       // replies to the greeting
};

}  // namespace mediagen::redis
