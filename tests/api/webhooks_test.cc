// POST /v1/webhooks/…: what is answered to whom.
#include <doctest/doctest.h>

#include <future>

#include "api/router.h"
#include "base/hash.h"
#include "pipeline/webhook_url.h"
#include "pipeline/works.h"

using namespace mediagen;
using mediagen::testing::kWorksSecret;
using mediagen::testing::Simulator;
using mediagen::testing::TempDir;
using mediagen::testing::Works;

namespace {

constexpr char kBody[] = R"({"type":"video.generation.completed","data":{"id":"job-1"}})";

struct Fixture {
  TempDir dir;
  Works works;
  Router router{{works.pipeline.get(), works.media.get(), works.hub.get(), nullptr, works.executor.get(),
                 SystemClock(), &works.metrics},
                {}};

  explicit Fixture(const std::string& origin)
      : works(dir.path(), origin, {}, {.public_base_url = "https://media.example", .secrets = true}) {}

  Response Ask(const std::string& method, const std::string& target, const HeaderList& headers,
               const std::string& body) {
    auto request = ParseRequest(method, target, FormatHeaderBlock(headers), R"({"auth": "token"})", "");
    REQUIRE(request.ok());
    request->body = BufferRef::Own(body);
    std::promise<Response> answer;
    router.Handle(*std::move(request), [&](Response response) { answer.set_value(std::move(response)); });
    return answer.get_future().get();
  }
  int Post(const std::string& target, const HeaderList& headers, const std::string& body) {
    return Ask("POST", target, headers, body).status;
  }
};

// As OpenRouter signs.
HeaderList Signed(const std::string& body, int64_t age_s = 0,
                  const std::string& key = simulator::kOpenRouterWebhookSecret) {
  const std::string time = std::to_string(SystemClock()->WallMs() / 1000 - age_s);
  return {{"X-OpenRouter-Signature", "t=" + time + ",v1=" + Hex(HmacSha256(key, time + "," + body))}};
}

std::string HeaderOf(const Response& response, std::string_view name) {
  for (const auto& [known, value] : response.headers) {
    if (known == name) return value;
  }
  return "";
}

}  // namespace

TEST_CASE("every webhook is answered by who sent it and what it names") {
  Simulator simulator({.work_ms = 600'000});
  Fixture f(simulator.url());
  const Json record = f.works.Submit({{"user", "u1"},
                                      {"provider", "openrouter"},
                                      {"model", "google/veo-3.1"},
                                      {"kind", "video"},
                                      {"prompt", "a fox at work"}});
  Attempt attempt;
  while (attempt.state != AttemptState::kSubmitted) {
    REQUIRE(f.works.store
                ->Read([&](const Snapshot& snapshot) -> Status {
                  ASSIGN_OR_RETURN(auto rows, snapshot.records().AttemptsOf(
                                                  Id::Parse(record["id"].get<std::string>()).value()));
                  if (!rows.empty()) attempt = rows.back();
                  return OkStatus();
                })
                .ok());
    std::this_thread::yield();
  }
  const std::string own = WebhookUrlOf("", kWorksSecret, "openrouter", attempt.id);
  const std::string bare = own.substr(0, own.find('?'));
  const std::string stranger = WebhookUrlOf("", kWorksSecret, "openrouter", f.works.ids.Next());
  const std::string moved = WebhookUrlOf("", kWorksSecret, "openai", attempt.id);
  const std::string open = "/v1/webhooks/openrouter";
  const std::string known = R"({"type":"x","data":{"id":")" + attempt.remote_id + "\"}}";
  const std::string large(Pipeline::kMaxWebhookBytes + 1, ' ');

  struct Row {
    const char* why;
    std::string target;
    HeaderList headers;
    std::string body;
    int status;
  };
  const Row rows[] = {
      {"signed, at the attempt's own URL", own, Signed(kBody), kBody, 204},
      {"the same again", own, Signed(kBody), kBody, 204},
      {"what is added to the URL changes nothing", own + "&x=1", Signed(kBody), kBody, 204},
      {"without the MAC", bare, Signed(kBody), kBody, 401},
      {"with another MAC", bare + "?s=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Signed(kBody), kBody, 401},
      {"the MAC twice", own + "&s=x", Signed(kBody), kBody, 400},
      {"without a signature", own, {}, kBody, 401},
      {"signed by another key", own, Signed(kBody, 0, "another"), kBody, 401},
      {"of an hour ago", own, Signed(kBody, 3600), kBody, 401},
      {"of another body", own, Signed("{}"), kBody, 401},
      {"a body that is no JSON", own, Signed("{"), "{", 400},
      {"a body that is none of the provider's", own, Signed("[1]"), "[1]", 400},
      {"an attempt that is not here", stranger, Signed(kBody), kBody, 404},
      {"an attempt of another provider's", moved, {}, kBody, 401},
      {"no id", open + "/7?s=x", Signed(kBody), kBody, 404},
      {"a provider that is not configured", "/v1/webhooks/nobody", {}, kBody, 404},
      {"a provider that sends none", "/v1/webhooks/sketch", {}, kBody, 404},
      {"found by its remote id", open, Signed(known), known, 204},
      {"a remote id that is not here", open, Signed(kBody), kBody, 404},
      {"an event about nothing of ours", open, Signed(R"({"type":"x"})"), R"({"type":"x"})", 204},
      {"nobody's word alone", open, {}, known, 401},
      {"more than is taken", own, Signed(large), large, 413},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    CHECK(f.Post(row.target, row.headers, row.body) == row.status);
  }
  CHECK(f.Ask("GET", own, {}, "").status == 405);
}

TEST_CASE("keys that cannot be had are asked for again later, not taken for a wrong signature") {
  Fixture f("http://127.0.0.1:9");  // nobody listens there
  for (const char* provider : {"fal", "replicate"}) {
    CAPTURE(provider);
    const std::string own = WebhookUrlOf("", kWorksSecret, provider, f.works.ids.Next());
    for (int i = 0; i < 2; ++i) {
      const Response response = f.Ask("POST", own, {}, "{}");
      CHECK(response.status == 503);
      CHECK(HeaderOf(response, "Retry-After") != "");
    }
  }
}
