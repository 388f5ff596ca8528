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

// Finds the tabs and line ends of a text, one after another. Its members stay in registers.
class Separators {
 public:
  explicit Separators(std::string_view text)
      : block_(Look(text.data(), text.data() + text.size())), end_(text.data() + text.size()) {}

  // Where the next one is; the text's end when there is none.
  const char* Next() {
    if (block_.found == 0) [[unlikely]] {
      if (end_ - block_.from <= kBlock) return end_;
      block_ = Look(block_.from + kBlock, end_);
      if (block_.found == 0) return end_;
    }
    const char* const at = block_.from + std::countr_zero(block_.found);
    block_.found &= block_.found - 1;
    return at;
  }

 private:
  static constexpr ptrdiff_t kBlock = 64, kGroup = 16;
  // A bit for each byte from `from` on that is one and was not returned yet.
  struct Block {
    const char* from;
    uint64_t found;
  };

  // The first block from there on that has any, or the last.
  [[gnu::noinline]] static Block Look(const char* from, const char* end) {
    Block block{from, FindIn(from, std::min(kBlock, end - from))};
    while (block.found == 0 && end - block.from > kBlock) {
      block.from += kBlock;
      block.found = FindIn(block.from, std::min(kBlock, end - block.from));
    }
    return block;
  }
  static uint64_t FindIn(const char* from, ptrdiff_t size) {
    uint64_t found = 0;
    ptrdiff_t at = 0;
#if defined(__SSE2__)
    for (; at + kGroup <= size; at += kGroup) found |= FindInGroup(from + at) << at;
    if (at < size && size >= kGroup) {  // of the bytes that end there, the last ones
      found |= FindInGroup(from + size - kGroup) >> (at + kGroup - size) << at;
      at = size;
    }
#endif
    for (; at < size; ++at) found |= uint64_t{from[at] == '\t' || from[at] == '\n'} << at;
    return found;
  }
#if defined(__SSE2__)
  static uint64_t FindInGroup(const char* from) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return static_cast<uint64_t>(_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')),
                                                                _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')))));
  }
#endif

  Block block_;
  const char* const end_;
};

// A whole number from 0 on, of at most 18 digits, without a sign. Below 0: it is none.
int64_t ReadCost(const char* from, const char* to) {
  if (to - from == 1) return *from >= '0' && *from <= '9' ? *from - '0' : -1;  // which most are
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
  const char* const end = text.data() + text.size();
  size_t count = 0;
  for (const char* line = text.data(); line < end && count < Checks::kMost;) {
    LimitCheck& check = checks->items[count++];
    const char* const rule_end = separators.Next();
    if (rule_end == end || *rule_end != '\t') return BadLine(count);
    const char* line_end = separators.Next();
    check.rule = {line, rule_end};
    check.key = {rule_end + 1, line_end};
    check.cost = 1;
    if (line_end < end && *line_end == '\t') {
      const char* const cost = line_end + 1;
      line_end = separators.Next();
      check.cost = ReadCost(cost, line_end);
      if (check.cost < 0 || (line_end < end && *line_end == '\t')) return BadLine(count);
    }
    line = line_end + 1;
  }
  checks->count = count;
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
