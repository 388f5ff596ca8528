#include "redis/connection.h"

#include <errno.h>
#include <poll.h>

#include <algorithm>
#include <initializer_list>

#include "fmt/format.h"

namespace mediagen::redis {

Connection::Connection(const RedisUrl& url, const RedisClientOptions& options, std::function<void()> wake)
    : home_(url),
      url_(url),
      timeout_ms_(options.connect_timeout_ms),
      max_reply_bytes_(options.max_reply_bytes),
      lookup_beside_(options.threaded),
      wake_(std::move(wake)) {}

void Connection::Close() {
  state_ = State::kClosed;
  fd_.Reset();
  reader_.reset();
  lookup_.reset();
  addresses_.clear();
  greeting_.clear();
}

short Connection::events() const {
  if (!fd_.valid()) return 0;
  if (state_ == State::kConnecting) return POLLOUT;
  return static_cast<short>(greeting_.empty() ? POLLIN : POLLIN | POLLOUT);
}

void Connection::Begin(int64_t now_ms) {
  refused_ = false;
  lookup_ = Lookup::Start(url_, lookup_beside_, wake_);
  state_ = State::kLookingUp;
  deadline_ms_ = now_ms + timeout_ms_;
}

void Connection::Redirect(const RedisNode& node) {
  if (!node.host.empty()) url_.host = node.host;
  url_.port = node.port;
  url_.path.clear();
}

Status Connection::Advance(short revents, int64_t now_ms) {
  Status status = Go(revents, now_ms);
  if (!status.ok()) {
    Close();
    url_ = home_;
  }
  return status;
}

Status Connection::Go(short revents, int64_t now_ms) {
  if (state_ == State::kLookingUp) RETURN_IF_ERROR(LookedUp(now_ms));
  if (state_ == State::kConnecting) RETURN_IF_ERROR(Connected(revents, now_ms));
  if (state_ == State::kGreeting) RETURN_IF_ERROR(Greet(now_ms));
  return OkStatus();
}

Status Connection::LookedUp(int64_t now_ms) {
  if (!lookup_->finished()) {
    if (now_ms < deadline_ms_) return OkStatus();
    return Error(Code::kUnavailable, fmt::format("the host \"{}\" is not found in time", url_.host));
  }
  RETURN_IF_ERROR(lookup_->addresses().status());
  addresses_ = *lookup_->addresses();
  std::reverse(addresses_.begin(), addresses_.end());
  return TryNext(now_ms);
}

Status Connection::TryNext(int64_t now_ms) {
  Status status = Error(Code::kUnavailable, "the host has no address");
  while (!addresses_.empty()) {
    auto fd = BeginConnect(addresses_.back());
    addresses_.pop_back();
    status = fd.status();
    if (!status.ok()) continue;
    fd_ = std::move(*fd);
    state_ = State::kConnecting;
    deadline_ms_ = now_ms + timeout_ms_;
    return OkStatus();
  }
  return status;
}

Status Connection::Connected(short revents, int64_t now_ms) {
  if (revents == 0 && now_ms < deadline_ms_) return OkStatus();
  const Status outcome = revents == 0 ? Error(Code::kUnavailable, "the connection is not made in time")
                                      : ConnectOutcome(fd_.get());
  if (!outcome.ok()) {
    fd_.Reset();
    return addresses_.empty() ? outcome : TryNext(now_ms);
  }
  reader_.emplace(max_reply_bytes_);
  auto add = [this](std::initializer_list<std::string_view> command) {
    greeting_ += CommandBytes(std::span(command.begin(), command.size()));
    ++awaited_;
  };
  greeting_.clear();
  awaited_ = 0;
  if (!url_.user.empty())
    add({"AUTH", url_.user, url_.password});
  else if (!url_.password.empty())
    add({"AUTH", url_.password});
  if (url_.db != 0) add({"SELECT", std::to_string(url_.db)});
  add({"PING"});
  state_ = State::kGreeting;
  deadline_ms_ = now_ms + timeout_ms_;
  return OkStatus();
}

// Nothing else is sent before the PING has been answered: it proves that the server is there and lets us in.
Status Connection::Greet(int64_t now_ms) {
  if (!greeting_.empty()) {
    iovec piece{greeting_.data(), greeting_.size()};
    ASSIGN_OR_RETURN(size_t sent, Send({&piece, 1}));
    greeting_.erase(0, sent);
  }
  ASSIGN_OR_RETURN(size_t received, Receive());
  if (received > 0) RETURN_IF_ERROR(HearGreeting());
  if (state_ == State::kGreeting && now_ms >= deadline_ms_)
    return Error(Code::kUnavailable, "it does not answer a PING in time");
  return OkStatus();
}

Status Connection::HearGreeting() {
  RedisReply reply;
  while (true) {
    ASSIGN_OR_RETURN(bool whole, Next(&reply));
    if (!whole) return OkStatus();
    if (reply.kind == RedisReply::Kind::kError) {
      Status error = RedisError(reply.text);
      refused_ = CodeOf(error) != Code::kUnavailable;
      return error;
    }
    if (awaited_ == 0 || !reply.is_text())
      return Error(Code::kUnavailable, "what answers the greeting is no Redis");
    if (--awaited_ == 0) state_ = State::kReady;
  }
}

StatusOr<size_t> Connection::Send(std::span<iovec> pieces) {
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  const ssize_t sent = sendmsg(fd_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) return static_cast<size_t>(sent);
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return size_t{0};
  return SocketError(errno, "send");
}

StatusOr<size_t> Connection::Receive() {
  char bytes[ReplyReader::kMostPiece];
  const ssize_t received = recv(fd_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (received > 0) {
    reader_->Feed({bytes, static_cast<size_t>(received)});
    return static_cast<size_t>(received);
  }
  if (received == 0) return Error(Code::kUnavailable, "it closed the connection");
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return size_t{0};
  return SocketError(errno, "receive");
}

}  // namespace mediagen::redis
