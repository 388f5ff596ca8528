// What the configuration says about money: budgets, and estimates of what a provider's requests cost.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/json.h"
#include "pipeline/budget.h"

namespace mediagen {

// "budgets": {"perUser": BUDGET, "perProvider": {"fal": BUDGET}}, BUDGET = {"amount": "5.00", "currency":
// "USD", "per": "day"}. Every refusal names the key.
void ReadBudgets(FieldReader& fields, Budgets* budgets);

// "estimates" of a provider: {"<model>" or "*": "0.04"}, USD a picture, to micro-units.
void ReadEstimates(FieldReader& fields, std::map<std::string, int64_t>* estimates);

}  // namespace mediagen
