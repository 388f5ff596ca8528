// Other providers for what one has certainly refused: who is asked next, what is paid, what the record says.
#include "pipeline/fallback.h"

#include <doctest/doctest.h>

#include "pipeline/works.h"

using namespace mediagen;
using mediagen::testing::Simulator;
using mediagen::testing::TempDir;
using mediagen::testing::Works;

namespace {

struct Model {
  const char *provider, *model;
};

constexpr Model kModels[] = {{"replicate", "black-forest-labs/flux-schnell"},
                             {"fal", "fal-ai/flux/dev"},
                             {"openrouter", "openai/gpt-image-1"},
                             {"gemini", "gemini-2.5-flash-image"},
                             {"openai", "local-model"}};

struct Fixture {
  TempDir dir;
  Simulator simulator;
  Works works;
  explicit Fixture(const RetryPolicy& retry = {.tries = 2, .base_ms = 1, .cap_ms = 5},
                   const Budgets& budgets = {})
      : works(dir.path(), simulator.url(), retry, {}, budgets, {{"*", 40'000}}) {}

  // A request whose own provider suffers `simulate`; a fallback knows nothing of that.
  static Json Request(const std::string& prompt, const Json& simulate, std::initializer_list<Model> models) {
    Json request = {{"user", "u1"},
                    {"prompt", prompt},
                    {"provider", models.begin()->provider},
                    {"model", models.begin()->model},
                    {"fallback", Json::array()}};
    if (!simulate.empty()) request["options"] = {{"simulate", simulate}};
    for (const Model* model = models.begin() + 1; model != models.end(); ++model)
      request["fallback"].push_back({{"provider", model->provider}, {"model", model->model}});
    return request;
  }
  Json Run(const std::string& prompt, const Json& simulate, std::initializer_list<Model> models) {
    return works.Rest(works.Submit(Request(prompt, simulate, models))["id"]);
  }
  // Requests of this prompt in the journal: all, and those that were not definitely rejected.
  std::pair<int, int> AskedAndPaid(const std::string& prompt) {
    int asked = 0, paid = 0;
    for (const Json& line : simulator.Journal()) {
      if (line["input"].dump().find(prompt) == std::string::npos) continue;
      ++asked;
      paid += line.value("definitelyRejected", false) ? 0 : 1;
    }
    return {asked, paid};
  }
};

}  // namespace

TEST_CASE("every provider's definite refusal hands the request on, and it is paid for once") {
  Fixture f;
  const Json refusals[] = {
      {{"status", 401}}, {{"status", 402}}, {{"status", 404}}, {{"status", 429}, {"retryAfter", 60}}};
  for (size_t i = 0; i < std::size(kModels); ++i) {
    const Model own = kModels[i], next = kModels[(i + 1) % std::size(kModels)];
    const Json& refusal = refusals[i % std::size(refusals)];
    CAPTURE(own.provider);
    CAPTURE(refusal.dump());
    const std::string prompt = "a fox handed on by " + std::string(own.provider);
    Json record = f.Run(prompt, refusal, {own, next});
    CAPTURE(record.dump());
    CHECK(record["status"] == "completed");
    CHECK(record["provider"] == next.provider);
    CHECK(record["model"] == next.model);
    CHECK(record["attempts"] == 2);
    CHECK(record["outputs"].size() == 1);
    CHECK(f.AskedAndPaid(prompt) == std::pair(2, 1));
  }
}

TEST_CASE("every refusal for which another provider may do better is handed on, and no other failure") {
  struct Row {
    ErrorClass error_class;
    bool elsewhere;
  };
  for (const Row& row :
       {Row{ErrorClass::kAuth, true}, Row{ErrorClass::kBilling, true}, Row{ErrorClass::kNotFound, true},
        Row{ErrorClass::kRateLimited, true}, Row{ErrorClass::kOverloaded, true},
        Row{ErrorClass::kServer, true}, Row{ErrorClass::kTimeout, true}, Row{ErrorClass::kInvalid, false},
        Row{ErrorClass::kSafety, false}, Row{ErrorClass::kUnknownOutcome, false},
        Row{ErrorClass::kCanceled, false}, Row{ErrorClass::kExpired, false}}) {
    CAPTURE(ErrorClassName(row.error_class));
    CHECK(MayHelpElsewhere({.error_class = row.error_class, .message = "no"}) == row.elsewhere);
  }
  Fixture f;
  Json invalid = f.Run("an invalid fox", {{"status", 422}}, {kModels[0], kModels[1]});
  CHECK(invalid["status"] == "failed");
  CHECK(invalid["provider"] == "replicate");
  CHECK(f.AskedAndPaid("an invalid fox") == std::pair(1, 0));
  Json unsafe = f.Run("an unsafe fox", {{"fail", "NSFW content detected"}}, {kModels[0], kModels[1]});
  CHECK(unsafe["error"]["class"] == "safety");
  CHECK(f.AskedAndPaid("an unsafe fox") == std::pair(1, 1));
}

TEST_CASE("an outcome that nobody knows is never handed on") {
  Fixture f;
  Json record = f.Run("a lost fox", {{"drop", "after-read"}}, {kModels[4], kModels[0]});
  CHECK(record["status"] == "unknown");
  CHECK(record["provider"] == "openai");
  CHECK(f.AskedAndPaid("a lost fox") == std::pair(1, 1));
}

TEST_CASE(
    "fallbacks are asked in their order; when all refuse, the last one says why, and a retry begins anew") {
  Fixture f;
  f.simulator.Next({{"status", 402}}, 2);
  Json second = f.Run("a fox of the third", {}, {kModels[0], kModels[1], kModels[2]});
  CHECK(second["status"] == "completed");
  CHECK(second["provider"] == "openrouter");
  CHECK(f.AskedAndPaid("a fox of the third") == std::pair(3, 1));

  f.simulator.Next({{"status", 402}}, 2);
  Json none = f.Run("a fox of nobody", {}, {kModels[0], kModels[1]});
  CHECK(none["status"] == "failed");
  CHECK(none["error"]["class"] == "billing");
  CHECK(none["error"]["charged"] == false);
  CHECK(none["provider"] == "fal");
  CHECK(none["cost"]["amount"] == "0.0");
  Json again = f.works.Decide(&Pipeline::Retry, none["id"]);
  CHECK(again["provider"] == "replicate");
  CHECK(f.works.Rest(none["id"])["status"] == "completed");
  CHECK(f.AskedAndPaid("a fox of nobody") == std::pair(3, 1));
}

TEST_CASE("a provider that is busy for a moment is asked again, and left when it stays busy") {
  Fixture f;
  Json passing =
      f.Run("a fox that waits", {{"status", 429}, {"retryAfter", 1}, {"times", 1}}, {kModels[0], kModels[4]});
  CHECK(passing["status"] == "completed");
  CHECK(passing["provider"] == "replicate");
  Json staying = f.Run("a fox that leaves", {{"status", 429}, {"retryAfter", 1}}, {kModels[0], kModels[4]});
  CHECK(staying["status"] == "completed");
  CHECK(staying["provider"] == "openai");
  CHECK(staying["attempts"] == 3);
  CHECK(f.AskedAndPaid("a fox that leaves") == std::pair(3, 1));
}

TEST_CASE("a provider that cannot be reached is left when its tries are used up") {
  TempDir dir;
  Simulator simulator;
  Works works(dir.path(), simulator.url(), {.tries = 2, .base_ms = 1, .cap_ms = 5});
  // The same pipeline with a wire that leads nowhere.
  Json request = Fixture::Request("a fox behind a wall", {}, {kModels[0], {"sketch", "abstract"}});
  simulator.Stop(SIGTERM);
  Json record = works.Rest(works.Submit(request)["id"]);
  CAPTURE(record.dump());
  CHECK(record["status"] == "completed");
  CHECK(record["provider"] == "sketch");
  CHECK(record["attempts"] == 3);
  CHECK(record["cost"]["amount"] == "0.0");
}

TEST_CASE("parts fall back one by one; what went well elsewhere stays") {
  Fixture f;
  f.simulator.Next({{"status", 402}}, 1);
  Json request = Fixture::Request("three foxes", {}, {kModels[0], kModels[4]});
  request["n"] = 3;
  Json record = f.works.Rest(f.works.Submit(request)["id"]);
  CAPTURE(record.dump());
  CHECK(record["status"] == "completed");
  CHECK(record["error"] == nullptr);
  CHECK(record["outputs"].size() == 3);
  CHECK(f.AskedAndPaid("three foxes").second == f.AskedAndPaid("three foxes").first - 1);
}

TEST_CASE("every fallback is checked at submit, before anything is asked or written") {
  Fixture f;
  struct Row {
    const char* why;
    Json change;
    Code code;
    const char* named;
  };
  const Row rows[] = {
      {"an unknown provider", {{"fallback", {{{"provider", "nobody"}}}}}, Code::kNotFound, "nobody"},
      {"no provider", {{"fallback", {{{"model", "x"}}}}}, Code::kInvalid, "provider"},
      {"an unknown field", {{"fallback", {{{"provider", "fal"}, {"price", 1}}}}}, Code::kInvalid, "price"},
      {"not a list", {{"fallback", "fal"}}, Code::kInvalid, "fallback"},
      {"a kind that it does not make",
       {{"kind", "video"}, {"fallback", {{{"provider", "sketch"}}}}},
       Code::kUnsupported,
       "sketch"},
      {"a size that it does not make",
       {{"size", "9000x9000"}, {"fallback", {{{"provider", "sketch"}}}}},
       Code::kInvalid,
       "sketch"}};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    Json request = Fixture::Request("a fox", {}, {kModels[0]});
    request.update(row.change);
    Status refused = f.works.Refusal(request);
    CHECK(CodeOf(refused) == row.code);
    CHECK(InfoOf(refused).message.find(row.named) != std::string::npos);
  }
  CHECK(f.simulator.Journal().empty());
  auto page = f.works.pipeline->List({.all = true, .user = ""}, {}, std::nullopt, 1);
  REQUIRE(page.ok());
  CHECK(page->rows.empty());
}

TEST_CASE("a fallback that its budget forbids is passed over, and the refusal stands when none is left") {
  Budgets budgets;
  budgets.per_provider["fal"] = {.limit_micros = 30'000, .period = Period::kDay};
  Fixture f({.tries = 2, .base_ms = 1, .cap_ms = 5}, budgets);
  Json record = f.Run("a dear fox", {{"status", 402}}, {kModels[0], kModels[1]});
  CHECK(record["status"] == "failed");
  CHECK(record["error"]["class"] == "billing");
  CHECK(f.AskedAndPaid("a dear fox") == std::pair(1, 0));
  Json passed = f.Run("a cheap fox", {{"status", 402}}, {kModels[0], kModels[1], kModels[4]});
  CHECK(passed["status"] == "completed");
  CHECK(passed["provider"] == "openai");
}

TEST_CASE("a job counts for the provider that its generation goes to") {
  Fixture f;
  Json record = f.Run("a fox that moves", {{"status", 402}}, {kModels[0], kModels[4]});
  REQUIRE(record["status"] == "completed");
  std::string key;
  REQUIRE(f.works.store
              ->Read([&](const Snapshot& snapshot) -> Status {
                ASSIGN_OR_RETURN(
                    auto row, snapshot.records().FindGeneration(*Id::Parse(record["id"].get<std::string>())));
                ASSIGN_OR_RETURN(auto job, snapshot.jobs().Find(row->job));
                key = job->provider_key;
                return OkStatus();
              })
              .ok());
  CHECK(key == "openai");
}
