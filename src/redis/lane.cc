#include "redis/lane.h"

#include <poll.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "fmt/format.h"

namespace mediagen::redis {
namespace {

constexpr int64_t kShortestBackoffMs = 25, kLongestBackoffMs = 500;  // recovery shall take less than a second
constexpr int64_t kProvenMs = 1'000;  // a connection that stood so long was one, whether it was used or not
constexpr int kMostMoves = 3;         // of one command through a cluster
constexpr size_t kMostPieces = 64;    // commands of one sendmsg, and reads before somebody else's turn

}  // namespace

void Lane::Add(Request request) {
  wanted_ = true;
  next_deadline_ms_ = std::min(next_deadline_ms_, request.deadline_ms);
  queue_.push_back(std::move(request));
}

short Lane::events() const {
  return static_cast<short>(connection_.events() | (connection_.ready() && may_send() ? POLLOUT : 0));
}

int64_t Lane::next_ms() const {
  int64_t next = std::min(next_deadline_ms_, connection_.deadline_ms());
  if (connection_.closed() && wanted_) next = std::min(next, next_try_ms_);
  return std::min(next, GiveUpMs());
}

bool Lane::Drive(short revents, int64_t now_ms) {
  progress_ = false;
  if (!connection_.ready()) Connect(revents, now_ms);
  if (connection_.ready() && (revents & (POLLIN | POLLHUP | POLLERR)) != 0) Read(now_ms);
  if (connection_.ready()) Move(now_ms);
  if (connection_.ready()) Write(now_ms);
  Expire(now_ms);
  if (blocking_ && queue_.empty()) wanted_ = false;
  return progress_;
}

void Lane::Connect(short revents, int64_t now_ms) {
  if (connection_.closed()) {
    if (!wanted_ || now_ms < next_try_ms_) return;
    connection_.Begin(now_ms);
    revents = 0;
    progress_ = true;
  }
  if (Status status = connection_.Advance(revents, now_ms); !status.ok()) {
    Lose(status, now_ms);
  } else if (connection_.ready()) {
    Opened(now_ms);
  }
}

void Lane::Opened(int64_t now_ms) {
  progress_ = true;
  proven_ = false;
  opened_ms_ = heard_ms_ = now_ms;
  if (!blocking_) setup_.gate->Close();
  SetUp(true, OkStatus());
}

void Lane::Write(int64_t now_ms) {
  while (may_send()) {
    std::array<iovec, kMostPieces> pieces;
    size_t count = 0, skip = offset_;
    const size_t most = moved_to_ ? 1 : pieces.size();
    for (size_t i = sent_; i < queue_.size() && count < most; ++i) {
      std::string& bytes = queue_[i].bytes;
      pieces[count++] = {bytes.data() + skip, bytes.size() - skip};
      skip = 0;
    }
    auto sent = connection_.Send({pieces.data(), count});
    if (!sent.ok()) return Lose(sent.status(), now_ms);
    if (*sent == 0) return;
    progress_ = true;
    Sent(*sent, now_ms);
  }
}

void Lane::Sent(size_t bytes, int64_t now_ms) {
  offset_ += bytes;
  pushed_ms_ = now_ms;
  while (sent_ < queue_.size() && offset_ >= queue_[sent_].bytes.size()) {
    Request& request = queue_[sent_++];
    offset_ -= request.bytes.size();
    request.sent_ms = now_ms;
    if (!request.script && !request.repeatable) std::string().swap(request.bytes);
  }
}

void Lane::Read(int64_t now_ms) {
  for (size_t piece = 0; piece < kMostPieces && connection_.ready(); ++piece) {
    auto received = connection_.Receive();
    if (!received.ok()) return Lose(received.status(), now_ms);
    if (*received == 0) return;
    heard_ms_ = now_ms;
    progress_ = true;
    RedisReply reply;
    while (connection_.ready()) {
      auto whole = connection_.Next(&reply);
      if (!whole.ok()) {
        // What is too large was asked for by the first of the queue, which is told so.
        if (CodeOf(whole.status()) == Code::kTooLarge && sent_ > 0) Answer(queue_.front(), whole.status());
        return Lose(whole.status(), now_ms);
      }
      if (!*whole) break;
      OnReply(std::move(reply), now_ms);
    }
    if (*received < ReplyReader::kMostPiece) return;
  }
}

void Lane::OnReply(RedisReply reply, int64_t now_ms) {
  if (sent_ == 0) return Lose(Error(Code::kUnavailable, "it answers what nobody asked"), now_ms);
  Request request = std::move(queue_.front());
  queue_.pop_front();
  --sent_;
  if (reply.kind != RedisReply::Kind::kError) {
    proven_ = true;
    return End(request, std::move(reply));
  }
  if (SendAgain(request, reply.text)) return queue_.push_back(std::move(request));
  const Status error = RedisError(reply.text);
  End(request, error);
  // A replica, or a server that has lost its primary, is of no use: the name may lead to another one by now.
  if (IsRedisError(reply.text, "READONLY") || IsRedisError(reply.text, "MASTERDOWN"))
    return Lose(error, now_ms);
  proven_ = true;
}

// What Redis has certainly not carried out: a script that it does not know, a key that another node has.
bool Lane::SendAgain(Request& request, const std::string& error) {
  if (request.script && request.done && IsRedisError(error, "NOSCRIPT")) {
    std::string bytes;
    AppendHead(&bytes, request.arguments);
    AppendArgument(&bytes, "EVAL");
    AppendArgument(&bytes, request.script.text());
    bytes.append(request.bytes, request.tail);
    request.bytes = std::move(bytes);
    request.script = RedisScript();
    return true;
  }
  const std::optional<RedisNode> node = RedisMovedTo(error);
  if (!node) return false;
  moved_to_ = node;
  return request.done && !request.bytes.empty() && ++request.moves <= kMostMoves;
}

// Nothing more was sent since we heard of it; what was is answered, mostly by the same word.
void Lane::Move(int64_t now_ms) {
  if (!moved_to_ || touched() > 0) return;
  connection_.Close();
  connection_.Redirect(*moved_to_);
  moved_to_.reset();
  next_try_ms_ = now_ms;
  progress_ = true;
}

// A connection is given up when the oldest command on it has waited several times as long as it wanted to,
// and nothing at all was heard meanwhile.
int64_t Lane::GiveUpMs() const {
  if (touched() == 0 || !connection_.ready()) return INT64_MAX;
  const Request& oldest = queue_.front();
  const int64_t patience = oldest.timeout_ms * (blocking_ ? 1 : setup_.options.breaker_failures);
  return std::max(sent_ > 0 ? oldest.sent_ms : pushed_ms_, heard_ms_) + patience;
}

void Lane::Expire(int64_t now_ms) {
  if (now_ms >= GiveUpMs())
    Lose(Error(Code::kUnavailable, "it does not answer"), now_ms, setup_.options.breaker_failures);
  if (now_ms < next_deadline_ms_) return;
  next_deadline_ms_ = INT64_MAX;
  const size_t stay = touched();  // until they are answered
  for (size_t i = 0; i < queue_.size(); ++i) {
    Request& request = queue_[i];
    if (!request.done) continue;
    if (request.deadline_ms > now_ms) {
      next_deadline_ms_ = std::min(next_deadline_ms_, request.deadline_ms);
      continue;
    }
    progress_ = true;
    const std::string what = i < stay ? "it may have been carried out" : "it was not sent";
    Status timeout =
        Error(Code::kTimeout, fmt::format("Redis at {} did not answer a command within {} ms; {}.",
                                          setup_.url.Where(), request.timeout_ms, what));
    i < stay ? Answer(request, std::move(timeout)) : End(request, std::move(timeout));
  }
  auto over = [](const Request& request) { return !request.done; };
  queue_.erase(std::remove_if(queue_.begin() + static_cast<ptrdiff_t>(stay), queue_.end(), over),
               queue_.end());
}

int64_t Lane::Backoff() {
  if (failures_ <= 1) return 0;
  const int64_t longest = std::min(kLongestBackoffMs, kShortestBackoffMs << std::min(failures_ - 1, 10));
  return longest / 2 + static_cast<int64_t>(setup_.random->Below(static_cast<uint64_t>(longest / 2) + 1));
}

void Lane::Lose(const Status& why, int64_t now_ms, int failures) {
  progress_ = true;
  if (connection_.ready() && (proven_ || now_ms - opened_ms_ >= kProvenMs)) failures_ = 0;
  failures_ += failures;
  connection_.Close();
  moved_to_.reset();
  next_try_ms_ = now_ms + Backoff();
  const Status away = Away(why, now_ms);
  const size_t lost = touched();
  sent_ = offset_ = 0;
  std::deque<Request> before = std::move(queue_);
  queue_.clear();
  for (size_t i = 0; i < before.size(); ++i) {
    if (i < lost && (!before[i].repeatable || !before[i].done))
      End(before[i], away);
    else
      queue_.push_back(std::move(before[i]));
  }
  if (connection_.refused() || failures_ >= setup_.options.breaker_failures) Refuse(away);
  SetUp(false, away);
}

// Opens the breaker, or brings its next try up to date.
void Lane::Refuse(const Status& why) {
  if (blocking_) return;
  setup_.gate->Open(why, next_try_ms_);
  std::deque<Request> waiting = std::move(queue_);
  queue_.clear();
  for (Request& request : waiting) End(request, why);
}

void Lane::Close(const Status& why) {
  connection_.Close();
  sent_ = offset_ = 0;
  std::deque<Request> all = std::move(queue_);
  queue_.clear();
  for (Request& request : all) End(request, why);
  SetUp(false, why);
}

void Lane::SetUp(bool up, const Status& why) {
  if (up == up_) return;
  up_ = up;
  if (blocking_) return;
  setup_.gate->SetUp(up);
  if (setup_.log != nullptr) {
    if (up)
      setup_.log->Write(LogLevel::kInfo, "redis", fmt::format("Connected to {}.", setup_.url.Where()));
    else
      setup_.log->Write(LogLevel::kWarning, "redis", InfoOf(why).message);
  }
  if (setup_.options.on_state) setup_.options.on_state(up);
}

Status Lane::Away(const Status& why, int64_t now_ms) const {
  ErrorInfo info = InfoOf(why);
  if (!info.message.empty() && info.message.back() == '.') info.message.pop_back();
  // What Redis refuses us for keeps its code: all else means that there is no connection.
  return Error(connection_.refused() ? info.code : Code::kUnavailable,
               fmt::format("Redis at {} is not available: {}.", setup_.url.Where(), info.message),
               {.hint = info.hint, .retry_after_ms = std::max<int64_t>(1, next_try_ms_ - now_ms)});
}

void Lane::Answer(Request& request, StatusOr<RedisReply> reply) {
  if (!request.done) return;
  RedisDone done = std::move(request.done);
  request.done = nullptr;
  done(std::move(reply));
}

void Lane::End(Request& request, StatusOr<RedisReply> reply) {
  setup_.gate->Leave(request.counted);
  Answer(request, std::move(reply));
}

}  // namespace mediagen::redis
