// What was spent and is held back, as it is told over HTTP and by the list verb.
#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "base/json.h"
#include "engine/engine.h"
#include "fmt/format.h"
#include "support/temp_dir.h"

using namespace mediagen;
using mediagen::testing::TempDir;

namespace {

constexpr char kAda[] = R"({"user":"ada"})", kBob[] = R"({"user":"bob"})";
constexpr char kAdmin[] = R"({"user":"root","roles":["admin"]})", kHost[] = "";

// An engine that accepts and sends nothing: its queue is paused.
struct Fixture {
  TempDir dir;
  std::shared_ptr<Engine> engine;

  Fixture() {
    const std::string config =
        R"({"dataDir": ")" + dir.path() + R"(", "queues": {"generate": {"paused": true}},
      "budgets": {"perUser": {"amount": "0.10", "per": "day"}, "perProvider": {"openai": {"amount": "9", "per": "month"}}},
      "providers": {"openai": {"apiKey": "k", "estimates": {"*": "0.04"}}}, "rateLimits": {"generations": "1000/min"}})";
    auto opened = Engine::Open(config);
    if (!opened.ok()) FAIL(ErrorJson(opened.status()));
    engine = *opened;
  }
  ~Fixture() {
    (void)Await<Status>([&](auto done) { engine->Close(1000, done); });
  }

  template <typename T, typename Begin>
  static T Await(Begin begin) {
    std::mutex mutex;
    std::condition_variable cv;
    std::optional<T> got;
    begin([&](T value) {
      std::lock_guard lock(mutex);
      got = std::move(value);
      cv.notify_all();
    });
    std::unique_lock lock(mutex);
    REQUIRE(cv.wait_for(lock, std::chrono::seconds(60), [&] { return got.has_value(); }));
    return *std::move(got);
  }
  // The status and the document of an answer.
  std::pair<int, Json> Call(const char* method, const std::string& target, const char* principal,
                            const std::string& body = "") {
    Response response = Await<Response>([&](ResponseDone done) {
      engine->Handle(method, target, "content-type: application/json\r\n", principal, "",
                     body.empty() ? BufferRef() : BufferRef::Own(body), std::move(done));
    });
    const auto* bytes = std::get_if<BytesBody>(&response.body);
    REQUIRE(bytes != nullptr);
    return {response.status, Json::parse(bytes->buffer.view())};
  }
  std::pair<int, Json> Submit(const char* principal) {
    return Call("POST", "/v1/generations", principal,
                R"({"provider":"openai","model":"gpt-image-1","prompt":"a fox"})");
  }
};

}  // namespace

TEST_CASE(
    "a user sees what they spent and what is held back, against their budget, and the entries behind it") {
  Fixture f;
  Json record = f.Submit(kAda).second;
  CHECK(record["cost"] == Json({{"amount", "0.04"}, {"currency", "USD"}, {"source", "estimated"}}));
  auto [status, usage] = f.Call("GET", "/v1/usage", kAda);
  CAPTURE(usage.dump());
  CHECK(status == 200);
  CHECK(usage["user"] == "ada");
  CHECK(usage["currency"] == "USD");
  CHECK_FALSE(usage.contains("providers"));
  for (const char* period : {"hour", "day", "month", "total"}) {
    CHECK(usage["periods"][period]["spent"] == "0.0");
    CHECK(usage["periods"][period]["reserved"] == "0.04");
    CHECK(usage["periods"][period]["limit"] == (std::string_view(period) == "day" ? Json("0.1") : Json()));
    CHECK(usage["periods"][period]["until"].is_null() == (std::string_view(period) == "total"));
  }
  REQUIRE(usage["data"].size() == 1);
  const Json& entry = usage["data"][0];
  CHECK(entry["kind"] == "reserve");
  CHECK(entry["open"] == true);
  CHECK(entry["generation"] == record["id"]);
  CHECK(entry["attempt"] == nullptr);
  CHECK(entry["provider"] == "openai");
  CHECK(entry["model"] == "gpt-image-1");
  CHECK(entry["amount"] == "0.04");
  CHECK(entry["source"] == "estimated");
  CHECK(f.Call("GET", "/v1/usage", kBob).second["data"].empty());
}

TEST_CASE("past the budget a submit is 402 and says when to come back") {
  Fixture f;
  CHECK(f.Submit(kAda).first == 202);
  CHECK(f.Submit(kAda).first == 202);
  auto [status, problem] = f.Submit(kAda);
  CHECK(status == 402);
  CHECK(problem["code"] == "budget_exceeded");
  CHECK(problem["retryAfterMs"] > 0);
  CHECK(f.Submit(kBob).first == 202);
}

TEST_CASE("only who sees everything may ask for another's usage, and sees the providers' too") {
  Fixture f;
  f.Submit(kAda);
  CHECK(f.Call("GET", "/v1/usage?user=ada", kBob).first == 404);
  CHECK(f.Call("GET", "/v1/usage?user=ada", kAda).first == 200);
  for (const char* who : {kAdmin, kHost}) {
    auto [status, usage] = f.Call("GET", "/v1/usage?user=ada", who);
    CHECK(status == 200);
    CHECK(usage["data"].size() == 1);
    CHECK(usage["providers"]["openai"]["month"]["limit"] == "9.0");
    CHECK(usage["providers"]["openai"]["month"]["reserved"] == "0.04");
    CHECK_FALSE(usage["providers"].contains("sketch"));
  }
  CHECK(f.Call("GET", "/v1/usage", kAdmin).second["user"] == "root");
  Json everybody = f.Call("GET", "/v1/usage", kHost).second;
  CHECK(everybody["user"] == nullptr);
  CHECK(everybody["periods"] == nullptr);
  CHECK(everybody["data"].size() == 1);
  CHECK(f.Call("GET", "/v1/usage", R"({"user":""})").first == 401);
}

TEST_CASE("entries come newest first, page by page; a cursor is good for its own list alone") {
  Fixture f;
  for (const char* who : {kAda, kBob, kAda, kBob}) f.Submit(who);
  Json first = f.Call("GET", "/v1/usage?limit=1", kAda).second;
  CHECK(first["pagination"]["hasMore"] == true);
  const std::string cursor = first["pagination"]["nextCursor"];
  Json second = f.Call("GET", "/v1/usage?limit=1&cursor=" + cursor, kAda).second;
  REQUIRE(second["data"].size() == 1);
  CHECK(second["data"][0]["id"] != first["data"][0]["id"]);
  CHECK(second["pagination"]["hasMore"] == false);
  CHECK(second["pagination"]["nextCursor"] == nullptr);
  CHECK(f.Call("GET", "/v1/usage?limit=1&cursor=" + cursor, kBob).first == 400);
  CHECK(f.Call("GET", "/v1/usage?limit=0", kAda).first == 400);
  CHECK(f.Call("GET", "/v1/usage?period=day", kAda).first == 400);
}

TEST_CASE("the list verb gives the same document") {
  Fixture f;
  f.Submit(kAda);
  auto list = [&](const char* principal, const std::string& query) {
    return Fixture::Await<StatusOr<BufferRef>>(
        [&](Reply reply) { f.engine->List(principal, "usage", query, std::move(reply)); });
  };
  auto usage = list(kHost, R"({"filter": {"user": "ada"}, "limit": 5})");
  REQUIRE(usage.ok());
  CHECK(Json::parse(usage->view())["data"].size() == 1);
  CHECK(CodeOf(list(kBob, R"({"filter": {"user": "ada"}})").status()) == Code::kNotFound);
  CHECK(CodeOf(list(kAda, R"({"filter": {"status": "x"}})").status()) == Code::kInvalid);
}
