// Money: what is held back at submit, what becomes of it, and what a budget refuses.
#include <doctest/doctest.h>

#include "pipeline/works.h"

using namespace mediagen;
using mediagen::testing::Simulator;
using mediagen::testing::TempDir;
using mediagen::testing::Works;

namespace {

constexpr int64_t kEach = 40'000;  // micro-units a picture

Budgets PerUser(int64_t limit_micros) {
  Budgets budgets;
  budgets.per_user = Budget{limit_micros, Period::kTotal};
  return budgets;
}

struct Fixture {
  TempDir dir;
  Simulator simulator;
  Works works;
  explicit Fixture(const Budgets& budgets = {},
                   const std::map<std::string, int64_t>& estimates = {{"*", kEach}})
      : works(dir.path(), simulator.url(), {.tries = 1, .base_ms = 1, .cap_ms = 5}, {}, budgets, estimates) {}

  static Json Request(const std::string& prompt, const Json& simulate = Json::object(),
                      const char* provider = "openai") {
    Json request = {{"user", "u1"}, {"prompt", prompt}, {"provider", provider}};
    if (std::string_view(provider) == "openai") request["model"] = "local-model";
    if (std::string_view(provider) == "openrouter") request["model"] = "openai/gpt-image-1";
    if (!simulate.empty()) request["options"] = {{"simulate", simulate}};
    return request;
  }
  Json Run(const Json& request) { return works.Rest(works.Submit(request)["id"]); }
  // "spent/reserved" of the user, ever.
  std::string Total(const std::string& scope = "user/u1") {
    LedgerTotal total;
    REQUIRE(works.store
                ->Read([&](const Snapshot& snapshot) -> Status {
                  ASSIGN_OR_RETURN(total, snapshot.ledger().Total(scope, Period::kTotal, 0));
                  return OkStatus();
                })
                .ok());
    return std::to_string(total.spent_micros) + "/" + std::to_string(total.reserved_micros);
  }
  std::string Kinds(const Json& record) {
    std::string kinds;
    REQUIRE(works.store
                ->Read([&](const Snapshot& snapshot) -> Status {
                  ASSIGN_OR_RETURN(auto entries, snapshot.ledger().EntriesOf(
                                                     Id::Parse(record["id"].get<std::string>()).value()));
                  for (const LedgerEntry& entry : entries)
                    kinds += std::string(kinds.empty() ? "" : " ") + std::string(EntryKindName(entry.kind));
                  return OkStatus();
                })
                .ok());
    return kinds;
  }
  void PauseGenerate() { works.queues->Configure("generate", {.concurrency = 8, .paused = true}); }
};

}  // namespace

TEST_CASE("what a request will cost is held back at submit, and spent when its pictures are stored") {
  Fixture f;
  Json request = Fixture::Request("two foxes");
  request["n"] = 2;
  Json submitted = f.works.Submit(request);
  CHECK(submitted["cost"] == Json({{"amount", "0.08"}, {"currency", "USD"}, {"source", "estimated"}}));
  Json record = f.works.Rest(submitted["id"]);
  REQUIRE(record["status"] == "completed");
  CHECK(record["cost"] == Json({{"amount", "0.08"}, {"currency", "USD"}, {"source", "estimated"}}));
  CHECK(f.Total() == "80000/0");
  CHECK(f.Total("provider/openai") == "80000/0");
}

TEST_CASE("a price that the provider tells counts instead of the estimate") {
  Fixture f({}, {{"*", 1}});
  Json record = f.Run(Fixture::Request("a priced fox", {}, "openrouter"));
  REQUIRE(record["status"] == "completed");
  CHECK(record["cost"]["source"] == "reported");
  CHECK(record["cost"]["amount"] != "0.000001");
  CHECK(f.Kinds(record) == "reserve spend");
}

TEST_CASE("a price that nobody knows is said to be unknown, not free") {
  Fixture f({}, {});
  Json record = f.Run(Fixture::Request("a fox of unknown price"));
  REQUIRE(record["status"] == "completed");
  CHECK(record["cost"] == Json({{"amount", "0.0"}, {"currency", "USD"}, {"source", "unknown"}}));
  CHECK(f.Kinds(record) == "reserve spend");
}

TEST_CASE("past a budget nothing is accepted, nothing written, and it is said why and until when") {
  Budgets budgets;
  budgets.per_user = Budget{90'000, Period::kDay};
  Fixture f(budgets);
  f.PauseGenerate();
  for (const char* prompt : {"one", "two"}) f.works.Submit(Fixture::Request(prompt));
  CHECK(f.Total() == "0/80000");
  const ErrorInfo refused = InfoOf(f.works.Refusal(Fixture::Request("three")));
  CHECK(refused.code == Code::kBudgetExceeded);
  CHECK(refused.message ==
        "User u1 may spend 0.09 USD a day: 0.0 are spent, 0.08 are reserved, and this would cost 0.04.");
  CHECK(refused.retry_after_ms > 0);
  CHECK(refused.retry_after_ms <= 86'400'000);
  CHECK(refused.hint.find("T00:00:00.000Z") != std::string::npos);
  CHECK(f.Total() == "0/80000");
  auto page = f.works.pipeline->List({.all = true, .user = ""}, {}, std::nullopt, 10);
  REQUIRE(page.ok());
  CHECK(page->rows.size() == 2);
  // Another user has a budget of their own, and what nobody bills is not stopped.
  Json other = Fixture::Request("other");
  other["user"] = "u2";
  f.works.Submit(other);
  f.works.Submit(Fixture::Request("free", {}, "sketch"));
  CHECK(f.Total() == "0/80000");
}

TEST_CASE(
    "a budget for all time is refused without a time to come back; a provider's budget is everybody's") {
  Budgets budgets;
  budgets.per_provider["openai"] = Budget{kEach, Period::kTotal};
  Fixture f(budgets);
  REQUIRE(f.Run(Fixture::Request("the last fox"))["status"] == "completed");
  Json request = Fixture::Request("too many");
  request["user"] = "u2";
  const ErrorInfo refused = InfoOf(f.works.Refusal(request));
  CHECK(refused.code == Code::kBudgetExceeded);
  CHECK(refused.object == "openai");
  CHECK(refused.retry_after_ms == -1);
  CHECK(refused.hint.find("budgets.perProvider") != std::string::npos);
  CHECK(f.Run(Fixture::Request("elsewhere", {}, "openrouter"))["status"] == "completed");
}

TEST_CASE("what was certainly not billed is given back: refused, canceled before it was sent") {
  Fixture f(PerUser(kEach));
  Json refused = f.Run(Fixture::Request("a bad fox", {{"status", 422}}));
  CHECK(refused["status"] == "failed");
  CHECK(refused["cost"]["amount"] == "0.0");
  CHECK(f.Kinds(refused) == "reserve release");
  CHECK(f.Total() == "0/0");
  f.PauseGenerate();
  Json waiting = f.works.Submit(Fixture::Request("a fox that waits"));
  CHECK(f.Total() == "0/40000");
  CHECK(f.works.Decide(&Pipeline::Cancel, waiting["id"])["status"] == "canceled");
  CHECK(f.Kinds(waiting) == "reserve release");
  CHECK(f.Total() == "0/0");
  f.works.Submit(Fixture::Request("it fits again"));
}

TEST_CASE("what failed and was billed is spent; what failed and was not is given back") {
  Fixture f;
  Json request = Fixture::Request("an nsfw fox", {{"fail", "NSFW content detected"}}, "replicate");
  request["model"] = "simulated/model";
  Json failed = f.Run(request);
  REQUIRE(failed["status"] == "failed");
  const bool charged = failed["error"]["charged"];
  CHECK(f.Kinds(failed) == (charged ? "reserve spend" : "reserve release"));
  CHECK(f.Total() == (charged ? "40000/0" : "0/0"));
}

TEST_CASE("an unknown outcome keeps its hold; given up, it counts as spent") {
  Fixture f;
  Json lost = f.Run(Fixture::Request("a lost fox", {{"drop", "after-read"}}));
  REQUIRE(lost["status"] == "unknown");
  CHECK(lost["cost"] == Json({{"amount", "0.04"}, {"currency", "USD"}, {"source", "estimated"}}));
  CHECK(f.Kinds(lost) == "reserve");
  CHECK(f.Total() == "0/40000");
  Json given_up = f.works.Decide(&Pipeline::Abandon, lost["id"]);
  CHECK(given_up["status"] == "failed");
  CHECK(given_up["cost"]["amount"] == "0.04");
  CHECK(f.Kinds(lost) == "reserve spend");
  CHECK(f.Total() == "40000/0");
}

TEST_CASE("a retry reserves anew, beside what the unknown request may have cost, and within the budget") {
  Fixture f(PerUser(2 * kEach));
  const Json drop = {{"drop", "after-read"}, {"times", 1}};
  Json lost = f.Run(Fixture::Request("a fox to try again", drop));
  REQUIRE(lost["status"] == "unknown");
  f.works.Decide(&Pipeline::Retry, lost["id"]);
  Json again = f.works.Rest(lost["id"]);
  CHECK(again["status"] == "completed");
  CHECK(again["cost"]["amount"] == "0.08");
  CHECK(f.Kinds(lost) == "reserve spend reserve spend");
  CHECK(f.Total() == "80000/0");

  Fixture tight(PerUser(kEach));
  lost = tight.Run(Fixture::Request("a fox to try again", drop));
  REQUIRE(lost["status"] == "unknown");
  Status refused = tight.works
                       .Try([&](RecordDone done) {
                         tight.works.pipeline->Retry({.all = true, .user = ""}, lost["id"].get<std::string>(),
                                                     "", std::move(done));
                       })
                       .status();
  CHECK(CodeOf(refused) == Code::kBudgetExceeded);
  CHECK(tight.Kinds(lost) == "reserve");
  CHECK(tight.Total() == "0/40000");
}

TEST_CASE("a repeated submit is answered with the first one and reserves nothing") {
  Fixture f(PerUser(kEach));
  Json request = Fixture::Request("the same fox");
  request["idempotencyKey"] = "k1";
  Json first = f.works.Submit(request);
  CHECK(f.works.Submit(request)["id"] == first["id"]);
  CHECK(f.works.Rest(first["id"])["status"] == "completed");
  CHECK(f.Total() == "40000/0");
}

TEST_CASE("two submits at once cannot both take the last of a budget") {
  Fixture f(PerUser(kEach));
  f.PauseGenerate();
  auto request = ParseGenerationRequest(Dump(Fixture::Request("the last one")), std::nullopt, std::nullopt);
  REQUIRE(request.ok());
  constexpr int kSubmits = 20;
  std::mutex mutex;
  std::condition_variable cv;
  int accepted = 0, refused = 0;
  for (int i = 0; i < kSubmits; ++i) {
    f.works.pipeline->Submit(*request, "", [&](StatusOr<BufferRef> record) {
      std::lock_guard lock(mutex);
      accepted += record.ok() ? 1 : 0;
      refused += CodeOf(record.status()) == Code::kBudgetExceeded ? 1 : 0;
      cv.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  cv.wait(lock, [&] { return accepted + refused == kSubmits; });
  CHECK(accepted == 1);
}
