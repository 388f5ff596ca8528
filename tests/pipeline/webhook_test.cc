// Webhooks of every provider, from the simulator over HTTP into the pipeline: who is believed, what is paid,
// and what is found.
#include <doctest/doctest.h>

#include <array>
#include <future>

#include "pipeline/webhook_url.h"
#include "pipeline/works.h"
#include "support/served.h"

using namespace mediagen;
using mediagen::testing::LoopbackServer;
using mediagen::testing::ServedRequest;
using mediagen::testing::Serving;
using mediagen::testing::Simulator;
using mediagen::testing::TempDir;
using mediagen::testing::Works;

namespace {

struct Wire {
  const char* provider;
  Json request;    // beside user, provider and prompt
  bool takes_url;  // else its webhooks go to one URL for all, and are found by their remote id
};

std::vector<Wire> Wires() {
  return {{"replicate", {{"model", "black-forest-labs/flux-schnell"}, {"size", "64x64"}}, true},
          {"fal", {{"model", "fal-ai/flux/dev"}, {"size", "64x64"}}, true},
          {"openrouter", {{"model", "google/veo-3.1"}, {"kind", "video"}}, true},
          {"gemini", {{"model", "veo-3.1-generate-preview"}, {"kind", "video"}}, false},
          {"openai", {{"model", "sora-2"}, {"kind", "video"}}, false}};
}

int StatusOfWebhook(const Status& status) {
  switch (CodeOf(status)) {
    case Code::kOk:
      return 204;
    case Code::kUnauthorized:
      return 401;
    case Code::kNotFound:
      return 404;
    case Code::kInvalid:
      return 400;
    default:
      return 503;
  }
}

// The webhook that stands in a request to /v1/webhooks/….
WebhookCall CallOf(const ServedRequest& request) {
  WebhookCall call;
  std::string_view path = request.target;
  path.remove_prefix(std::min(path.find("webhooks/") + 9, path.size()));
  const size_t question = std::min(path.find('?'), path.size());
  std::string_view query = path.substr(question);
  path = path.substr(0, question);
  call.provider = path.substr(0, path.find('/'));
  if (path.find('/') != std::string_view::npos) call.attempt = path.substr(path.find('/') + 1);
  if (query.starts_with("?s=")) call.mac = query.substr(3);
  for (std::string_view rest = request.headers; rest.find("\r\n") != std::string_view::npos;) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(line.size() + 2);
    const size_t colon = line.find(": ");
    if (colon != std::string_view::npos)
      call.headers.emplace_back(ToLower(line.substr(0, colon)), line.substr(colon + 2));
  }
  call.body = BufferRef::Own(request.body);
  return call;
}

struct Fixture {
  TempDir dir;
  Simulator simulator;
  std::unique_ptr<Works> works;
  LoopbackServer server{Serving([this](const ServedRequest& request) {
    std::promise<int> status;
    works->pipeline->Webhook(CallOf(request),
                             [&](const Status& taken) { status.set_value(StatusOfWebhook(taken)); });
    return status.get_future().get();
  })};

  explicit Fixture(bool secrets = true) {
    const testing::WebhookSettings webhooks{.public_base_url = server.url(""), .secrets = secrets};
    works = std::make_unique<Works>(dir.path(), simulator.url(), RetryPolicy{}, webhooks);
    for (const char* provider : {"gemini", "openai"})
      simulator.SetWebhook(provider, server.url("/v1/webhooks/") + provider);
  }

  std::string Submit(const Wire& wire, const std::string& prompt, const Json& simulate) {
    Json request = wire.request;
    request["user"] = "u1";
    request["provider"] = wire.provider;
    request["prompt"] = prompt;
    simulator.Next(simulate);
    return works->Submit(request)["id"];
  }
  // The statuses of the first `count` deliveries, once they are there.
  std::vector<int> Deliveries(size_t count) {
    std::vector<int> statuses;
    for (const Json& line : simulator.Webhooks(count)) {
      if (statuses.size() < count) statuses.push_back(line["status"]);
    }
    return statuses;
  }
  // Waits until `count` deliveries were taken; the statuses of the others before them.
  std::vector<int> RefusedBefore(size_t count) {
    std::vector<int> refused;
    for (size_t lines = count;; ++lines) {
      refused.clear();
      size_t taken = 0;
      for (const Json& line : simulator.Webhooks(lines)) {
        if (line["status"] == 204 && ++taken == count) return refused;
        if (line["status"] != 204) refused.push_back(line["status"]);
      }
    }
  }
  int Paid(const std::string& prompt) {
    int paid = 0;
    for (const Json& line : simulator.Journal()) {
      if (line["input"].dump().find(prompt) != std::string::npos && !line.value("definitelyRejected", false))
        ++paid;
    }
    return paid;
  }
  Attempt AttemptOf(const std::string& generation) {
    std::vector<Attempt> attempts;
    REQUIRE(works->store
                ->Read([&](const Snapshot& snapshot) -> Status {
                  ASSIGN_OR_RETURN(attempts, snapshot.records().AttemptsOf(Id::Parse(generation).value()));
                  return OkStatus();
                })
                .ok());
    return attempts.empty() ? Attempt{} : attempts.back();
  }
};

}  // namespace

TEST_CASE("a webhook and its repetitions are taken, and what it tells of is paid once and stored once") {
  for (const Wire& wire : Wires()) {
    CAPTURE(wire.provider);
    Fixture f;
    const std::string id = f.Submit(wire, "a told fox", {{"webhook", {{"times", 3}}}});
    const Json record = f.works->Rest(id);
    CAPTURE(record.dump());
    CHECK(record["status"] == "completed");
    CHECK(record["attempts"] == 1);
    // One that is found by its remote id may come before that was stored.
    for (int refused : f.RefusedBefore(3)) CHECK((refused == 404 && !wire.takes_url));
    CHECK(f.works->Rest(id)["outputs"].size() == 1);
    CHECK(f.Paid("a told fox") == 1);
  }
}

TEST_CASE("a webhook brings the next poll forward") {
  Fixture f;
  // By its own schedule the second poll would come after an hour.
  const std::string id =
      f.Submit(Wires()[0], "a hurried fox",
               {{"workMs", 1500}, {"pollStatus", 503}, {"pollTimes", 1}, {"pollRetryAfter", 3600}});
  CHECK(f.works->Rest(id)["status"] == "completed");
  CHECK(f.Paid("a hurried fox") == 1);
}

TEST_CASE("without a webhook the polls find what was done") {
  for (const Wire& wire : Wires()) {
    CAPTURE(wire.provider);
    Fixture f;
    const std::string id = f.Submit(wire, "an untold fox", {{"webhook", {{"never", true}}}});
    CHECK(f.works->Rest(id)["status"] == "completed");
    CHECK(f.simulator.Webhooks(0).empty());
  }
}

TEST_CASE("a request whose answer was lost is found by its webhook, and goes on to its picture") {
  for (const Wire& wire : Wires()) {
    if (!wire.takes_url) continue;
    CAPTURE(wire.provider);
    Fixture f;
    const std::string id = f.Submit(wire, "a found fox", {{"drop", "after-read"}, {"workMs", 1000}});
    CHECK(f.Deliveries(1) == std::vector<int>{204});
    const Json record = f.works->Rest(id);
    CAPTURE(record.dump());
    CHECK(record["status"] == "completed");
    CHECK(record["error"] == nullptr);
    CHECK(record["attempts"] == 1);
    CHECK(f.Paid("a found fox") == 1);
  }
}

TEST_CASE("where the URL names no attempt, a webhook finds only what has a remote id") {
  for (const Wire& wire : Wires()) {
    if (wire.takes_url) continue;
    CAPTURE(wire.provider);
    Fixture f;
    const std::string id = f.Submit(wire, "a nameless fox", {{"drop", "after-read"}});
    CHECK(f.Deliveries(1) == std::vector<int>{404});
    CHECK(f.works->Rest(id)["status"] == "unknown");
    CHECK(f.Paid("a nameless fox") == 1);
  }
}

TEST_CASE("a webhook that comes before the answer is believed, and the answer finds the work done") {
  for (const Wire& wire : Wires()) {
    if (!wire.takes_url) continue;
    CAPTURE(wire.provider);
    Fixture f;
    const std::string id =
        f.Submit(wire, "an early fox", {{"webhook", {{"early", true}}}, {"delayMs", 1500}});
    CHECK(f.Deliveries(1) == std::vector<int>{204});
    CHECK(f.AttemptOf(id).remote_id != "");
    const Json record = f.works->Rest(id);
    CAPTURE(record.dump());
    CHECK(record["status"] == "completed");
    CHECK(record["attempts"] == 1);
    while (f.works->pipeline->sending() > 0) std::this_thread::yield();
    CHECK(f.works->Rest(id)["status"] == "completed");
    CHECK(f.Paid("an early fox") == 1);
  }
}

TEST_CASE("a wrong or old signature is refused, and polling goes on without it") {
  for (const Wire& wire : Wires()) {
    for (const char* how : {"badSignature", "stale"}) {
      CAPTURE(wire.provider);
      CAPTURE(how);
      Fixture f;
      const std::string id = f.Submit(wire, "a doubted fox", {{"webhook", {{how, true}}}});
      CHECK(f.Deliveries(1) == std::vector<int>{401});
      CHECK(f.works->Rest(id)["status"] == "completed");
    }
  }
}

TEST_CASE("where no key is configured, the URL's own authentication is enough") {
  Fixture f(/*secrets=*/false);
  const Wire wire = Wires()[2];
  const std::string id =
      f.Submit(wire, "an unsigned fox", {{"drop", "after-read"}, {"webhook", {{"unsigned", true}}}});
  CHECK(f.Deliveries(1) == std::vector<int>{204});
  CHECK(f.works->Rest(id)["status"] == "completed");
  CHECK(f.Paid("an unsigned fox") == 1);
}

TEST_CASE("a result that is told of after its request was given up is kept, and the generation rises") {
  Fixture f;
  const Wire wire = Wires()[1];
  const std::string text = f.Submit(wire, "a late fox", {{"workMs", 6000}});
  while (f.AttemptOf(text).state != AttemptState::kSubmitted) std::this_thread::yield();
  // Its deadline passed in another process, which had taken the job.
  Status rested = testing::RestElsewhere(*f.works->store, Id::Parse(text).value(), AttemptState::kSubmitted,
                                         AttemptState::kAbandoned, "failed", GenerationStatus::kFailed);
  REQUIRE(rested.ok());
  CHECK(f.Deliveries(1) == std::vector<int>{204});
  CHECK(f.works->Rest(text)["status"] == "completed");
  CHECK(f.Paid("a late fox") == 1);
}

TEST_CASE("the MAC of a webhook's URL is of the provider, the attempt and a secret") {
  const Id id = Id::Parse("01932c5e-0000-7000-8000-000000000001").value();
  const Id other = Id::Parse("01932c5e-0000-7000-8000-000000000002").value();
  const std::string url = WebhookUrlOf("https://h/api", "new", "fal", id);
  const std::string start = "https://h/api/v1/webhooks/fal/01932c5e-0000-7000-8000-000000000001?s=";
  REQUIRE(url.starts_with(start));
  const std::string mac = url.substr(start.size());
  CHECK(mac.size() == 32);  // 192 bits
  const std::vector<std::string> secrets = {"newer", "new"};
  CHECK(IsWebhookMac(secrets, "fal", id, mac));  // also by the former secret
  CHECK_FALSE(IsWebhookMac(secrets, "fal", other, mac));
  CHECK_FALSE(IsWebhookMac(secrets, "replicate", id, mac));
  CHECK_FALSE(IsWebhookMac(std::vector<std::string>{"newer"}, "fal", id, mac));
  CHECK_FALSE(IsWebhookMac({}, "fal", id, mac));
  CHECK_FALSE(IsWebhookMac(secrets, "fal", id, ""));
  CHECK_FALSE(IsWebhookMac(secrets, "fal", id, mac.substr(0, 22)));
}
