#include "cache/redis/outbox.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace mediagen::tiered {
namespace {

constexpr int64_t kPauseMs = 100;  // before a batch is sent again on a connection that stands

}  // namespace

void Outbox::Add(Item item) {
  {
    std::lock_guard lock(mutex_);
    const uint64_t number = added_.fetch_add(1) + 1;
    if (bytes_ + item.frame.size() > kMostBytes) item.frame.clear();
    if (waiting_.size() - sending_ >= kMostWaiting || name_bytes_ + item.name.size() > kMostNameBytes) {
      // Too much to be kept: everything is invalidated, which says the same and more.
      while (waiting_.size() > sending_) DropLast();
      item = {.kind = Kind::kAll};
    }
    bytes_ += item.frame.size();
    name_bytes_ += item.name.size();
    waiting_.push_back(std::move(item));
    up_to_.push_back(number);
  }
  backplane_->Start();
  Send();
}

void Outbox::DropLast() {
  bytes_ -= waiting_.back().frame.size();
  name_bytes_ -= waiting_.back().name.size();
  waiting_.pop_back();
  up_to_.pop_back();
}

void Outbox::Send(bool at_once) {
  const Backplane::Session session = backplane_->session();
  size_t count = 0;
  {
    std::lock_guard lock(mutex_);
    if (sending_ != 0 || waiting_.empty() || session.run.empty()) return;
    if (!at_once && failed_ && clock_->MonotonicMs() < retry_ms_) return;
    size_t bytes = 0;
    while (count < std::min(waiting_.size(), kMostBatch) && (count == 0 || bytes < kMostBatchBytes))
      bytes += waiting_[count++].frame.size();
    sending_ = count;
  }
  SendBatch(count, session);
}

void Outbox::SendBatch(size_t count, const Backplane::Session& session) {
  std::vector<std::string> keys = {names_->g, names_->stream, names_->due};
  std::vector<std::string> arguments = {session.run, backplane_->origin()};
  {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < count; ++i) {
      Item& item = waiting_[i];
      // What was known of another run says nothing in this one.
      const bool put = !item.frame.empty() && item.known.holds(session.run);
      bytes_ -= item.frame.size();
      std::string frame = std::exchange(item.frame, {});
      arguments.emplace_back(put ? std::string(kPut) : std::string(1, static_cast<char>(item.kind)));
      arguments.push_back(item.name);
      if (item.kind == Kind::kKey) keys.push_back(names_->Value(item.name));
      if (!put) continue;
      arguments.push_back(std::to_string(item.known.seq));
      arguments.push_back(std::to_string(item.ttl_ms));
      bytes_written += frame.size();
      arguments.push_back(std::move(frame));
    }
  }
  const std::vector<std::string_view> key_views(keys.begin(), keys.end());
  const std::vector<std::string_view> argument_views(arguments.begin(), arguments.end());
  client_->Eval(
      AllScripts().publish, key_views, argument_views,
      [this, count, session](StatusOr<RedisReply> reply) { OnSent(std::move(reply), count, session); });
}

void Outbox::OnSent(StatusOr<RedisReply> reply, size_t count, const Backplane::Session& session) {
  // A Redis of another run has done nothing, and the answer says so by being shorter.
  const bool answered = reply.ok() && reply->elements.size() >= 2;
  const bool carried_out =
      answered && reply->elements.size() == 3 && reply->elements[0].text == session.run &&
      backplane_->Note(session.number, session.run, static_cast<uint64_t>(reply->elements[1].integer));
  {
    std::lock_guard lock(mutex_);
    sending_ = 0;
    if (carried_out) {
      arrived_ = up_to_[count - 1];
      for (size_t i = 0; i < count; ++i) name_bytes_ -= waiting_[i].name.size();
      waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(count));
      up_to_.erase(up_to_.begin(), up_to_.begin() + static_cast<ptrdiff_t>(count));
      failed_ = failed_ && !waiting_.empty();
    } else {
      failed_ = true;
      ++errors;
      retry_ms_ = clock_->MonotonicMs() + kPauseMs;
    }
  }
  if (carried_out) return Send();
  if (!answered) return;
  const Backplane::Session now = backplane_->session();
  if (now.run == reply->elements[0].text) return Send(true);  // this process has greeted that run meanwhile
  // Redis has lost its data, and this process its place in the stream.
  if (now.number == session.number) backplane_->Lost();
}

}  // namespace mediagen::tiered
