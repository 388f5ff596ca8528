// The ledger at the end of a round, added up again from its entries.
#include <map>
#include <tuple>

#include "crash/crash.h"
#include "fmt/format.h"

namespace mediagen::crash {
namespace {

constexpr int kEntriesAtOnce = 500;

using TotalKey = std::tuple<std::string, Period, int64_t>;  // scope, unit, the period's start

StatusOr<std::vector<LedgerEntry>> AllEntries(const Ledger& ledger) {
  std::vector<LedgerEntry> all;
  std::optional<int64_t> before;
  while (true) {
    ASSIGN_OR_RETURN(std::vector<LedgerEntry> page, ledger.List(std::nullopt, before, kEntriesAtOnce));
    all.insert(all.end(), page.begin(), page.end());
    if (page.size() < static_cast<size_t>(kEntriesAtOnce)) return all;
    before = page.back().sequence;
  }
}

std::map<TotalKey, LedgerTotal> AddUp(const std::vector<LedgerEntry>& entries) {
  std::map<TotalKey, LedgerTotal> totals;
  for (const LedgerEntry& entry : entries) {
    const bool counts = entry.kind == EntryKind::kSpend || entry.kind == EntryKind::kCorrect;
    for (const std::string& scope : {UserScope(entry.user), ProviderScope(entry.provider)}) {
      for (Period period : kPeriods) {
        LedgerTotal& total = totals[{scope, period, PeriodStart(period, entry.reserved_ms)}];
        total.spent_micros += counts ? entry.price.micros : 0;
        total.reserved_micros += entry.open ? entry.price.micros : 0;
      }
    }
  }
  return totals;
}

}  // namespace

StatusOr<Audit> AuditLedger(const Ledger& ledger) {
  Audit audit;
  ASSIGN_OR_RETURN(const std::vector<LedgerEntry> entries, AllEntries(ledger));
  for (const LedgerEntry& entry : entries) {
    if (entry.open)
      audit.complaints.push_back(
          fmt::format("part {} of generation {} rests and its money is still held back", entry.part,
                      entry.generation.text()));
    if (entry.kind == EntryKind::kSpend) audit.billed.push_back(entry.attempt.text());
  }
  for (const auto& [key, added] : AddUp(entries)) {
    const auto& [scope, period, start_ms] = key;
    ASSIGN_OR_RETURN(const LedgerTotal kept, ledger.Total(scope, period, start_ms));
    if (kept.spent_micros == added.spent_micros && kept.reserved_micros == added.reserved_micros) continue;
    audit.complaints.push_back(
        fmt::format("the totals of {} by {} are {} spent and {} held back, and its entries say {} and {}",
                    scope, PeriodName(period), kept.spent_micros, kept.reserved_micros, added.spent_micros,
                    added.reserved_micros));
  }
  return audit;
}

}  // namespace mediagen::crash
