#include "cache/redis/backplane.h"

#include <algorithm>

#include "base/hash.h"
#include "fmt/format.h"

namespace mediagen::tiered {
namespace {

constexpr int64_t kPatienceMs = 2'000;  // for a connection, and for an answer on it
constexpr int64_t kPauseMs = 250;       // after an answer that will not be another one at once
constexpr int kMostEntries = 500;       // of one read
constexpr RedisCommandOptions kBlocking = {.timeout_ms = kHeartbeatMs + kPatienceMs, .blocking = true};

std::string RandomText(Random* random) { return fmt::format("{:016x}", random->Next()); }

// The run and the sequence number, which every answer begins with.
struct Pair {
  std::string run;
  uint64_t seq = 0;
};
StatusOr<Pair> ReadPair(const RedisReply& reply) {
  const auto& parts = reply.elements;
  if (!reply.is_array() || parts.size() < 2) return Error(Code::kCorrupt, "Redis answered something else.");
  Pair pair{parts[0].text, 0};
  if (parts[1].is_integer()) pair.seq = static_cast<uint64_t>(std::max<int64_t>(0, parts[1].integer));
  for (const char digit : parts[1].text) {
    if (digit < '0' || digit > '9' || parts[1].text.size() > 16)
      return Error(Code::kCorrupt, "Redis has a sequence number that is none.");
    pair.seq = pair.seq * 10 + static_cast<uint64_t>(digit - '0');
  }
  return pair;
}

}  // namespace

Backplane::Backplane(const Setup& setup) : setup_(setup), origin_(RandomText(setup.random)) {}

void Backplane::Start() {
  if (started_.load(std::memory_order_relaxed) || started_.exchange(true)) return;
  {
    std::lock_guard lock(mutex_);
    if (state_ != State::kIdle) return;
    state_ = State::kGreeting;
  }
  Greet(true);
}

Backplane::Session Backplane::session() const {
  std::lock_guard lock(mutex_);
  return session_;
}

bool Backplane::usable() const {
  std::lock_guard lock(mutex_);
  // The first greeting goes before whatever is asked now.
  return state_ == State::kHearing || (state_ == State::kGreeting && session_.number == 0);
}

Backplane::Moment Backplane::known() const {
  std::lock_guard lock(mutex_);
  return {session_.run, known_};
}

bool Backplane::Note(uint64_t session, std::string_view run, uint64_t seq) {
  std::lock_guard lock(mutex_);
  if (session != session_.number || run != session_.run || run.empty()) return false;
  known_ = std::max(known_, seq);
  return true;
}

void Backplane::Lost() {
  {
    std::lock_guard lock(mutex_);
    if (state_ == State::kIdle || state_ == State::kStopped) return;
    state_ = State::kGreeting;
    ++session_.number;
  }
  SetHearing(0);
}

void Backplane::Stop() {
  {
    std::lock_guard lock(mutex_);
    state_ = State::kStopped;
  }
  SetHearing(0);
}

bool Backplane::Stopped() const {
  std::lock_guard lock(mutex_);
  return state_ == State::kStopped;
}

void Backplane::SetHearing(int64_t until_ms) {
  heard_until_ms_.store(until_ms, std::memory_order_release);
  const bool now = until_ms != 0;
  if (hearing_.exchange(now) != now) setup_.listener->Hearing(now);
}

// ---- greeting ---------------------------------------------------------------------------------------------

void Backplane::Greet(bool first) {
  uint64_t number;
  {
    std::lock_guard lock(mutex_);
    if (state_ == State::kStopped) return;
    number = session_.number;
    retry_ms_ = INT64_MAX;
  }
  const std::string run = RandomText(setup_.random), life = std::to_string(setup_.life_ms);
  const std::string_view keys[] = {setup_.names->g, setup_.names->stream, setup_.names->due};
  const std::string_view arguments[] = {run, life};
  const int64_t now_ms = setup_.clock->MonotonicMs();
  setup_.client->Eval(
      AllScripts().hello, keys, arguments,
      [this, number, now_ms](StatusOr<RedisReply> reply) { OnGreeted(std::move(reply), number, now_ms); },
      first ? RedisCommandOptions{} : kBlocking);
}

void Backplane::OnGreeted(StatusOr<RedisReply> reply, uint64_t number, int64_t asked_ms) {
  StatusOr<Pair> pair = reply.ok() ? ReadPair(*reply) : reply.status();
  if (!pair.ok()) return Again(pair.status());
  bool forget, lost;
  {
    std::lock_guard lock(mutex_);
    if (state_ == State::kStopped) return;
    const bool first = session_.run.empty();
    forget = !first && (pair->run != session_.run || pair->seq < applied_ || lost_place_);
    lost_place_ = false;
    if (first || forget) applied_ = pair->seq;
    if (forget) known_ = 0;
  }
  if (forget) setup_.listener->Forget();
  {
    std::lock_guard lock(mutex_);
    if (state_ == State::kStopped) return;
    session_.run = pair->run;
    known_ = std::max(known_, pair->seq);
    lost = session_.number != number;
    if (!lost) state_ = State::kCatchingUp;
  }
  if (lost) return Greet(false);
  setup_.listener->Ready(true);
  target_ = pair->seq;
  asked_ms_ = asked_ms;
  if (applied_ >= target_) Reached(target_, asked_ms_);
  Read();
}

// Nothing is under way now: what is tried next waits for its connection, unless the answer was that it is not
// to be.
void Backplane::Again(const Status& why) {
  Lost();
  switch (CodeOf(why)) {
    case Code::kUnavailable:
    case Code::kTimeout:
      return Greet(false);
    case Code::kCanceled:
    case Code::kForked:
      return Stop();
    default: {
      std::lock_guard lock(mutex_);
      retry_ms_ = setup_.clock->MonotonicMs() + kPauseMs;
    }
  }
}

void Backplane::Tick(int64_t now_ms) {
  {
    std::lock_guard lock(mutex_);
    if (now_ms < retry_ms_) return;
    retry_ms_ = INT64_MAX;
  }
  Greet(false);
}

// ---- hearing ----------------------------------------------------------------------------------------------

void Backplane::Read() {
  uint64_t number;
  {
    std::lock_guard lock(mutex_);
    if (state_ == State::kStopped) return;
    number = session_.number;
  }
  const std::string from = fmt::format("{}-0", applied_), count = std::to_string(kMostEntries);
  const std::string block = std::to_string(applied_ < target_ ? 1 : kHeartbeatMs);
  setup_.client->Command(
      {"XREAD", "COUNT", count, "BLOCK", block, "STREAMS", setup_.names->stream, from},
      [this, number](StatusOr<RedisReply> reply) { OnRead(std::move(reply), number); }, kBlocking);
}

void Backplane::OnRead(StatusOr<RedisReply> reply, uint64_t number) {
  if (!reply.ok()) return Again(reply.status());
  if (session().number != number) return Greet(false);
  const bool nothing = reply->nil() || reply->elements.empty();
  if (nothing && applied_ < target_) {  // what was missed is not there any more
    setup_.listener->Forget();
    applied_ = target_;
  }
  if (!nothing) {
    const RedisReply& stream = reply->elements[0];
    if (stream.elements.size() != 2 || !ApplyBatch(stream.elements[1])) {
      lost_place_ = true;  // nobody knows what that was: all of it is given up, and gone on with after it
      setup_.listener->Forget();
      return Again(Error(Code::kCorrupt, "The stream of invalidations holds something else."));
    }
  }
  if (applied_ >= target_) Reached(target_, asked_ms_);
  // A stream that never ends shall not keep it from asking, nor make it ask for every entry.
  if (setup_.clock->MonotonicMs() - asked_ms_ >= kHeartbeatMs / 2 || nothing) return Beat();
  Read();
}

// False for an entry that is none of ours.
bool Backplane::ApplyBatch(const RedisReply& entries) {
  for (const RedisReply& entry : entries.elements) {
    if (entry.elements.size() != 2) return false;
    const std::string& id = entry.elements[0].text;
    const auto& fields = entry.elements[1].elements;
    const size_t digits = id.find_first_not_of("0123456789");
    if (fields.size() != 6 || fields[1].text.size() != 1 || digits == 0 || digits > 16) return false;
    const uint64_t seq = std::stoull(id.substr(0, digits));
    if (seq <= applied_) return false;
    if (seq != applied_ + 1) setup_.listener->Forget();  // what came between was trimmed away
    if (fields[5].text != origin_)
      setup_.listener->Apply(static_cast<Kind>(fields[1].text[0]), fields[3].text);
    applied_ = seq;
    std::lock_guard lock(mutex_);
    known_ = std::max(known_, seq);
  }
  return true;
}

void Backplane::Beat() {
  const uint64_t number = session().number;
  const int64_t now_ms = setup_.clock->MonotonicMs();
  setup_.client->Command(
      {"HMGET", setup_.names->g, "run", "seq"},
      [this, number, now_ms](StatusOr<RedisReply> reply) { OnBeat(std::move(reply), number, now_ms); },
      kBlocking);
}

void Backplane::OnBeat(StatusOr<RedisReply> reply, uint64_t number, int64_t asked_ms) {
  StatusOr<Pair> pair = reply.ok() ? ReadPair(*reply) : reply.status();
  if (!pair.ok()) return Again(pair.status());
  const Session now = session();
  if (now.number != number || pair->run != now.run || pair->seq < applied_) {
    Lost();
    return Greet(false);
  }
  target_ = pair->seq;
  asked_ms_ = asked_ms;
  if (applied_ >= target_) Reached(target_, asked_ms_);
  setup_.listener->Ready(false);
  Read();
}

// All that Redis had at asked_ms has been applied.
void Backplane::Reached(uint64_t target, int64_t asked_ms) {
  {
    std::lock_guard lock(mutex_);
    if (state_ != State::kCatchingUp && state_ != State::kHearing) return;
    state_ = State::kHearing;
    known_ = std::max(known_, target);
  }
  SetHearing(asked_ms > INT64_MAX - setup_.lease_ms ? INT64_MAX : asked_ms + setup_.lease_ms);
}

}  // namespace mediagen::tiered
