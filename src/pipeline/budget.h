// Budgets: how much may be spent in a period, for each user and at each provider; and what generations cost.
//
// A check reads running totals inside the writer's transaction that reserves, so that two submits cannot both
// take the last of a budget. Thread-safe: functions of their arguments.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "provider/provider.h"
#include "store/ledger.h"
#include "store/records.h"

namespace mediagen {

struct Budget {
  int64_t limit_micros = 0;  // USD
  Period period = Period::kTotal;
};

// What is not named is not limited.
struct Budgets {
  std::optional<Budget> per_user;              // of every user alike
  std::map<std::string, Budget> per_provider;  // by the provider's name
};

// What a request to a provider that bills will cost.
Price PriceOf(const Adapter& adapter, const PartRequest& request);
// Both together: as sure as the less sure of them.
Price Sum(Price a, Price b);

// Whether `price` more fits: spent + reserved + price <= limit. kBudgetExceeded says whose budget is in the
// way, what is left of it, and when the next period begins.
Status CheckBudgets(const Budgets& budgets, const Ledger& ledger, std::string_view user,
                    std::string_view provider, Price price, int64_t now_ms);

// Writes into *generation what its entries say that it costs: what was spent, and what is still held. Leaves
// it as it is when there are none, as for work that nobody bills.
Status TakeCost(const Ledger& ledger, Generation* generation);

}  // namespace mediagen
