#include "mediagen/limiter.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

// The length of what stands before the next tab or line's end. Lines are short: a call to memchr takes
// longer.
size_t FieldSize(std::string_view text) {
  size_t size = 0;
#if defined(__SSE2__)
  const __m128i tab = _mm_set1_epi8('\t'), end = _mm_set1_epi8('\n');
  for (; text.size() - size >= 16; size += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + size));
    const int found = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, tab), _mm_cmpeq_epi8(bytes, end)));
    if (found != 0) return size + static_cast<size_t>(std::countr_zero(static_cast<unsigned>(found)));
  }
#endif
  while (size < text.size() && text[size] != '\t' && text[size] != '\n') ++size;
  return size;
}

std::string_view TakeField(std::string_view* text) {
  const std::string_view field = text->substr(0, FieldSize(*text));
  text->remove_prefix(field.size());
  return field;
}

bool TakeTab(std::string_view* text) {
  if (text->empty() || text->front() != '\t') return false;
  text->remove_prefix(1);
  return true;
}

// A whole number from 0 on, of at most 18 digits, without a sign. False: it is none.
bool TakeCost(std::string_view* text, int64_t* cost) {
  size_t digits = 0;
  int64_t value = 0;
  for (; digits < text->size() && digits < 18 && (*text)[digits] >= '0' && (*text)[digits] <= '9'; ++digits)
    value = value * 10 + ((*text)[digits] - '0');
  text->remove_prefix(digits);
  *cost = value;
  return digits > 0;
}

// "rule\tkey\tcost\n"…: views into `text`.
Status ParseChecks(std::string_view text, Checks* checks) {
  while (!text.empty() && checks->count < Checks::kMost) {
    LimitCheck& check = checks->items[checks->count];
    check.cost = 1;
    check.rule = TakeField(&text);
    if (!TakeTab(&text)) return BadLine(checks->count + 1);
    check.key = TakeField(&text);
    if (TakeTab(&text) && !TakeCost(&text, &check.cost)) return BadLine(checks->count + 1);
    if (!text.empty() && text.front() != '\n') return BadLine(checks->count + 1);
    if (!text.empty()) text.remove_prefix(1);
    ++checks->count;
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
               [&]() -> StatusOr<int32_t> {
                 if (!HoldsDecision(out)) return BadDecisionSize(out);
                 const LimitCheck check{View(rule), View(key), cost};
                 LimitDecision decision;
                 RETURN_IF_ERROR(limiter->limiter->CheckInto({&check, 1}, &decision));
                 return Write(decision, out);
               });
}

int32_t mediagen_limiter_check_all(mediagen_limiter* limiter, mediagen_str checks,
                                   mediagen_decision* tightest) {
  return Guard(nullptr, {Need("limiter", limiter), Need("checks", checks), Need("tightest", tightest)},
               [&]() -> StatusOr<int32_t> {
                 if (!HoldsDecision(tightest)) return BadDecisionSize(tightest);
                 Checks parsed;
                 RETURN_IF_ERROR(ParseChecks(View(checks), &parsed));
                 LimitDecision decision;
                 RETURN_IF_ERROR(limiter->limiter->CheckInto(parsed.all(), &decision));
                 return Write(decision, tightest);
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
                   limiter->limiter->CheckAsync(parsed.all(),
                                                EndWith<LimitDecision>(call, Document));
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
        ASSIGN_OR_RETURN(const LimitReservation reserved,
                         limiter->limiter->Reserve(parsed.all()));
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
                   limiter->limiter->ReserveAsync(parsed.all(),
                                                  EndWith<LimitReservation>(call, write));
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
