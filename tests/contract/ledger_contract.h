// The contract of Ledger. See store_support.h for how a backend includes it.
#pragma once

#include "base/clock.h"
#include "contract/store_support.h"

namespace mediagen {

namespace ledger_contract {

constexpr int64_t kHourMs = 3'600'000;

struct Books {
  ContractBackend backend;
  int64_t now = 1'790'000'000'000;

  Status Try(const std::function<Status(Ledger&)>& body) {
    return Write(backend.store(), [&](Transaction& t) { return body(t.ledger()); });
  }
  Id Reserve(int64_t micros, const std::string& user = "ada", const std::string& provider = "fal") {
    const Id generation = backend.NewId();
    const PriceSource source = micros > 0 ? PriceSource::kEstimated : PriceSource::kUnknown;
    Must(Try([&](Ledger& l) {
      return l.Reserve({generation, 0, user, provider, "m", {micros, source}, now});
    }));
    return generation;
  }
  Id Attempt(const Id& generation, int part = 0) {
    const Id attempt = backend.NewId();
    Must(Try([&](Ledger& l) { return l.Inherit(generation, part, attempt); }));
    return attempt;
  }
  void Spend(const Id& attempt, std::optional<int64_t> reported = std::nullopt) {
    Must(Try([&](Ledger& l) { return l.Spend(attempt, reported, now); }));
  }
  void Refund(const Id& attempt) {
    Must(Try([&](Ledger& l) { return l.Refund(attempt, now); }));
  }
  LedgerTotal Total(const std::string& scope, Period period, int64_t at_ms) {
    LedgerTotal total;
    Look(backend.store(), [&](const Snapshot& s) { total = Must(s.ledger().Total(scope, period, at_ms)); });
    return total;
  }
  // "spent/reserved" of a scope today.
  std::string Today(const std::string& scope = "user/ada") {
    const LedgerTotal total = Total(scope, Period::kDay, now);
    return std::to_string(total.spent_micros) + "/" + std::to_string(total.reserved_micros);
  }
  // "reserve 40 estimated, spend 50 reported": the entries of a generation.
  std::string Entries(const Id& generation) {
    std::string text;
    Look(backend.store(), [&](const Snapshot& s) {
      for (const LedgerEntry& entry : Must(s.ledger().EntriesOf(generation))) {
        if (!text.empty()) text += ", ";
        text += std::string(EntryKindName(entry.kind)) + " " + std::to_string(entry.price.micros) + " " +
                std::string(PriceSourceName(entry.price.source)) + (entry.open ? " open" : "");
      }
    });
    return text;
  }
};

}  // namespace ledger_contract

TEST_CASE("a reservation counts for its user and its provider in every period, and is kept") {
  ledger_contract::Books books;
  books.Reserve(40);
  books.Reserve(2, "bob");
  books.Reserve(1, "ada", "openai");
  books.backend.Reopen();
  for (Period period : kPeriods) {
    CAPTURE(PeriodName(period));
    CHECK(books.Total("user/ada", period, books.now).reserved_micros == 41);
    CHECK(books.Total("user/bob", period, books.now).reserved_micros == 2);
    CHECK(books.Total("provider/fal", period, books.now).reserved_micros == 42);
    CHECK(books.Total("provider/openai", period, books.now).reserved_micros == 1);
  }
  CHECK(books.Today("user/nobody") == "0/0");
}

TEST_CASE("what was billed is spent at the price that the provider told, else at the one that was reserved") {
  ledger_contract::Books books;
  struct Row {
    int64_t reserved;
    std::optional<int64_t> reported;
    const char *entries, *total;
  };
  for (const Row& row : {Row{40, std::nullopt, "reserve 40 estimated, spend 40 estimated", "40/0"},
                         Row{40, 30, "reserve 40 estimated, spend 30 reported", "30/0"},
                         Row{40, 99, "reserve 40 estimated, spend 99 reported", "99/0"},
                         Row{0, 7, "reserve 0 unknown, spend 7 reported", "7/0"},
                         Row{0, std::nullopt, "reserve 0 unknown, spend 0 unknown", "0/0"}}) {
    CAPTURE(row.entries);
    const std::string user = std::string("user of ") + row.entries;
    const Id generation = books.Reserve(row.reserved, user);
    const Id attempt = books.Attempt(generation);
    books.Spend(attempt, row.reported);
    CHECK(books.Entries(generation) == row.entries);
    CHECK(books.Today(UserScope(user)) == row.total);
    books.Spend(attempt, row.reported);  // the same again, as after a crash
    CHECK(books.Entries(generation) == row.entries);
    CHECK(books.Today(UserScope(user)) == row.total);
  }
}

TEST_CASE("a try that was refused hands its reservation on; the last one that had it spends it") {
  ledger_contract::Books books;
  const Id generation = books.Reserve(40);
  const Id first = books.Attempt(generation), second = books.Attempt(generation);
  books.Spend(first);  // it holds nothing any more
  CHECK(books.Entries(generation) == "reserve 40 estimated open");
  books.Spend(second, 35);
  CHECK(books.Entries(generation) == "reserve 40 estimated, spend 35 reported");
  CHECK(books.Today() == "35/0");
}

TEST_CASE("what was certainly not billed is released, before an attempt and after one") {
  ledger_contract::Books books;
  const Id unsent = books.Reserve(40), refused = books.Reserve(5);
  const Id attempt = books.Attempt(refused);
  Must(books.Try([&](Ledger& l) { return l.Release(unsent, 0, books.now); }));
  books.Refund(attempt);
  CHECK(books.Entries(unsent) == "reserve 40 estimated, release 40 estimated");
  CHECK(books.Entries(refused) == "reserve 5 estimated, release 5 estimated");
  CHECK(books.Today() == "0/0");
  books.Refund(attempt);
  Must(books.Try([&](Ledger& l) { return l.Release(unsent, 0, books.now); }));
  CHECK(books.Entries(refused) == "reserve 5 estimated, release 5 estimated");
  CHECK(books.Today() == "0/0");
  // The provider billed it all the same: that is said, in the period of the reservation.
  books.Spend(attempt, 6);
  CHECK(books.Entries(refused) == "reserve 5 estimated, release 5 estimated, spend 6 reported");
  CHECK(books.Today() == "6/0");
}

TEST_CASE("a spend that was a guess is corrected, once, by what is told later; a refund takes it back") {
  ledger_contract::Books books;
  const Id generation = books.Reserve(40), other = books.Reserve(10);
  const Id attempt = books.Attempt(generation), unbilled = books.Attempt(other);
  books.Spend(attempt);
  books.Spend(unbilled);
  CHECK(books.Today() == "50/0");
  books.Spend(attempt, 25);
  books.Spend(attempt, 1);
  books.Refund(unbilled);
  CHECK(books.Entries(generation) == "reserve 40 estimated, spend 40 estimated, correct -15 reported");
  CHECK(books.Entries(other) == "reserve 10 estimated, spend 10 estimated, correct -10 reported");
  CHECK(books.Today() == "25/0");
}

TEST_CASE("a spend lands in the period of its reservation, however late it comes") {
  ledger_contract::Books books;
  const int64_t reserved_ms = books.now;
  const Id attempt = books.Attempt(books.Reserve(40));
  books.now += 40 * 24 * ledger_contract::kHourMs;
  books.Spend(attempt, 50);
  for (Period period : kPeriods) {
    CAPTURE(PeriodName(period));
    CHECK(books.Total("user/ada", period, reserved_ms).spent_micros == 50);
    CHECK(books.Total("user/ada", period, reserved_ms).reserved_micros == 0);
    CHECK(books.Total("user/ada", period, books.now).spent_micros == (period == Period::kTotal ? 50 : 0));
  }
}

TEST_CASE("a part has one open reservation; once it is closed there may be another") {
  ledger_contract::Books books;
  const Id generation = books.Reserve(40);
  const Reservation again{generation, 0, "ada", "fal", "m", {41, PriceSource::kEstimated}, books.now};
  CHECK(CodeOf(books.Try([&](Ledger& l) { return l.Reserve(again); })) == Code::kConflict);
  CHECK(books.Today() == "0/40");
  books.Spend(books.Attempt(generation));
  Must(books.Try([&](Ledger& l) { return l.Reserve(again); }));
  CHECK(books.Entries(generation) == "reserve 40 estimated, spend 40 estimated, reserve 41 estimated open");
  CHECK(books.Today() == "40/41");
}

TEST_CASE("entries are listed newest first, of one user or of all, from any number on") {
  ledger_contract::Books books;
  for (int i = 1; i <= 5; ++i) books.Reserve(i, i % 2 == 0 ? "bob" : "ada");
  Look(books.backend.store(), [&](const Snapshot& s) {
    auto micros = [](const std::vector<LedgerEntry>& entries) {
      std::vector<int64_t> list;
      for (const LedgerEntry& entry : entries) list.push_back(entry.price.micros);
      return list;
    };
    CHECK(micros(Must(s.ledger().List(std::nullopt, std::nullopt, 10))) ==
          std::vector<int64_t>{5, 4, 3, 2, 1});
    const std::vector<LedgerEntry> page = Must(s.ledger().List("ada", std::nullopt, 2));
    CHECK(micros(page) == std::vector<int64_t>{5, 3});
    CHECK(micros(Must(s.ledger().List("ada", page.back().sequence, 2))) == std::vector<int64_t>{1});
    CHECK(Must(s.ledger().List("nobody", std::nullopt, 2)).empty());
  });
}

TEST_CASE("erasure forgets whose the money was, not that it was spent") {
  ledger_contract::Books books;
  const Id generation = books.Reserve(40);
  books.Spend(books.Attempt(generation), 30);
  const Id held = books.Reserve(5);
  const Id attempt = books.Attempt(held);
  int64_t changed = 0;
  Must(books.Try([&](Ledger& l) -> Status {
    ASSIGN_OR_RETURN(changed, l.Anonymise("ada"));
    return OkStatus();
  }));
  CHECK(changed == 3);
  CHECK(books.Today() == "0/0");
  CHECK(books.Today("provider/fal") == "30/5");
  Look(books.backend.store(), [&](const Snapshot& s) {
    CHECK(Must(s.ledger().List("ada", std::nullopt, 10)).empty());
    CHECK(Must(s.ledger().EntriesOf(generation)).size() == 2);
  });
  books.Spend(attempt);  // what was under way is still settled, as nobody's
  CHECK(books.Today() == "0/0");
  CHECK(books.Today("user/") == "0/0");
  CHECK(books.Today("provider/fal") == "35/0");
}

TEST_CASE("an attempt without a reservation moves no money, and an operation that fails none either") {
  ledger_contract::Books books;
  books.Spend(books.backend.NewId(), 5);
  books.Refund(books.backend.NewId());
  const Id generation = books.Reserve(40);
  const Id attempt = books.Attempt(generation);
  Status failed = books.Try([&](Ledger& l) -> Status {
    RETURN_IF_ERROR(l.Spend(attempt, 30, books.now));
    return Error(Code::kInvalid, "no.");
  });
  CHECK(CodeOf(failed) == Code::kInvalid);
  CHECK(books.Entries(generation) == "reserve 40 estimated open");
  CHECK(books.Today() == "0/40");
}

}  // namespace mediagen
