#include "mediagen/limiter.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "base/json.h"
#include "capi/begin.h"
#include "capi/guard.h"
#include "fmt/format.h"

using namespace mediagen;
using namespace mediagen::capi;

namespace {

// The checks of one step, written in their places.
struct Checks {
  Checks() {}
  std::span<const LimitCheck> all() const { return {items, count}; }

  // One more than a step may have: enough for the limiter to refuse them all.
  static constexpr size_t kMost = kMostLimitChecks + 1;
  union {  // so that only those below `count` are ever set
    LimitCheck items[kMost];
  };
  size_t count = 0;
};

Status BadLine(size_t number) {
  return Error(Code::kInvalid, fmt::format("Line {} of the checks is not rule, tab, key, tab, cost.", number),
               {.hint = "Write \"rule\\tkey\\tcost\\n\" for each, the cost a whole number from 0 on."});
}

// Finds the tabs and line ends of a text, one after another.
class Separators {
 public:
  explicit Separators(std::string_view text) : text_(text) {}

  // Where the next one is; the text's size when there is none.
  size_t Next() {
    if (found_ == 0 && !Look()) return text_.size();
    const auto bit = static_cast<size_t>(std::countr_zero(found_));
    found_ &= found_ - 1;
    return base_ + bit;
  }

 private:
  static constexpr size_t kBlock = 64, kGroup = 16;

  // Looks at the next blocks until one has any. False: there is none.
  [[gnu::noinline]] bool Look() {
    while (found_ == 0 && end_ < text_.size()) {
      base_ = end_;
      end_ = std::min(text_.size(), base_ + kBlock);
      size_t at = base_;
#if defined(__SSE2__)
      for (; at + kGroup <= end_; at += kGroup) found_ |= FindIn(text_.data() + at) << (at - base_);
      if (at < end_ && end_ >= kGroup) {  // of the bytes that end there, the last ones
        found_ |= FindIn(text_.data() + end_ - kGroup) >> (at + kGroup - end_) << (at - base_);
        at = end_;
      }
#endif
      for (; at < end_; ++at) found_ |= uint64_t{text_[at] == '\t' || text_[at] == '\n'} << (at - base_);
    }
    return found_ != 0;
  }

#if defined(__SSE2__)
  // A bit for each of kGroup bytes that is one.
  static uint64_t FindIn(const char* from) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return static_cast<uint64_t>(_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')),
                                                                _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')))));
  }
#endif

  const std::string_view text_;
  size_t base_ = 0, end_ = 0;  // the 64 bytes that were looked at last
  uint64_t found_ = 0;         // what is left of their separators
};

// A whole number from 0 on, of at most 18 digits, without a sign. Below 0: it is none.
int64_t ReadCost(const char* from, const char* to) {
  if (from == to || to - from > 18) return -1;
  int64_t value = 0;
  for (; from < to; ++from) {
    const int digit = *from - '0';
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

// "rule\tkey\tcost\n"…: views into `text`.
Status ParseChecks(std::string_view text, Checks* checks) {
  Separators separators(text);
  const char *const data = text.data(), *const end = data + text.size();
  for (const char* line = data; line < end && checks->count < Checks::kMost;) {
    LimitCheck& check = checks->items[checks->count++];
    const char* const rule_end = data + separators.Next();
    if (rule_end == end || *rule_end != '\t') return BadLine(checks->count);
    const char* line_end = data + separators.Next();
    check.rule = {line, rule_end};
    check.key = {rule_end + 1, line_end};
    check.cost = 1;
    if (line_end < end && *line_end == '\t') {
      const char* const cost = line_end + 1;
      line_end = data + separators.Next();
      check.cost = ReadCost(cost, line_end);
      if (check.cost < 0 || (line_end < end && *line_end == '\t')) return BadLine(checks->count);
    }
    line = line_end + 1;
  }
  return OkStatus();
}

bool HoldsDecision(const mediagen_decision* out) {
  return out->struct_size >= offsetof(mediagen_decision, rule);
}

Status BadDecisionSize(const mediagen_decision* out) {
  return Error(Code::kInvalid, fmt::format("The decision's struct_size is {}.", out->struct_size),
               {.hint = "Set it to sizeof(mediagen_decision) before the call."});
}

// As much as the caller's structure has room for.
int32_t Write(const LimitDecision& decision, mediagen_decision* out) {
  if (out->struct_size >= sizeof(mediagen_decision)) {  // field by field: see limit::Describe
    out->struct_size = sizeof(mediagen_decision);
    out->allowed = decision.allowed;
    out->degraded = decision.degraded;
    out->limit = decision.limit;
    out->window_ms = decision.window_ms;
    out->remaining = decision.remaining;
    out->reset_after_ms = decision.reset_after_ms;
    out->retry_after_ms = decision.retry_after_ms;
    out->rule = {decision.rule.data(), decision.rule.size()};
    return MEDIAGEN_OK;
  }
  const mediagen_decision written = {
      out->struct_size,        decision.allowed,        decision.degraded,
      decision.limit,          decision.window_ms,      decision.remaining,
      decision.reset_after_ms, decision.retry_after_ms, {decision.rule.data(), decision.rule.size()},
  };
  std::memcpy(out, &written, written.struct_size);
  return MEDIAGEN_OK;
}

// What both forms of a check do. Not by StatusOr, and not by a call, which take a tenth of its time each.
[[gnu::always_inline]] inline int32_t CheckInto(mediagen_limiter* limiter, std::span<const LimitCheck> checks,
                                                mediagen_decision* out) {
  if (!HoldsDecision(out)) return Refuse(nullptr, BadDecisionSize(out));
  LimitDecision decision;
  const Status checked = limiter->limiter->CheckInto(checks, &decision);
  return checked.ok() ? Write(decision, out) : Refuse(nullptr, checked);
}

Json Document(const LimitDecision& decision) {
  return {{"allowed", decision.allowed},
          {"degraded", decision.degraded},
          {"rule", std::string(decision.rule)},
          {"limit", decision.limit},
          {"windowMs", decision.window_ms},
          {"remaining", decision.remaining},
          {"resetAfterMs", decision.reset_after_ms},
          {"retryAfterMs", decision.retry_after_ms}};
}

// Ends `call` with the document that `write` makes of an answer.
template <typename Answer, typename Writer>
auto EndWith(std::shared_ptr<Call> call, Writer write) {
  return [call = std::move(call), write](StatusOr<Answer> answer) {
    if (!answer.ok()) {
      call->Complete(answer.status());
    } else {
      call->Complete(OkStatus(), BufferRef::Own(Dump(write(*answer))));
    }
  };
}

}  // namespace

extern "C" {

int32_t mediagen_limiter_open(uint32_t abi, mediagen_str config_json, mediagen_limiter** out,
                              mediagen_error** err) {
  return Guard(err, {Need("config_json", config_json), Out("out", out)}, [&]() -> Status {
    RETURN_IF_ERROR(CheckAbi(abi));
    ASSIGN_OR_RETURN(auto limiter, OpenLimiterAlone(View(config_json)));
    *out = new mediagen_limiter(std::move(limiter));
    return OkStatus();
  });
}

void mediagen_limiter_free(mediagen_limiter* limiter) { Free(limiter); }

int32_t mediagen_limiter_check(mediagen_limiter* limiter, mediagen_str rule, mediagen_str key, int64_t cost,
                               mediagen_decision* out) {
  return Guard(nullptr, {Need("limiter", limiter), Need("rule", rule), Need("key", key), Need("out", out)},
               [&]() -> int32_t {
                 const LimitCheck check{View(rule), View(key), cost};
                 return CheckInto(limiter, {&check, 1}, out);
               });
}

int32_t mediagen_limiter_check_all(mediagen_limiter* limiter, mediagen_str checks,
                                   mediagen_decision* tightest) {
  return Guard(nullptr, {Need("limiter", limiter), Need("checks", checks), Need("tightest", tightest)},
               [&]() -> int32_t {
                 Checks parsed;
                 Status read = ParseChecks(View(checks), &parsed);
                 return read.ok() ? CheckInto(limiter, parsed.all(), tightest) : Refuse(nullptr, read);
               });
}

int32_t mediagen_limiter_check_begin(mediagen_limiter* limiter, mediagen_str checks, mediagen_inbox* inbox,
                                     uint64_t tag, mediagen_call** out, mediagen_error** err) {
  return Guard(err,
               {Need("limiter", limiter), Need("checks", checks), Allow("inbox", inbox), Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 Checks parsed;
                 RETURN_IF_ERROR(ParseChecks(View(checks), &parsed));
                 return Begin(inbox, tag, nullptr, out, [&](const std::shared_ptr<Call>& call) {
                   limiter->limiter->CheckAsync(parsed.all(), EndWith<LimitDecision>(call, Document));
                   return OkStatus();
                 });
               });
}

int32_t mediagen_limiter_refund(mediagen_limiter* limiter, mediagen_str checks, mediagen_error** err) {
  return Guard(err, {Need("limiter", limiter), Need("checks", checks)}, [&]() -> Status {
    Checks parsed;
    RETURN_IF_ERROR(ParseChecks(View(checks), &parsed));
    return limiter->limiter->Refund(parsed.all());
  });
}

int32_t mediagen_limiter_reserve(mediagen_limiter* limiter, mediagen_str checks, mediagen_decision* tightest,
                                 mediagen_buffer** lease, mediagen_error** err) {
  return Guard(
      err,
      {Need("limiter", limiter), Need("checks", checks), Need("tightest", tightest), Out("lease", lease)},
      [&]() -> StatusOr<int32_t> {
        if (!HoldsDecision(tightest)) return BadDecisionSize(tightest);
        Checks parsed;
        RETURN_IF_ERROR(ParseChecks(View(checks), &parsed));
        ASSIGN_OR_RETURN(const LimitReservation reserved, limiter->limiter->Reserve(parsed.all()));
        if (reserved.decision.allowed) *lease = Export(BufferRef::Own(reserved.lease.Encode()));
        return Write(reserved.decision, tightest);
      });
}

int32_t mediagen_limiter_commit(mediagen_limiter* limiter, mediagen_str lease, mediagen_error** err) {
  return Guard(err, {Need("limiter", limiter), Need("lease", lease)},
               [&]() -> Status { return LimitLease::Parse(View(lease)).status(); });
}

int32_t mediagen_limiter_refund_lease(mediagen_limiter* limiter, mediagen_str lease, mediagen_error** err) {
  return Guard(err, {Need("limiter", limiter), Need("lease", lease)}, [&]() -> StatusOr<int32_t> {
    ASSIGN_OR_RETURN(const LimitLease parsed, LimitLease::Parse(View(lease)));
    ASSIGN_OR_RETURN(const bool refunded, limiter->limiter->RefundLease(parsed));
    return refunded ? MEDIAGEN_OK : MEDIAGEN_EMPTY;
  });
}

int32_t mediagen_limiter_reserve_begin(mediagen_limiter* limiter, mediagen_str checks, mediagen_inbox* inbox,
                                       uint64_t tag, mediagen_call** out, mediagen_error** err) {
  auto write = [](const LimitReservation& reserved) {
    Json document = Document(reserved.decision);
    document["lease"] = reserved.decision.allowed ? Json(reserved.lease.Encode()) : Json(nullptr);
    return document;
  };
  return Guard(err,
               {Need("limiter", limiter), Need("checks", checks), Allow("inbox", inbox), Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 Checks parsed;
                 RETURN_IF_ERROR(ParseChecks(View(checks), &parsed));
                 return Begin(inbox, tag, nullptr, out, [&](const std::shared_ptr<Call>& call) {
                   limiter->limiter->ReserveAsync(parsed.all(), EndWith<LimitReservation>(call, write));
                   return OkStatus();
                 });
               });
}

int32_t mediagen_limiter_refund_lease_begin(mediagen_limiter* limiter, mediagen_str lease,
                                            mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                                            mediagen_error** err) {
  auto write = [](bool refunded) { return Json{{"refunded", refunded}}; };
  return Guard(err, {Need("limiter", limiter), Need("lease", lease), Allow("inbox", inbox), Out("out", out)},
               [&]() -> StatusOr<int32_t> {
                 ASSIGN_OR_RETURN(const LimitLease parsed, LimitLease::Parse(View(lease)));
                 return Begin(inbox, tag, nullptr, out, [&](const std::shared_ptr<Call>& call) {
                   limiter->limiter->RefundLeaseAsync(parsed, EndWith<bool>(call, write));
                   return OkStatus();
                 });
               });
}

int32_t mediagen_limiter_stats(mediagen_limiter* limiter, mediagen_buffer** out) {
  return Guard(nullptr, {Need("limiter", limiter), Out("out", out)}, [&]() -> Status {
    const LimitStats s = limiter->limiter->Stats();
    *out = Export(BufferRef::Own(Dump(Json{{"allowed", s.allowed},
                                           {"refused", s.refused},
                                           {"overloaded", s.overloaded},
                                           {"degraded", s.degraded},
                                           {"failures", s.failures},
                                           {"keys", s.keys},
                                           {"maxKeys", s.max_keys},
                                           {"bytes", s.bytes}})));
    return OkStatus();
  });
}

}  // extern "C"
