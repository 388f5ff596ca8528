#include "pipeline/budget.h"

#include <algorithm>

#include "base/clock.h"
#include "base/money.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

Status Exceeded(const Budget& budget, const LedgerTotal& total, std::string_view whose, std::string_view key,
                std::string_view object, Price price, int64_t now_ms) {
  const std::string period =
      budget.period == Period::kTotal
          ? std::string("in all")
          : fmt::format("{} {}", budget.period == Period::kHour ? "an" : "a", PeriodName(budget.period));
  const std::string wanted = price.source == PriceSource::kUnknown
                                 ? std::string("this would cost more")
                                 : fmt::format("this would cost {}", FormatMicros(price.micros));
  const int64_t end_ms = PeriodEnd(budget.period, now_ms);
  return Error(
      Code::kBudgetExceeded,
      fmt::format("{} may spend {} USD {}: {} are spent, {} are reserved, and {}.", whose,
                  FormatMicros(budget.limit_micros), period, FormatMicros(total.spent_micros),
                  FormatMicros(total.reserved_micros), wanted),
      {.hint = end_ms < 0 ? fmt::format("Raise \"budgets.{}\" of the configuration.", key)
                          : fmt::format("The {} ends at {}.", PeriodName(budget.period), FormatTime(end_ms)),
       .retry_after_ms = end_ms < 0 ? -1 : end_ms - now_ms,
       .object = std::string(object)});
}

bool Fits(const Budget& budget, const LedgerTotal& total, Price price) {
  return total.spent_micros + total.reserved_micros + price.micros <= budget.limit_micros;
}

}  // namespace

Price PriceOf(const Adapter& adapter, const PartRequest& request) {
  const int64_t micros = adapter.EstimateMicros(request);
  return micros > 0 ? Price{micros, PriceSource::kEstimated} : Price{};
}

Price Sum(Price a, Price b) { return {a.micros + b.micros, std::max(a.source, b.source)}; }

Status CheckBudgets(const Budgets& budgets, const Ledger& ledger, std::string_view user,
                    std::string_view provider, Price price, int64_t now_ms) {
  if (budgets.per_user) {
    const Budget& budget = *budgets.per_user;
    ASSIGN_OR_RETURN(LedgerTotal total, ledger.Total(UserScope(user), budget.period, now_ms));
    if (!Fits(budget, total, price)) {
      return Exceeded(budget, total, fmt::format("User {}", Shorten(user, 80)), "perUser", user, price,
                      now_ms);
    }
  }
  auto of_provider = budgets.per_provider.find(std::string(provider));
  if (of_provider == budgets.per_provider.end()) return OkStatus();
  const Budget& budget = of_provider->second;
  ASSIGN_OR_RETURN(LedgerTotal total, ledger.Total(ProviderScope(provider), budget.period, now_ms));
  if (Fits(budget, total, price)) return OkStatus();
  return Exceeded(budget, total, fmt::format("All users of provider \"{}\" together", provider),
                  "perProvider", provider, price, now_ms);
}

Status TakeCost(const Ledger& ledger, Generation* generation) {
  ASSIGN_OR_RETURN(auto entries, ledger.EntriesOf(generation->id));
  if (entries.empty()) return OkStatus();
  auto corrected = [&](const LedgerEntry& spend) {
    return std::any_of(entries.begin(), entries.end(), [&](const LedgerEntry& other) {
      return other.kind == EntryKind::kCorrect && other.attempt == spend.attempt;
    });
  };
  Price cost{0, PriceSource::kReported};
  for (const LedgerEntry& entry : entries) {
    Price price = entry.price;
    if (entry.kind == EntryKind::kRelease || (entry.kind == EntryKind::kReserve && !entry.open)) continue;
    if (entry.kind == EntryKind::kSpend && corrected(entry)) price.source = PriceSource::kReported;
    cost = Sum(cost, price);
  }
  generation->cost_micros = cost.micros;
  generation->cost_source = PriceSourceName(cost.source);
  return OkStatus();
}

}  // namespace mediagen
