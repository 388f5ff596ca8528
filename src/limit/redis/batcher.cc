#include "limit/redis/batcher.h"

#include <memory>
#include <utility>

#include "fmt/format.h"

namespace mediagen::limit {
namespace {

constexpr int kMostBatches = 4;      // under way: a far Redis is asked again before it has answered
constexpr size_t kMostCharges = 64;  // of one batch: a quarter of a millisecond of Redis's time
constexpr size_t kMostWaiting = 16'384;

// Whose answers this thread is telling. What is asked from within is sent when all of them have been told:
// those who were answered together ask again together, and each script call by itself takes two wake-ups.
thread_local const Batcher* telling = nullptr;

class Telling {
 public:
  explicit Telling(const Batcher* batcher) : before_(std::exchange(telling, batcher)) {}
  ~Telling() { telling = before_; }
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;

 private:
  const Batcher* const before_;
};

Status NotAnswered() { return Error(Code::kTimeout, "The rate limiter's Redis did not answer in time."); }

}  // namespace

void Batcher::Ask(Question question) {
  if (fork_guard_.forked()) {
    return question.done(
        question,
        Error(Code::kForked, "The rate limiter was opened before a fork and cannot be used in the child.",
              {.hint = "Open a new one in the child process."}));
  }
  question.deadline_ms = clock_->MonotonicMs() + timeout_ms_;
  bool taken = false;
  {
    std::lock_guard lock(mutex_);
    taken = waiting_.size() < kMostWaiting;
    if (taken) waiting_.push_back(std::move(question));
  }
  if (!taken)  // NOLINTNEXTLINE(bugprone-use-after-move): it was moved where it was taken
    return question.done(question, Error(Code::kOverloaded, "Too many rate limits wait for Redis.",
                                         {.retry_after_ms = timeout_ms_}));
  Pump();
}

// Whoever finds another thread at it leaves the work to that one: an answer that comes from within Send does,
// too.
void Batcher::Pump() {
  if (telling == this) return;
  while (true) {
    Batch batch, late;
    const int64_t now_ms = clock_->MonotonicMs();
    {
      std::lock_guard lock(mutex_);
      if (pumping_) return;
      batch = TakeBatch(now_ms, &late);
      if (batch.empty() && late.empty()) return;
      pumping_ = true;
      if (!batch.empty()) ++under_way_;
    }
    if (!batch.empty()) Send(std::move(batch), now_ms);
    for (const Question& question : late) question.done(question, NotAnswered());
    std::lock_guard lock(mutex_);
    pumping_ = false;
  }
}

Batcher::Batch Batcher::TakeBatch(int64_t now_ms, Batch* late) {
  Batch batch;
  if (under_way_ >= kMostBatches) return batch;
  // Beside another one it has to be worth it: a script call of two steps takes Redis hardly less than one of
  // eight, and what comes back soon brings more to be asked together.
  if (under_way_ > 0 && waiting_.size() < newest_) return batch;
  size_t charges = 0;
  while (!waiting_.empty()) {
    Question& next = waiting_.front();
    // Who has waited for most of its time would only shorten the batch's.
    const bool is_late = next.deadline_ms - now_ms < (timeout_ms_ + 3) / 4;
    if (!is_late && !batch.empty() && charges + next.parts.size() > kMostCharges) break;
    if (!is_late) charges += next.parts.size();
    (is_late ? *late : batch).push_back(std::move(next));
    waiting_.pop_front();
  }
  if (!batch.empty()) newest_ = batch.size();
  return batch;
}

void Batcher::Send(Batch batch, int64_t now_ms) {
  ScriptBatch script(decide_by_ == nullptr ? -1 : decide_by_->MonotonicMs());
  std::vector<ScriptCharge> charges;
  for (const Question& question : batch) {
    charges.clear();
    for (const Question::Part& part : question.parts) {
      charges.push_back(part.charge);
      charges.back().key = part.name;
    }
    script.Add(question.verb, charges, question.settled_name);
  }
  const RedisCommandOptions options{.timeout_ms = batch.front().deadline_ms - now_ms};
  const std::string packed = script.Packed();
  const std::string_view argument = packed;
  auto asked = std::make_shared<const Batch>(std::move(batch));
  client_->Eval(
      script_, script.keys(), {&argument, 1},
      [this, asked](StatusOr<RedisReply> reply) { OnReply(*asked, std::move(reply)); }, options);
}

void Batcher::OnReply(const Batch& batch, StatusOr<RedisReply> reply) {
  bool enough = false;
  {
    std::lock_guard lock(mutex_);
    --under_way_;
    enough = waiting_.size() >= batch.size();
  }
  // The next batch goes out before the answers of this one are told, unless these bring most of it.
  if (enough) Pump();
  {
    const Telling told(this);
    Tell(batch, std::move(reply));
  }
  Pump();
}

void Batcher::Tell(const Batch& batch, StatusOr<RedisReply> reply) {
  std::vector<int64_t> numbers;
  size_t expected = 0, at = 0;
  for (const Question& question : batch) expected += AnswerCount(question.verb, question.parts.size());
  if (reply.ok()) {
    for (const RedisReply& element : reply->elements) {
      if (element.is_integer()) numbers.push_back(element.integer);
    }
    if (numbers.size() != expected)
      reply = Error(Code::kInternal, "The rate limiter's script answered something else than was asked.");
  }
  for (const Question& question : batch) {
    if (!reply.ok()) {
      question.done(question, reply.status());
      continue;
    }
    const size_t count = AnswerCount(question.verb, question.parts.size());
    question.done(question, std::span<const int64_t>(numbers).subspan(at, count));
    at += count;
  }
}

}  // namespace mediagen::limit
