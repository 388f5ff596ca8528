#include "engine/config_money.h"

#include "base/money.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

// An amount is a string: a JSON number would have been a float on its way.
StatusOr<int64_t> AmountOf(const Json& value, std::string_view where) {
  if (!value.is_string()) {
    return Error(Code::kInvalid, fmt::format("{} must be a decimal string.", where),
                 {.hint = "Write it as \"5.00\"."});
  }
  auto micros = ParseMicros(value.get_ref<const std::string&>());
  if (!micros.ok()) return Annotate(micros.status(), where);
  return *micros;
}

Status ReadBudget(const Json& json, const std::string& where, Budget* budget) {
  FieldReader fields(json, where);
  std::string currency = "USD", per;
  const Json* amount = fields.Take("amount");
  if (amount == nullptr) fields.Refuse("amount", "is required: a decimal string like \"5.00\"");
  fields.String("currency", &currency, {.max_bytes = 16});
  fields.String("per", &per, {.required = true, .one_of = {"hour", "day", "month", "total"}});
  RETURN_IF_ERROR(fields.Finish());
  if (currency != "USD") {
    return Error(
        Code::kUnsupported,
        fmt::format("\"currency\" in {} is \"{}\"; budgets are in USD, in which providers tell their "
                    "prices.",
                    where, Shorten(currency, 16)),
        {.object = "currency"});
  }
  ASSIGN_OR_RETURN(budget->limit_micros, AmountOf(*amount, fmt::format("\"amount\" in {}", where)));
  ASSIGN_OR_RETURN(budget->period, PeriodByName(per));
  return OkStatus();
}

}  // namespace

void ReadBudgets(FieldReader& fields, Budgets* budgets) {
  Json object = nullptr, by_provider = nullptr, of_user = nullptr;
  fields.Object("budgets", &object);
  if (object.is_null() || !fields.ok()) return;
  FieldReader inner(object, "\"budgets\" of the configuration");
  inner.Object("perUser", &of_user);
  inner.Object("perProvider", &by_provider);
  Status status = inner.Finish();
  if (status.ok() && !of_user.is_null()) {
    status = ReadBudget(of_user, "\"budgets.perUser\" of the configuration", &budgets->per_user.emplace());
  }
  for (const auto& [name, json] : by_provider.items()) {
    const std::string where =
        fmt::format("\"budgets.perProvider.{}\" of the configuration", Shorten(name, 60));
    if (status.ok()) status = ReadBudget(json, where, &budgets->per_provider[name]);
  }
  if (!status.ok()) fields.Fail(status);
}

void ReadEstimates(FieldReader& fields, std::map<std::string, int64_t>* estimates) {
  Json object = nullptr;
  fields.Object("estimates", &object);
  if (object.is_null() || !fields.ok()) return;
  for (const auto& [model, amount] : object.items()) {
    auto micros = AmountOf(amount, fmt::format("\"estimates.{}\" of a provider", Shorten(model, 100)));
    if (!micros.ok()) return fields.Fail(micros.status());
    (*estimates)[model] = *micros;
  }
}

}  // namespace mediagen
