// The limits of a whole engine: what counts, what is given back, and limits that several engines share.
#include <condition_variable>
#include <mutex>

#include "engine/manual_engine.h"
#include "support/redis_server.h"

using namespace mediagen;
using mediagen::testing::RedisServer;
using mediagen::testing::Simulator;
using mediagen::testing::TempDir;

namespace {

constexpr char kAda[] = R"({"user": "ada", "ip": "203.0.113.9"})";
constexpr char kJson[] = "Content-Type: application/json\r\n";

std::string Field(const Response& response, std::string_view name) {
  for (const auto& [known, value] : response.headers) {
    if (known == name) return value;
  }
  return "-";
}

Json BodyOf(const Response& response) {
  const auto* bytes = std::get_if<BytesBody>(&response.body);
  return bytes == nullptr ? Json() : Json::parse(bytes->buffer.view(), nullptr, false);
}

// An engine whose configuration the test completes, with threads or without.
class Limited {
 public:
  explicit Limited(Json config, bool threaded = false) : threaded_(threaded) {
    config["dataDir"] = dir_.path();
    if (!threaded) config["workers"] = "manual";
    EngineEnvironment environment;
    if (!threaded) environment.clock = &clock;
    auto opened = Engine::Open(Dump(config), environment);
    if (!opened.ok()) FAIL(ErrorJson(opened.status()));
    engine = *opened;
  }
  ~Limited() {
    engine->Close(0, [](Status) {});
  }

  Response Ask(const std::string& method, const std::string& target, const std::string& body = "",
               const std::string& headers = "", const std::string& principal = kAda) {
    std::optional<Response> got;
    std::mutex mutex;
    std::condition_variable came;
    engine->Handle(method, target, body.empty() ? headers : kJson + headers, principal, "",
                   body.empty() ? nullptr : BufferRef::Own(std::string(body)), [&](Response response) {
                     std::lock_guard lock(mutex);
                     got = std::move(response);
                     came.notify_one();
                   });
    if (!threaded_) {
      while (!got) engine->Drive(1);
      return std::move(*got);
    }
    std::unique_lock lock(mutex);
    came.wait(lock, [&] { return got.has_value(); });
    return std::move(*got);
  }
  Response Draw(const Json& more = Json::object(), const std::string& headers = "",
                const std::string& principal = kAda) {
    Json request = {{"provider", "sketch"}, {"prompt", "a red fox"}, {"size", "32x32"}};
    request.update(more);
    return Ask("POST", "/v1/generations", Dump(request), headers, principal);
  }
  // The record of what was accepted, once it rests.
  Json Rested(const Response& accepted) {
    REQUIRE(accepted.status == 202);
    const std::string id = BodyOf(accepted)["id"];
    while (true) {
      Json record = BodyOf(Ask("GET", "/v1/generations/" + id));
      if (record["status"] != "pending" && record["status"] != "processing") return record;
      engine->Drive(1);
      clock.Advance(100);
    }
  }

  TempDir dir_;
  FakeClock clock;
  const bool threaded_;
  std::shared_ptr<Engine> engine;
};

Json WithRates(Json rates) {
  rates["images"] = "100000/min";
  return Json{{"rateLimits", std::move(rates)}};
}

}  // namespace

TEST_CASE("a generation that fails is not counted, but for one that is refused for its content") {
  Simulator simulator;
  Json config = WithRates({{"generations", "2/h"}});
  config["providers"]["openai"] = {
      {"baseUrl", simulator.url() + "/openai/v1"}, {"apiKey", "simulated"}, {"allowPrivateNetwork", true}};
  Limited e(config);
  auto simulated = [](const Json& simulate) {
    return Json{{"provider", "openai"},
                {"model", "local-model"},
                {"size", "64x64"},
                {"options", {{"simulate", simulate}}}};
  };
  for (int i = 0; i < 4; ++i) {
    const Json failed = e.Rested(e.Draw(simulated({{"status", 422}})));
    CAPTURE(failed.dump());
    CHECK(failed["status"] == "failed");
  }
  const Response first = e.Draw(simulated(Json::object()));
  CHECK(Field(first, "RateLimit-Policy") == "\"user\";q=2;w=3600");
  CHECK(Field(first, "RateLimit").starts_with("\"user\";r=1;"));
  CHECK(e.Rested(first)["status"] == "completed");
  const Json unsafe = e.Rested(e.Draw(simulated({{"status", 400}, {"code", "moderation_blocked"}})));
  CAPTURE(unsafe.dump());
  CHECK(unsafe["status"] == "failed");
  CHECK(unsafe["error"]["class"] == "safety");
  const Response refused = e.Draw(simulated(Json::object()));
  CHECK(refused.status == 429);
  CHECK(Field(refused, "Retry-After") != "-");
}

TEST_CASE("a submit that is refused counts as no generation, and one that can't be read as a write") {
  Limited e(WithRates({{"generations", "1/min"}, {"writes", "3/min"}}));
  for (int i = 0; i < 5; ++i) {
    const Response refused = e.Draw({{"provider", "nobody"}});
    CHECK(refused.status == 422);
    CHECK(Field(refused, "RateLimit") == "-");
  }
  for (int i = 0; i < 3; ++i) CHECK(e.Ask("POST", "/v1/generations", "{").status == 400);
  CHECK(e.Ask("POST", "/v1/generations", "{").status == 429);
  CHECK(e.Ask("POST", "/v1/generations", "", "Content-Type: text/plain\r\n").status == 429);
  CHECK(e.Draw().status == 202);
  CHECK(e.Draw().status == 429);
}

TEST_CASE("a repeated request is charged once") {
  Limited e(WithRates({{"generations", "2/min"}}));
  for (int i = 0; i < 5; ++i) CHECK(e.Draw(Json::object(), "Idempotency-Key: k\r\n").status == 202);
  CHECK(e.Draw().status == 202);
  CHECK(e.Draw().status == 429);
}

TEST_CASE("a provider's limit is everybody's, and is decided with the others in one step") {
  Limited e(WithRates({{"generations", "3/min"}, {"perProvider", {{"sketch", "4/min"}}}}));
  auto draw = [&](const std::string& user) {
    return e.Draw(Json::object(), "", Dump(Json{{"user", user}, {"ip", "203.0.113.9"}}));
  };
  for (int i = 0; i < 3; ++i) CHECK(draw("ada").status == 202);
  CHECK(draw("ada").status == 429);  // which the provider is not charged
  CHECK(draw("bob").status == 202);
  const Response refused = draw("bob");
  CHECK(refused.status == 429);
  CHECK(Field(refused, "RateLimit-Policy") == "\"provider\";q=4;w=60");
  CHECK(BodyOf(refused)["detail"].get<std::string>().find("to one provider") != std::string::npos);
  e.clock.Advance(60'000);
  for (int i = 0; i < 3; ++i) CHECK(draw("bob").status == 202);  // nor was bob for that
}

TEST_CASE("a retry counts when there is something to retry") {
  Limited e(WithRates({{"generations", "2/min"}}));
  const Json record = e.Rested(e.Draw());
  const std::string retry = "/v1/generations/" + record["id"].get<std::string>() + "/retry";
  for (int i = 0; i < 4; ++i) CHECK(e.Ask("POST", retry).status == 409);
  CHECK(e.Ask("POST", "/v1/generations/01932c60-4d7a-7c21-9f3e-0d5b1c2a3e4f/retry").status == 404);
  CHECK(e.Draw().status == 202);
  CHECK(e.Ask("POST", retry).status == 429);
}

TEST_CASE("who comes through trusted proxies is charged by the address that they tell") {
  Json config = WithRates({{"pictures", "2/min"}});
  config["http"] = {{"trustedHops", 1}, {"ipv6Prefix", 56}};
  Limited e(config);
  auto look = [&](const std::string& forwarded) {
    return e
        .Ask("GET", "/v1/outputs/01932c60-4d7a-7c21-9f3e-0d5b1c2a3e4f/content", "",
             "X-Forwarded-For: " + forwarded + "\r\n", R"({"ip": "10.0.0.1"})")
        .status;
  };
  CHECK(look("192.0.2.1") == 401);
  CHECK(look("7.7.7.7, 192.0.2.1") == 401);
  CHECK(look("8.8.8.8, 192.0.2.1") == 429);
  CHECK(look("192.0.2.1, 192.0.2.2") == 401);
  CHECK(look("2001:db8:0:100::1") == 401);
  CHECK(look("2001:db8:0:1ff::1") == 401);
  CHECK(look("2001:db8:0:180::1") == 429);
}

TEST_CASE("engines that name one Redis share their limits, with threads and without") {
  RedisServer redis;
  Json config = WithRates({{"generations", "5/h"}, {"render", "1/h"}});
  config["limits"] = redis.url("?onFailure=closed&timeoutMs=5000");
  Limited one(config), two(config, true);
  for (int i = 0; i < 2; ++i) CHECK(one.Draw().status == 202);
  const Response third = two.Draw();
  CHECK(Field(third, "RateLimit").starts_with("\"user\";r=2;"));
  CHECK(two.Draw({{"provider", "nobody"}}).status == 422);  // given back
  CHECK(two.Draw().status == 202);
  const Json record = one.Rested(one.Draw());
  CHECK(two.Draw().status == 429);
  CHECK(one.Draw().status == 429);

  // A picture that has to be decoded waits for its own limit.
  const std::string picture = "/v1/images/" + record["outputs"][0]["id"].get<std::string>() + "/image?w=";
  Response rendered = one.Ask("GET", picture + "150&h=150&fit=cover");
  CHECK(rendered.status == 200);
}

TEST_CASE("while Redis is away the setting says what holds") {
  RedisServer redis;
  for (const char* mode : {"open", "closed", "local"}) {
    for (bool threaded : {false, true}) {
      CAPTURE(mode);
      CAPTURE(threaded);
      redis.Kill();
      Json config = WithRates({{"generations", "1/h"}});
      config["limits"] = redis.url(fmt::format("?onFailure={}&timeoutMs=2000", mode));
      Limited e(config, threaded);
      const Response first = e.Draw(), second = e.Draw();
      redis.Start();
      const bool closed = std::string_view(mode) == "closed", local = std::string_view(mode) == "local";
      CHECK(first.status == (closed ? 503 : 202));
      CHECK(second.status == (closed ? 503 : local ? 429 : 202));
      CHECK((Field(first, "RateLimit") == "-") == !local);
      if (closed) CHECK(Field(first, "Retry-After") != "-");
    }
  }
}

TEST_CASE("an engine that is closed while Redis does not answer ends what waits for it") {
  RedisServer redis;
  Json config = WithRates({{"generations", "1/h"}});
  config["limits"] = redis.url("?onFailure=open&timeoutMs=60000");
  Limited e(config, true);
  CHECK(e.Draw().status == 202);
  redis.Freeze();
  std::atomic<int> status = 0;
  e.engine->Handle("POST", "/v1/generations", kJson, kAda, "",
                   BufferRef::Own(std::string(R"({"provider": "sketch", "prompt": "a fox"})")),
                   [&](Response response) { status = response.status; });
  std::atomic<bool> closed = false;
  e.engine->Close(0, [&](Status) { closed = true; });
  while (!closed) std::this_thread::yield();
  while (status == 0) std::this_thread::yield();
  CHECK(status == 503);
  redis.Thaw();
}

TEST_CASE("a configuration of limits that can't hold is refused by name") {
  struct Row {
    std::string_view config, says;
  };
  constexpr Row kRows[] = {
      {R"({"limits": "memory"})", "limits"},
      {R"({"limits": "redis://127.0.0.1:6379"})", "onFailure"},
      {R"({"limits": "redis://127.0.0.1:6379?onFailure=maybe"})", "onFailure"},
      {R"({"http": {"ipv6Prefix": 31}})", "ipv6Prefix"},
      {R"({"http": {"ipv6Prefix": 129}})", "ipv6Prefix"},
      {R"({"http": {"trustedHops": -1}})", "trustedHops"},
      {R"({"http": {"trustedHops": 17}})", "trustedHops"},
      {R"({"http": {"forwardedHeader": "x-real-ip"}})", "forwardedHeader"},
      {R"({"rateLimits": {"perProvider": {"skech": "1/min"}}})", "skech"},
      {R"({"rateLimits": {"perProvider": {"sketch": "1 a minute"}}})", "1 a minute"},
      {R"({"rateLimits": {"perProvider": {"sketch": 5}}})", "perProvider"},
      {R"({"rateLimits": {"perProvider": []}})", "perProvider"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.config);
    TempDir dir;
    Json config = Json::parse(row.config);
    config["dataDir"] = dir.path();
    auto opened = Engine::Open(Dump(config), {});
    REQUIRE(!opened.ok());
    CHECK(ErrorJson(opened.status()).find(row.says) != std::string::npos);
  }
}
