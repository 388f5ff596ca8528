// When the keys of webhooks are fetched, and when not.
#include "pipeline/webhook_keys.h"

#include <doctest/doctest.h>

#include <deque>

using namespace mediagen;

namespace {

constexpr char kKey[] = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg";
constexpr char kOther[] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

// Keeps what is sent until the test answers it.
struct HeldClient final : HttpClient {
  std::deque<HttpDone> sent;
  HttpCallId Send(HttpRequest, HttpDone done) override {
    sent.push_back(std::move(done));
    return sent.size();
  }
  void Cancel(HttpCallId) override {}
  bool Poll(int64_t) override { return false; }
  void Wake() override {}
  size_t active() const override { return sent.size(); }
  void Stop() override {}

  void Answer(int status, const std::string& key) {
    HttpResponse response;
    response.progress = HttpProgress::kAnswered;
    response.status = status;
    response.body = R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":")" + key + "\"}]}";
    HttpDone done = std::move(sent.front());
    sent.pop_front();
    done(response);
  }
};

struct Fixture {
  FakeClock clock;
  HeldClient http;
  WebhookKeys keys{&http, &clock};
  std::shared_ptr<const Adapter> fal = *NewAdapter({.name = "fal", .type = "fal", .api_key = "k"});
  std::vector<StatusOr<WebhookKeys::Keys>> got;

  void Ask(bool fresh = false) { Ask(fal, fresh); }
  void Ask(const std::shared_ptr<const Adapter>& adapter, bool fresh) {
    keys.Get(adapter, fresh, [this](StatusOr<WebhookKeys::Keys> value) { got.push_back(std::move(value)); });
  }
};

}  // namespace

TEST_CASE("keys are fetched once for all who wait, and kept for a day") {
  Fixture f;
  f.Ask();
  f.Ask();
  CHECK(f.http.sent.size() == 1);
  CHECK(f.got.empty());
  f.http.Answer(200, kKey);
  REQUIRE(f.got.size() == 2);
  CHECK(f.got[1]->keys == std::vector<std::string>{kKey});
  CHECK_FALSE(f.got[1]->may_be_old);
  f.clock.Advance(24 * 3'600'000 - 1);
  f.Ask();
  REQUIRE(f.got.size() == 3);
  CHECK(f.got[2]->may_be_old);
  f.clock.Advance(1);
  f.Ask();
  CHECK(f.http.sent.size() == 1);
}

TEST_CASE("for an unknown key they are fetched again, and at most once a minute") {
  Fixture f;
  f.Ask();
  f.http.Answer(200, kKey);
  f.Ask(/*fresh=*/true);  // in the same minute: what is known stands
  REQUIRE(f.got.size() == 2);
  CHECK_FALSE(f.got[1]->may_be_old);
  f.clock.Advance(60'000);
  f.Ask(/*fresh=*/true);
  REQUIRE(f.http.sent.size() == 1);
  f.Ask();  // those who are content with what is known do not wait
  REQUIRE(f.got.size() == 3);
  f.http.Answer(200, kOther);
  REQUIRE(f.got.size() == 4);
  CHECK(f.got[3]->keys == std::vector<std::string>{kOther});
}

TEST_CASE("a fetch that fails leaves the keys that are known, or says when to come again") {
  Fixture f;
  f.Ask();
  f.http.Answer(500, kKey);
  REQUIRE(f.got.size() == 1);
  CHECK(CodeOf(f.got[0].status()) == Code::kUnavailable);
  CHECK(InfoOf(f.got[0].status()).retry_after_ms == 10'000);
  f.Ask();  // not asked again at once
  CHECK(f.http.sent.empty());
  CHECK(CodeOf(f.got[1].status()) == Code::kUnavailable);
  f.clock.Advance(10'000);
  f.Ask();
  f.http.Answer(200, kKey);
  CHECK(f.got[2].ok());
  f.clock.Advance(60'000);
  f.Ask(/*fresh=*/true);
  f.http.Answer(503, kKey);
  REQUIRE(f.got.size() == 4);
  CHECK(f.got[3]->keys == std::vector<std::string>{kKey});
}

TEST_CASE("a configured secret is the key; a provider that publishes none has none") {
  Fixture f;
  f.Ask(*NewAdapter({.name = "fal", .type = "fal", .api_key = "k", .webhook_secret = "configured"}), false);
  f.Ask(*NewAdapter({.name = "openrouter", .type = "openrouter", .api_key = "k"}), false);
  CHECK(f.http.sent.empty());
  REQUIRE(f.got.size() == 2);
  CHECK(f.got[0]->keys == std::vector<std::string>{"configured"});
  CHECK(f.got[1]->keys.empty());
}
