#include "limit/redis/redis.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "fmt/format.h"
#include "limit/memory/memory.h"
#include "limit/redis/batcher.h"
#include "limit/redis/keys.h"
#include "limit/redis/settings.h"

namespace mediagen {
namespace {

using limit::OnFailure;
using limit::Question;
using limit::RuleSet;
using limit::Verb;
using Numbers = StatusOr<std::span<const int64_t>>;

constexpr int64_t kPollMs = 10;              // of who waits without a thread: others may drive in between
constexpr int64_t kMostUntilUs = 1LL << 53;  // what a double holds
constexpr size_t kMostSuffixBytes = 65;

// An answer that a thread waits for.
template <typename Answer>
class Awaited {
 public:
  void Set(Answer answer) {
    std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
    came_.notify_one();
  }
  Answer Wait() {
    std::unique_lock lock(mutex_);
    came_.wait(lock, [this] { return answer_.has_value(); });
    return std::move(*answer_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::optional<Answer> answer_;
};

struct Counts {
  std::atomic<uint64_t> allowed{0}, refused{0}, degraded{0}, failures{0};
};

class RedisLimiter final : public Limiter {
 public:
  RedisLimiter(Clock* clock, limit::RedisSettings settings, RuleSet rules, std::unique_ptr<Limiter> local,
               std::unique_ptr<RedisClient> client, const RedisLimiterOptions& options)
      : settings_(std::move(settings)),
        rules_(std::move(rules)),
        keys_(rules_, settings_.prefix, settings_.exact_up_to),
        seed_(RandomOf(options)->Next()),
        last_lease_(RandomOf(options)->Next()),
        local_(std::move(local)),
        batcher_(client.get(), limit::LimiterScript(keys_.has_logs()), clock, options.decide_by,
                 settings_.timeout_ms),
        client_(std::move(client)) {}
  ~RedisLimiter() override { client_->Stop(); }

  Status CheckInto(std::span<const LimitCheck> checks, LimitDecision* decision) override {
    auto decided = Wait<StatusOr<LimitDecision>>([&](auto done) { CheckAsync(checks, std::move(done)); });
    if (decided.ok()) *decision = *decided;
    return decided.status();
  }
  Status Refund(std::span<const LimitCheck> checks) override {
    return Wait<Status>([&](auto done) { RefundAsync(checks, std::move(done)); });
  }
  StatusOr<LimitReservation> Reserve(std::span<const LimitCheck> checks) override {
    return Wait<StatusOr<LimitReservation>>([&](auto done) { ReserveAsync(checks, std::move(done)); });
  }
  StatusOr<bool> RefundLease(const LimitLease& lease) override {
    return Wait<StatusOr<bool>>([&](auto done) { RefundLeaseAsync(lease, std::move(done)); });
  }

  void CheckAsync(std::span<const LimitCheck> checks, Done<StatusOr<LimitDecision>> done) override;
  void RefundAsync(std::span<const LimitCheck> checks, Done<Status> done) override;
  void ReserveAsync(std::span<const LimitCheck> checks, Done<StatusOr<LimitReservation>> done) override;
  void RefundLeaseAsync(const LimitLease& lease, Done<StatusOr<bool>> done) override;

  int64_t LimitOf(std::string_view rule) const override { return rules_.LimitOf(rule); }
  bool remote() const override { return true; }
  LimitStats Stats() const override;

 private:
  static Random* RandomOf(const RedisLimiterOptions& options) {
    return options.random != nullptr ? options.random : SystemRandom();
  }
  template <typename Answer, typename Start>
  Answer Wait(const Start& start) {
    auto awaited = std::make_shared<Awaited<Answer>>();
    start([awaited](Answer answer) { awaited->Set(std::move(answer)); });
    return awaited->Wait();
  }

  // Asks Redis; without a thread, until it has answered.
  void Send(Question question);
  StatusOr<Question> Ask(Verb verb, std::span<const LimitCheck> checks) const;
  std::optional<Question> AskLease(const LimitLease& lease) const;
  LimitDecision Decided(const Question& question, std::span<const int64_t> numbers);
  LimitReservation Reserved(const Question& question, std::span<const int64_t> numbers);
  // What the fail mode says.
  StatusOr<LimitDecision> Away(const Question& question, const Status& why);
  StatusOr<LimitReservation> AwayReserving(const Question& question, const Status& why);
  Status AwayRefunding(const Question& question, const Status& why);
  // Whether the fail mode has a word in this failure; counts it.
  bool Degrades(const Status& why);
  Status Closed(const Status& why) const;
  std::vector<LimitCheck> ChecksOf(const Question& question) const;
  LimitDecision Counted(LimitDecision decision);

  const limit::RedisSettings settings_;
  const RuleSet rules_;
  const limit::RedisKeys keys_;
  const uint64_t seed_;
  std::atomic<uint64_t> last_lease_;
  const std::unique_ptr<Limiter> local_;  // of OnFailure::kLocal
  Counts counts_;
  limit::Batcher batcher_;
  const std::unique_ptr<RedisClient> client_;  // last: its thread uses all of the above
};

StatusOr<Question> RedisLimiter::Ask(Verb verb, std::span<const LimitCheck> checks) const {
  limit::Step step;
  RETURN_IF_ERROR(rules_.Resolve(checks, seed_, &step));
  Question question{.verb = verb};
  question.parts.reserve(step.count);
  for (const limit::Charge& charge : step.all()) {
    question.parts.push_back({charge.rule, local_ ? std::string(charge.key) : std::string(),
                              keys_.Name(charge.rule, limit::RedisKeys::Suffix(charge.key)),
                              keys_.Charge(rules_[charge.rule], charge.cost)});
  }
  return question;
}

void RedisLimiter::Send(Question question) {
  if (client_->threaded()) return batcher_.Ask(std::move(question));
  struct Answer {
    std::atomic<bool> came{false};
    Status status;
    std::vector<int64_t> numbers;
  };
  auto answer = std::make_shared<Answer>();
  const Question asked = question;
  question.done = [answer](const Question&, Numbers numbers) {
    if (numbers.ok()) answer->numbers.assign(numbers->begin(), numbers->end());
    answer->status = numbers.status();
    answer->came = true;
  };
  batcher_.Ask(std::move(question));
  while (!answer->came) client_->Poll(kPollMs);
  // Only now: what goes on from here may ask again, and one Poll can't be called from within another.
  asked.done(asked, answer->status.ok() ? Numbers(answer->numbers) : Numbers(answer->status));
}

LimitDecision RedisLimiter::Counted(LimitDecision decision) {
  ++(decision.allowed ? counts_.allowed : counts_.refused);
  if (decision.degraded) ++counts_.degraded;
  return decision;
}

LimitDecision RedisLimiter::Decided(const Question& question, std::span<const int64_t> numbers) {
  const size_t each = limit::AnswerCount(question.verb, 1);
  const auto standing = [&](size_t i) {
    const auto of = numbers.subspan(i * each, each);
    return limit::Standing{
        .allowed = of[2] == 0, .remaining = of[0], .reset_after_ms = of[1], .retry_after_ms = of[2]};
  };
  limit::Tightest tightest(question.parts[0].rule, standing(0));
  for (size_t i = 1; i < question.parts.size(); ++i) tightest.Add(question.parts[i].rule, standing(i));
  LimitDecision decision;
  tightest.Describe(rules_, &decision);
  return Counted(decision);
}

LimitReservation RedisLimiter::Reserved(const Question& question, std::span<const int64_t> numbers) {
  LimitReservation reservation{.decision = Decided(question, numbers)};
  if (!reservation.decision.allowed) return reservation;
  LimitLease& lease = reservation.lease;
  lease.origin = keys_.origin();
  lease.id = ++last_lease_;
  for (size_t i = 0; i < question.parts.size(); ++i) {
    const Question::Part& part = question.parts[i];
    if (part.charge.cost == 0) continue;
    const std::string suffix = part.name.substr(keys_.Name(part.rule, "").size());
    lease.parts.push_back({rules_[part.rule].name, suffix, part.charge.cost, numbers[i * 4 + 3]});
  }
  return reservation;
}

void RedisLimiter::CheckAsync(std::span<const LimitCheck> checks, Done<StatusOr<LimitDecision>> done) {
  auto question = Ask(Verb::kCheck, checks);
  if (!question.ok()) return done(question.status());
  if (question->parts.empty()) return done(LimitDecision());
  question->done = [this, done = std::move(done)](const Question& asked, Numbers numbers) {
    numbers.ok() ? done(Decided(asked, *numbers)) : done(Away(asked, numbers.status()));
  };
  Send(*std::move(question));
}

void RedisLimiter::ReserveAsync(std::span<const LimitCheck> checks, Done<StatusOr<LimitReservation>> done) {
  auto question = Ask(Verb::kReserve, checks);
  if (!question.ok()) return done(question.status());
  if (question->parts.empty()) return done(LimitReservation());
  question->done = [this, done = std::move(done)](const Question& asked, Numbers numbers) {
    numbers.ok() ? done(Reserved(asked, *numbers)) : done(AwayReserving(asked, numbers.status()));
  };
  Send(*std::move(question));
}

void RedisLimiter::RefundAsync(std::span<const LimitCheck> checks, Done<Status> done) {
  auto question = Ask(Verb::kRefund, checks);
  if (!question.ok()) return done(question.status());
  if (question->parts.empty()) return done(OkStatus());
  question->done = [this, done = std::move(done)](const Question& asked, Numbers numbers) {
    done(numbers.ok() ? OkStatus() : AwayRefunding(asked, numbers.status()));
  };
  Send(*std::move(question));
}

// Nothing when a part is none that a limiter with these keys wrote.
std::optional<Question> RedisLimiter::AskLease(const LimitLease& lease) const {
  if (lease.origin != keys_.origin() || lease.parts.empty() || lease.parts.size() > kMostLimitChecks)
    return std::nullopt;
  Question question{.verb = Verb::kGiveBack, .settled_name = keys_.SettledName(lease.id)};
  for (const LimitLease::Part& part : lease.parts) {
    const uint32_t rule = rules_.Find(part.rule);
    if (rule == RuleSet::kNone || !rules_.CheckCost(rule, part.cost).ok()) return std::nullopt;
    if (part.key.empty() || part.key.size() > kMostSuffixBytes) return std::nullopt;
    if (part.until_us < 0 || part.until_us >= kMostUntilUs) return std::nullopt;
    question.parts.push_back({rule, "", keys_.Name(rule, part.key), keys_.Charge(rules_[rule], part.cost)});
    question.parts.back().charge.until_us = part.until_us;
  }
  return question;
}

void RedisLimiter::RefundLeaseAsync(const LimitLease& lease, Done<StatusOr<bool>> done) {
  auto question = AskLease(lease);
  if (!question) return local_ ? local_->RefundLeaseAsync(lease, std::move(done)) : done(false);
  question->done = [this, done = std::move(done)](const Question&, Numbers numbers) {
    if (numbers.ok()) return done(numbers->front() == 1);
    Degrades(numbers.status());
    done(numbers.status());
  };
  Send(*std::move(question));
}

// A child of fork has used the wrong handle: no mode makes that right.
bool RedisLimiter::Degrades(const Status& why) {
  if (CodeOf(why) == Code::kForked) return false;
  ++counts_.failures;
  return true;
}

std::vector<LimitCheck> RedisLimiter::ChecksOf(const Question& question) const {
  std::vector<LimitCheck> checks;
  for (const Question::Part& part : question.parts)
    checks.push_back({rules_[part.rule].name, part.key, part.charge.cost});
  return checks;
}

Status RedisLimiter::Closed(const Status& why) const {
  const ErrorInfo info = InfoOf(why);
  return Error(Code::kUnavailable, fmt::format("Rate limits cannot be checked. {}", info.message),
               {.hint = info.hint,
                .retry_after_ms = info.retry_after_ms > 0 ? info.retry_after_ms : settings_.timeout_ms});
}

StatusOr<LimitDecision> RedisLimiter::Away(const Question& question, const Status& why) {
  if (!Degrades(why)) return why;
  if (settings_.on_failure == OnFailure::kClosed) return Closed(why);
  LimitDecision decision;
  if (local_) {
    ASSIGN_OR_RETURN(decision, local_->Check(ChecksOf(question)));
  }
  decision.degraded = true;
  return Counted(decision);
}

StatusOr<LimitReservation> RedisLimiter::AwayReserving(const Question& question, const Status& why) {
  if (!Degrades(why)) return why;
  if (settings_.on_failure == OnFailure::kClosed) return Closed(why);
  LimitReservation reservation;
  if (local_) {
    ASSIGN_OR_RETURN(reservation, local_->Reserve(ChecksOf(question)));
  }
  reservation.decision.degraded = true;
  Counted(reservation.decision);
  return reservation;
}

Status RedisLimiter::AwayRefunding(const Question& question, const Status& why) {
  if (!Degrades(why) || !local_) return why;
  return local_->Refund(ChecksOf(question));
}

LimitStats RedisLimiter::Stats() const {
  LimitStats stats = local_ ? local_->Stats() : LimitStats();
  stats.allowed = counts_.allowed;
  stats.refused = counts_.refused;
  stats.degraded = counts_.degraded;
  stats.failures = counts_.failures;
  return stats;
}

}  // namespace

StatusOr<std::unique_ptr<Limiter>> NewRedisLimiter(Clock* clock, std::string_view url,
                                                   std::vector<LimitRule> rules,
                                                   const RedisLimiterOptions& options) {
  ASSIGN_OR_RETURN(auto settings, limit::RedisSettings::Parse(url));
  ASSIGN_OR_RETURN(RuleSet set, RuleSet::Make(rules));
  std::unique_ptr<Limiter> local;
  if (settings.on_failure == OnFailure::kLocal) {
    Clock* time = options.decide_by != nullptr ? options.decide_by : clock;
    ASSIGN_OR_RETURN(local, NewMemoryLimiter(time, std::move(rules), options.max_local_keys, options.random));
  }
  RedisClientOptions client_options{.threaded = options.threaded,
                                    .timeout_ms = settings.timeout_ms,
                                    .log = options.log,
                                    .random = options.random};
  ASSIGN_OR_RETURN(auto client, NewRedisClient(clock, settings.url, std::move(client_options)));
  return std::make_unique<RedisLimiter>(clock, std::move(settings), std::move(set), std::move(local),
                                        std::move(client), options);
}

}  // namespace mediagen
