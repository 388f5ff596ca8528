#include "api/usage.h"

#include "api/cursor.h"
#include "api/documents.h"
#include "api/query.h"
#include "api/reply.h"
#include "api/router.h"
#include "base/json_writer.h"
#include "base/money.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

void WritePeriod(Period period, const LedgerTotal& total, const Budget* budget, int64_t now_ms,
                 JsonWriter* json) {
  json->BeginObject();
  json->Text("spent", FormatMicros(total.spent_micros));
  json->Text("reserved", FormatMicros(total.reserved_micros));
  const bool limited = budget != nullptr && budget->period == period;
  json->TextOrNull("limit", limited ? FormatMicros(budget->limit_micros) : "");
  json->Time("until", PeriodEnd(period, now_ms));
  json->EndObject();
}

// {"hour": {…}, "day": {…}, "month": {…}, "total": {…}}
Status WritePeriods(const Ledger& ledger, const std::string& scope, const Budget* budget, int64_t now_ms,
                    JsonWriter* json) {
  json->BeginObject();
  for (Period period : kPeriods) {
    ASSIGN_OR_RETURN(LedgerTotal total, ledger.Total(scope, period, now_ms));
    switch (period) {
      case Period::kHour:
        json->Key("hour");
        break;
      case Period::kDay:
        json->Key("day");
        break;
      case Period::kMonth:
        json->Key("month");
        break;
      case Period::kTotal:
        json->Key("total");
        break;
    }
    WritePeriod(period, total, budget, now_ms, json);
  }
  json->EndObject();
  return OkStatus();
}

void WriteEntry(const LedgerEntry& entry, JsonWriter* json) {
  json->BeginObject();
  json->Text("id", std::to_string(entry.sequence));
  json->Text("kind", EntryKindName(entry.kind));
  json->TextOrNull("user", entry.user);
  json->IdOrNull("generation", entry.generation);
  json->Number("part", entry.part);
  json->IdOrNull("attempt", entry.attempt);
  json->Text("provider", entry.provider);
  json->Text("model", entry.model);
  json->Text("amount", FormatMicros(entry.price.micros));
  json->Text("currency", "USD");
  json->Text("source", PriceSourceName(entry.price.source));
  json->Bool("open", entry.open);
  json->Time("at", entry.at_ms);
  json->Time("reservedAt", entry.reserved_ms);
  json->EndObject();
}

// The totals of every provider that bills: for those who see everything.
Status WriteProviders(const PipelineParts& parts, const Ledger& ledger, int64_t now_ms, JsonWriter* json) {
  json->Key("providers");
  json->BeginObject();
  bool first = true;
  for (const auto& [name, adapter] : parts.providers) {
    if (!adapter->billed()) continue;
    if (!first) json->Put(',');
    first = false;
    json->String(name);
    json->Put(':');
    auto budget = parts.budgets.per_provider.find(name);
    const bool limited = budget != parts.budgets.per_provider.end();
    RETURN_IF_ERROR(
        WritePeriods(ledger, ProviderScope(name), limited ? &budget->second : nullptr, now_ms, json));
  }
  json->EndObject();
  return OkStatus();
}

Status WriteTotals(const PipelineParts& parts, const Viewer& viewer, const std::optional<std::string>& whose,
                   const Ledger& ledger, JsonWriter* json) {
  const int64_t now = parts.clock->WallMs();
  json->TextOrNull("user", whose.value_or(""));
  json->Text("currency", "USD");
  if (whose) {
    json->Key("periods");
    const Budget* budget = parts.budgets.per_user ? &*parts.budgets.per_user : nullptr;
    RETURN_IF_ERROR(WritePeriods(ledger, UserScope(*whose), budget, now, json));
  } else {
    json->Raw("periods", "null");
  }
  return viewer.all ? WriteProviders(parts, ledger, now, json) : OkStatus();
}

// The newest `limit` of `entries`; one more says that there are others.
void WritePage(const std::vector<LedgerEntry>& entries, int limit, std::string_view binding,
               std::string_view secret, JsonWriter* json) {
  const bool more = entries.size() > static_cast<size_t>(limit);
  const size_t count = more ? static_cast<size_t>(limit) : entries.size();
  json->Key("data");
  json->BeginArray();
  for (size_t i = 0; i < count; ++i) {
    json->Element();
    WriteEntry(entries[i], json);
  }
  json->EndArray();
  json->Key("pagination");
  json->BeginObject();
  json->Bool("hasMore", more);
  json->TextOrNull("nextCursor",
                   more ? EncodeCursor({entries[count - 1].sequence, Id{}}, binding, secret) : "");
  json->Number("limit", limit);
  json->EndObject();
}

}  // namespace

StatusOr<std::string> UsageDocument(const Pipeline& pipeline, const Viewer& viewer,
                                    const std::optional<std::string>& user, int limit,
                                    const std::optional<std::string>& cursor, std::string_view secret) {
  std::optional<std::string> whose = user;
  if (!viewer.all && user && *user != viewer.user)
    return Error(Code::kNotFound, "There is no such user.", {.object = Shorten(*user, 80)});
  if (!whose && !viewer.user.empty()) whose = viewer.user;
  const std::string binding = fmt::format("usage|{}|{}", viewer.all, whose.value_or(""));
  std::optional<int64_t> before;
  if (cursor) {
    ASSIGN_OR_RETURN(PageKey key, DecodeCursor(*cursor, binding, secret));
    before = key.created_ms;
  }
  const PipelineParts& parts = pipeline.parts();
  std::string document;
  RETURN_IF_ERROR(parts.store->Read([&](const Snapshot& snapshot) -> Status {
    document.clear();
    JsonWriter json(&document);
    json.BeginObject();
    RETURN_IF_ERROR(WriteTotals(parts, viewer, whose, snapshot.ledger(), &json));
    ASSIGN_OR_RETURN(auto entries, snapshot.ledger().List(whose, before, limit + 1));
    WritePage(entries, limit, binding, secret, &json);
    ASSIGN_OR_RETURN(int64_t as_of, snapshot.AsOf());
    json.Text("asOf", EventId(parts.store->epoch(), as_of));
    json.EndObject();
    return OkStatus();
  }));
  return document;
}

void GetUsage(Router& router, std::shared_ptr<ApiExchange> exchange) {
  auto usage = [&]() -> StatusOr<std::string> {
    ASSIGN_OR_RETURN(TargetQuery query, TargetQuery::Parse(exchange->request.query));
    ASSIGN_OR_RETURN(int64_t limit, query.Int("limit", kDefaultPage, 1, kLargestPage));
    const auto user = query.Text("user"), cursor = query.Text("cursor");
    RETURN_IF_ERROR(query.Finish());
    return UsageDocument(*router.parts().pipeline, exchange->viewer, user, static_cast<int>(limit), cursor,
                         router.options().secret);
  };
  auto document = usage();
  if (!document.ok()) return exchange->Fail(document.status());
  exchange->Reply(JsonResponse(exchange->request, 200, *std::move(document)));
}

}  // namespace mediagen
