// Ledger: what paid requests cost, and what is held back for those whose price is not known yet.
//
// A reservation is made for each part of a generation when it is submitted; the attempts of the part inherit
// it, and it is open until it is spent or released. Entries are only ever appended; beside them stand running
// totals by scope and period, so that no check sums rows. Every entry counts in the periods of its
// reservation, whenever it is written. Amounts are micro-units of USD, the currency of every price that
// providers tell.
//
// A view into one transaction or one snapshot, like Records. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/status.h"

namespace mediagen {

// UTC periods of a budget.
enum class Period { kHour, kDay, kMonth, kTotal };
inline constexpr Period kPeriods[] = {Period::kHour, Period::kDay, Period::kMonth, Period::kTotal};
std::string_view PeriodName(Period period);            // "hour", …
StatusOr<Period> PeriodByName(std::string_view name);  // kInvalid lists the names
int64_t PeriodStart(Period period, int64_t wall_ms);   // 0 for kTotal
int64_t PeriodEnd(Period period, int64_t wall_ms);     // the next one's start; -1: never

// Where a price comes from. unknown: nobody told and nobody estimated; its amount is 0.
enum class PriceSource { kReported, kEstimated, kUnknown };
std::string_view PriceSourceName(PriceSource source);
PriceSource PriceSourceByName(std::string_view name);  // kUnknown for a name of a newer build's

struct Price {
  int64_t micros = 0;
  PriceSource source = PriceSource::kUnknown;
};

enum class EntryKind {
  kReserve,  // held back
  kSpend,    // billed; closes its reservation, and may exceed it
  kRelease,  // certainly not billed; closes its reservation
  kCorrect,  // the provider told after all what an earlier spend was: the difference, which may be negative
};
std::string_view EntryKindName(EntryKind kind);  // "reserve", …

struct LedgerEntry {
  int64_t sequence = 0;  // given by the ledger, ascending
  EntryKind kind = EntryKind::kReserve;
  Id generation;
  int part = 0;
  Id attempt;        // of a reservation: the last one that inherited it; empty before there is one
  std::string user;  // "" once erased
  std::string provider, model;
  Price price;
  int64_t at_ms = 0;        // wall
  int64_t reserved_ms = 0;  // wall: when its reservation was made, which decides its periods
  bool open = false;        // of a reservation: it still holds
};

struct Reservation {
  Id generation;
  int part = 0;
  std::string user, provider, model;
  Price price;
  int64_t at_ms = 0;  // wall
};

struct LedgerTotal {
  int64_t spent_micros = 0, reserved_micros = 0;
};

// Whose totals: "user/<id>" and "provider/<name>".
std::string UserScope(std::string_view user);
std::string ProviderScope(std::string_view provider);

class Ledger {
 public:
  virtual ~Ledger() = default;

  // kConflict when the part has an open reservation already.
  virtual Status Reserve(const Reservation& reservation) = 0;
  // The open reservation of the part is from now on `attempt`'s. Does nothing where there is none.
  virtual Status Inherit(const Id& generation, int part, const Id& attempt) = 0;
  // The attempt was billed, or may have been: `reported` micro-units, or, when nobody told, what was
  // reserved. Called again: corrects an earlier spend by what is reported now, once. Does nothing for an
  // attempt that never inherited a reservation.
  virtual Status Spend(const Id& attempt, std::optional<int64_t> reported, int64_t at_ms) = 0;
  // The attempt was certainly not billed: releases its reservation, or takes its spend back.
  virtual Status Refund(const Id& attempt, int64_t at_ms) = 0;
  // The part's open reservation, if it has one, is not needed any more: nothing of it was billed.
  virtual Status Release(const Id& generation, int part, int64_t at_ms) = 0;
  // Forgets whose the user's entries are, and the user's totals. How many entries were changed.
  virtual StatusOr<int64_t> Anonymise(std::string_view user) = 0;

  // Of the period that holds `wall_ms`.
  virtual StatusOr<LedgerTotal> Total(std::string_view scope, Period period, int64_t wall_ms) const = 0;
  // In the order in which they were made.
  virtual StatusOr<std::vector<LedgerEntry>> EntriesOf(const Id& generation) const = 0;
  // Newest first, before `before` (absent: from the newest); of everybody when no user is given.
  virtual StatusOr<std::vector<LedgerEntry>> List(const std::optional<std::string>& user,
                                                  std::optional<int64_t> before, int limit) const = 0;
};

}  // namespace mediagen
