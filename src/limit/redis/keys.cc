#include "limit/redis/keys.h"

#include "base/hash.h"
#include "fmt/format.h"
#include "limit/formula.h"

namespace mediagen::limit {
namespace {

constexpr size_t kMostKeyBytes = 64, kHashBytes = 16;

// A rule's name ends at the colon.
std::string Escaped(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == ':' || c == '%')
      text += c == ':' ? "%3A" : "%25";
    else
      text += c;
  }
  return text;
}

}  // namespace

RedisKeys::RedisKeys(const RuleSet& rules, const std::string& prefix, int64_t exact_up_to)
    : tag_("{" + prefix + "}:"), exact_up_to_(exact_up_to), origin_(Xxh3("limiter of " + prefix)) {
  // Each form has names of its own: a rule that changes its form begins anew instead of misreading the old
  // one.
  constexpr std::string_view kWords[] = {"limit:", "window:", "log:"};
  for (const LimitRule& rule : rules.all()) {
    const Form form = FormOf(rule);
    heads_.push_back(fmt::format("{}{}{}:", tag_, kWords[static_cast<size_t>(form)], Escaped(rule.name)));
    has_logs_ = has_logs_ || form == Form::kLog;
  }
}

Form RedisKeys::FormOf(const LimitRule& rule) const {
  if (IsExact(rule)) return Form::kExact;
  return rule.limit <= exact_up_to_ ? Form::kLog : Form::kGcra;
}

std::string RedisKeys::Suffix(std::string_view key) {
  if (key.size() <= kMostKeyBytes) return "=" + std::string(key);
  const Sha256Digest digest = Sha256(key);
  return "#" + Hex(std::string_view(reinterpret_cast<const char*>(digest.data()), kHashBytes));
}

std::string RedisKeys::SettledName(uint64_t lease) const {
  return fmt::format("{}lease:{:016x}", tag_, lease);
}

ScriptCharge RedisKeys::Charge(const LimitRule& rule, int64_t cost) const {
  const Form form = FormOf(rule);
  const int64_t interval = form == Form::kGcra ? Gcra(rule).interval_us() : rule.window_ms;
  return {.form = form, .limit = rule.limit, .interval = interval, .cost = cost};
}

}  // namespace mediagen::limit
