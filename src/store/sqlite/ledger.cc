#include "fmt/format.h"
#include "store/sqlite/columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

#define COLUMNS \
  "kind, generation, part, attempt, user, provider, model, micros, source, at_ms, reserved_ms, open"

constexpr char kInsert[] = "INSERT INTO ledger (" COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?)";
// Seeks ledger_open(generation, part).
constexpr char kFindOpen[] = "SELECT sequence, " COLUMNS R"sql( FROM ledger INDEXED BY ledger_open
WHERE generation = ? AND part = ? AND open IS NOT NULL)sql";
// Seeks ledger_attempt(attempt, kind): at most one entry of each kind.
constexpr char kOfAttempt[] = "SELECT sequence, " COLUMNS " FROM ledger WHERE attempt = ? ORDER BY sequence";
// Seeks ledger_generation(generation, sequence).
constexpr char kOfGeneration[] =
    "SELECT sequence, " COLUMNS " FROM ledger WHERE generation = ? ORDER BY sequence";
// Seeks the primary key.
constexpr char kListAll[] =
    "SELECT sequence, " COLUMNS " FROM ledger WHERE sequence < ? ORDER BY sequence DESC LIMIT ?";
// Seeks ledger_user(user, sequence).
constexpr char kListUser[] = "SELECT sequence, " COLUMNS R"sql( FROM ledger
WHERE user = ?3 AND sequence < ?1 ORDER BY sequence DESC LIMIT ?2)sql";
// All seek what their conditions name.
constexpr char kInherit[] =
    "UPDATE ledger SET attempt = ?3 WHERE generation = ?1 AND part = ?2 AND open IS NOT NULL";
constexpr char kClose[] = "UPDATE ledger SET open = NULL WHERE sequence = ?";
constexpr char kForget[] = "UPDATE ledger SET user = '' WHERE user = ?";
constexpr char kForgetTotals[] = "DELETE FROM ledger_total WHERE scope = ?";
constexpr char kTotal[] =
    "SELECT spent, reserved FROM ledger_total WHERE scope = ? AND unit = ? AND start_ms = ?";
constexpr char kAddTotal[] = R"sql(
INSERT INTO ledger_total (scope, unit, start_ms, spent, reserved) VALUES (?,?,?,?,?)
ON CONFLICT (scope, unit, start_ms) DO UPDATE SET
  spent = spent + excluded.spent, reserved = reserved + excluded.reserved)sql";

constexpr EntryKind kKinds[] = {EntryKind::kReserve, EntryKind::kSpend, EntryKind::kRelease,
                                EntryKind::kCorrect};

LedgerEntry TakeEntry(Query& query) {
  LedgerEntry entry;
  Taker take{query};
  take(entry.sequence);
  const std::string kind = query.Text();
  for (EntryKind known : kKinds) {
    if (EntryKindName(known) == kind) entry.kind = known;
  }
  take(entry.generation), take(entry.part), take(entry.attempt), take(entry.user), take(entry.provider);
  take(entry.model), take(entry.price.micros);
  entry.price.source = PriceSourceByName(query.Text());
  take(entry.at_ms), take(entry.reserved_ms);
  entry.open = !query.Null();
  return entry;
}

StatusOr<std::vector<LedgerEntry>> Entries(Query& query) {
  std::vector<LedgerEntry> entries;
  while (query.Step()) entries.push_back(TakeEntry(query));
  RETURN_IF_ERROR(query.status());
  return entries;
}

// The entry of `kind`, or null.
const LedgerEntry* Of(const std::vector<LedgerEntry>& entries, EntryKind kind) {
  for (const LedgerEntry& entry : entries) {
    if (entry.kind == kind) return &entry;
  }
  return nullptr;
}

LedgerEntry After(const LedgerEntry& reservation, EntryKind kind, Price price, int64_t at_ms) {
  LedgerEntry entry = reservation;
  entry.kind = kind;
  entry.price = price;
  entry.at_ms = at_ms;
  entry.open = false;
  return entry;
}

}  // namespace

Status SqliteLedger::Append(const LedgerEntry& entry) {
  Query query(connection_, kInsert);
  query.Bind(EntryKindName(entry.kind), entry.generation, entry.part, entry.attempt, entry.user,
             entry.provider, entry.model, entry.price.micros, PriceSourceName(entry.price.source),
             entry.at_ms, entry.reserved_ms);
  entry.open ? query.Add(1) : query.AddNull();
  return query.Run();
}

// Adds to the totals of every period that `entry`'s reservation stands in.
Status SqliteLedger::Count(const LedgerEntry& entry, int64_t spent, int64_t reserved) {
  if (spent == 0 && reserved == 0) return OkStatus();
  const std::string scopes[] = {UserScope(entry.user), ProviderScope(entry.provider)};
  for (const std::string& scope : scopes) {
    if (entry.user.empty() && &scope == &scopes[0]) continue;  // erased: nobody's
    for (Period period : kPeriods) {
      RETURN_IF_ERROR(
          Query(connection_, kAddTotal)
              .Bind(scope, PeriodName(period), PeriodStart(period, entry.reserved_ms), spent, reserved)
              .Run());
    }
  }
  return OkStatus();
}

// Ends an open reservation with `entry`, which says what became of it.
Status SqliteLedger::Close(const LedgerEntry& reservation, const LedgerEntry& entry) {
  RETURN_IF_ERROR(Query(connection_, kClose).Bind(reservation.sequence).Run());
  RETURN_IF_ERROR(Append(entry));
  return Count(reservation, entry.kind == EntryKind::kSpend ? entry.price.micros : 0,
               -reservation.price.micros);
}

Status SqliteLedger::Reserve(const Reservation& reservation) {
  LedgerEntry entry;
  entry.kind = EntryKind::kReserve;
  entry.generation = reservation.generation;
  entry.part = reservation.part;
  entry.user = reservation.user;
  entry.provider = reservation.provider;
  entry.model = reservation.model;
  entry.price = reservation.price;
  entry.at_ms = entry.reserved_ms = reservation.at_ms;
  entry.open = true;
  Status status = Append(entry);
  if (CodeOf(status) == Code::kConflict) {
    return Error(Code::kConflict,
                 fmt::format("part {} of generation {} has a reservation already.", reservation.part,
                             reservation.generation.text()),
                 {.object = reservation.generation.text()});
  }
  RETURN_IF_ERROR(status);
  return Count(entry, 0, entry.price.micros);
}

Status SqliteLedger::Inherit(const Id& generation, int part, const Id& attempt) {
  return Query(connection_, kInherit).Bind(generation, part, attempt).Run();
}

Status SqliteLedger::Spend(const Id& attempt, std::optional<int64_t> reported, int64_t at_ms) {
  Query query(connection_, kOfAttempt);
  query.Bind(attempt);
  ASSIGN_OR_RETURN(std::vector<LedgerEntry> entries, Entries(query));
  const LedgerEntry* reservation = Of(entries, EntryKind::kReserve);
  if (reservation == nullptr) return OkStatus();
  if (const LedgerEntry* spend = Of(entries, EntryKind::kSpend)) {
    const int64_t difference = reported.value_or(spend->price.micros) - spend->price.micros;
    if (difference == 0 || Of(entries, EntryKind::kCorrect) != nullptr) return OkStatus();
    RETURN_IF_ERROR(
        Append(After(*reservation, EntryKind::kCorrect, {difference, PriceSource::kReported}, at_ms)));
    return Count(*reservation, difference, 0);
  }
  const Price price = reported ? Price{*reported, PriceSource::kReported} : reservation->price;
  const LedgerEntry spend = After(*reservation, EntryKind::kSpend, price, at_ms);
  if (reservation->open) return Close(*reservation, spend);
  RETURN_IF_ERROR(Append(spend));  // it was released, and was billed all the same
  return Count(*reservation, price.micros, 0);
}

Status SqliteLedger::Refund(const Id& attempt, int64_t at_ms) {
  Query query(connection_, kOfAttempt);
  query.Bind(attempt);
  ASSIGN_OR_RETURN(std::vector<LedgerEntry> entries, Entries(query));
  const LedgerEntry* reservation = Of(entries, EntryKind::kReserve);
  if (reservation == nullptr) return OkStatus();
  if (Of(entries, EntryKind::kSpend) != nullptr) return Spend(attempt, 0, at_ms);
  if (!reservation->open) return OkStatus();
  return Close(*reservation, After(*reservation, EntryKind::kRelease, reservation->price, at_ms));
}

Status SqliteLedger::Release(const Id& generation, int part, int64_t at_ms) {
  Query query(connection_, kFindOpen);
  query.Bind(generation, part);
  ASSIGN_OR_RETURN(std::vector<LedgerEntry> open, Entries(query));
  for (const LedgerEntry& reservation : open) {
    RETURN_IF_ERROR(Close(reservation, After(reservation, EntryKind::kRelease, reservation.price, at_ms)));
  }
  return OkStatus();
}

StatusOr<int64_t> SqliteLedger::Anonymise(std::string_view user) {
  if (user.empty()) return int64_t{0};
  Query query(connection_, kForget);
  query.Bind(user);
  RETURN_IF_ERROR(query.Run());
  const int64_t changed = query.changes();
  RETURN_IF_ERROR(Query(connection_, kForgetTotals).Bind(UserScope(user)).Run());
  return changed;
}

StatusOr<LedgerTotal> SqliteLedger::Total(std::string_view scope, Period period, int64_t wall_ms) const {
  Query query(connection_, kTotal);
  query.Bind(scope, PeriodName(period), PeriodStart(period, wall_ms));
  LedgerTotal total;
  if (query.Step()) {
    query.Take(&total.spent_micros);
    query.Take(&total.reserved_micros);
  }
  RETURN_IF_ERROR(query.status());
  return total;
}

StatusOr<std::vector<LedgerEntry>> SqliteLedger::EntriesOf(const Id& generation) const {
  Query query(connection_, kOfGeneration);
  query.Bind(generation);
  return Entries(query);
}

StatusOr<std::vector<LedgerEntry>> SqliteLedger::List(const std::optional<std::string>& user,
                                                      std::optional<int64_t> before, int limit) const {
  Query query(connection_, user ? kListUser : kListAll);
  query.Bind(before.value_or(INT64_MAX), limit);
  if (user) query.Add(*user);
  return Entries(query);
}

}  // namespace mediagen
