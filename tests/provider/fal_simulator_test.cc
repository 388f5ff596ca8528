// fal's adapter over the HTTP client against the simulator: what one half builds the other understands.
#include <doctest/doctest.h>

#include "codec/image.h"
#include "provider/fal_fixture.h"
#include "support/wire_client.h"

namespace mediagen {
namespace {

using testing::Simulator;
using testing::fal::Config;

struct FalClient : testing::WireClient {
  explicit FalClient(const Simulator& simulator, std::string key = "key")
      : WireClient(simulator, Config(), "/fal", std::move(key)) {}
};

PartRequest Part(const char* prompt, Json fault = Json::object()) {
  PartRequest part = testing::fal::RedFox("fal-ai/flux/dev");
  part.prompt = prompt;
  part.size = "96x64";
  if (!fault.empty()) part.options["simulate"] = std::move(fault);
  return part;
}

TEST_CASE("fal: a request goes from submit through queue and progress to its result and pictures") {
  Simulator simulator;
  FalClient client(simulator);
  PartRequest part = Part("a red fox", {{"workMs", 400}, {"nsfw", {false, true}}});
  part.n = 2;
  part.seed = 17454220438242315174u;
  SubmitAnswer submitted = client.Submit(part);
  REQUIRE(submitted.kind == SubmitAnswer::kSubmitted);
  CHECK(submitted.remote.result_url ==
        fmt::format("{}/fal/fal-ai/flux/requests/{}", simulator.url(), submitted.remote.id));
  CHECK(submitted.result.kind == PollAnswer::kPending);
  CHECK(client.Result(submitted.remote).kind == PollAnswer::kPending);  // too early
  int fractions = 0;
  PollAnswer result = client.Wait(submitted.remote, &fractions);
  CHECK(result.kind == PollAnswer::kSucceeded);
  CHECK(result.seed == 17454220438242315174u);
  CHECK(fractions > 1);
  REQUIRE(result.outputs.size() == 2);
  CHECK(result.outputs[0].safety == "ok");
  CHECK(result.outputs[1].safety == "flagged");
  for (const RemoteOutput& output : result.outputs) {
    StatusOr<ImageInfo> info = Probe(client.Download(output).body);
    REQUIRE(info.ok());
    CHECK(info->width == 96);
    CHECK(info->height == 64);
  }
}

TEST_CASE("fal: a request whose id alone is known is found by its model") {
  Simulator simulator;
  FalClient client(simulator);
  for (const char* model : {"fal-ai/flux", "fal-ai/flux/dev", "workflows/me/mine/x"}) {
    CAPTURE(model);
    PartRequest part = Part("x", {{"foreignUrls", "https://evil.example"}});
    part.model = model;
    if (model == std::string_view("fal-ai/flux/dev")) part.options["simulate"]["nullFields"] = true;
    SubmitAnswer submitted = client.Submit(part);
    REQUIRE(submitted.kind == SubmitAnswer::kSubmitted);
    CHECK(submitted.remote.status_url.starts_with(simulator.url()));
    CHECK(client.Wait(submitted.remote).kind == PollAnswer::kSucceeded);
    CHECK(client.Wait(client.adapter->HandleFor(part, submitted.remote.id)).kind == PollAnswer::kSucceeded);
  }
}

TEST_CASE("fal: each kind of refusal and loss is told apart, and the journal agrees") {
  struct Row {
    Json fault;
    SubmitAnswer::Kind kind;
    bool accepted, rejected;
    const char* answer;
  };
  const Row rows[] = {
      {Json::object(), SubmitAnswer::kSubmitted, true, false, "200"},
      {{{"drop", "after-read"}}, SubmitAnswer::kUnknown, true, false, "drop"},
      {{{"drop", "before-accept"}}, SubmitAnswer::kUnknown, false, false, "drop"},
      {{{"truncate", 5}}, SubmitAnswer::kUnknown, true, false, "truncated"},
      {{{"truncateChunked", 5}}, SubmitAnswer::kUnknown, true, false, "truncated"},
      {{{"status", 422}}, SubmitAnswer::kRejected, false, true, "422"},
      {{{"status", 500}}, SubmitAnswer::kUnknown, false, false, "500"},
      {{{"status", 503}, {"errorType", "runner_disconnected"}}, SubmitAnswer::kRejected, false, true, "503"},
      {{{"status", 500}, {"errorType", "internal_error"}, {"accept", true}},
       SubmitAnswer::kUnknown,
       true,
       false,
       "500"},
      {{{"status", 502}, {"html", true}, {"accept", true}}, SubmitAnswer::kUnknown, true, false, "502"},
      {{{"delayMs", 20}}, SubmitAnswer::kSubmitted, true, false, "200"},
  };
  Simulator simulator;
  FalClient client(simulator);
  size_t seen = 0;
  for (const Row& row : rows) {
    CAPTURE(row.fault.dump());
    CHECK(client.Submit(Part("x", row.fault)).kind == row.kind);
    const std::vector<Json> journal = simulator.Journal();
    REQUIRE(journal.size() == ++seen);  // one POST each, never a second
    const Json& line = journal.back();
    CHECK(line["provider"] == "fal");
    CHECK(line["accepted"] == row.accepted);
    CHECK(line["definitelyRejected"] == row.rejected);
    CHECK(line["answer"] == row.answer);
    CHECK(line["headers"]["idempotency-key"] == Id{}.text());
    CHECK(line["input"]["prompt"] == "x");
    CHECK(line["id"].is_string() == row.accepted);
  }
}

TEST_CASE("fal: an answer that lost its end behind the id is not lost") {
  Simulator simulator;
  FalClient client(simulator);
  // The members come in the order of their names: as many bytes as reach behind the id.
  const RemoteHandle like = client.Submit(Part("x")).remote;
  const Json front = {{"cancel_url", like.cancel_url},
                      {"gateway_request_id", like.id},
                      {"queue_position", 0},
                      {"request_id", like.id}};
  SubmitAnswer cut = client.Submit(Part("x", {{"truncate", front.dump().size()}}));
  REQUIRE(cut.kind == SubmitAnswer::kSubmitted);
  CHECK(client.Wait(cut.remote).kind == PollAnswer::kSucceeded);
}

TEST_CASE("fal: a throttled request comes through after its pause, with every form of hint") {
  Simulator simulator;
  FalClient client(simulator);
  for (const char* as : {"header", "date", "text", "none"}) {
    CAPTURE(as);
    PartRequest part = Part(as, {{"status", 429}, {"retryAfter", 2}, {"retryAs", as}, {"times", 1}});
    SubmitAnswer answer = client.Submit(part);
    CHECK(answer.kind == SubmitAnswer::kRejected);
    CHECK(answer.failure.error_class == ErrorClass::kRateLimited);
    CHECK(answer.failure.retry_after_ms == (std::string_view(as) == "none" ? -1 : 2000));
    CHECK(client.Submit(part).kind == SubmitAnswer::kSubmitted);
  }
}

TEST_CASE("fal: a bad key, an empty purse and a missing app are refused") {
  Simulator simulator;
  CHECK(FalClient(simulator, "bad").Submit(Part("x")).failure.error_class == ErrorClass::kAuth);
  CHECK(FalClient(simulator, "broke").Submit(Part("x")).failure.error_class == ErrorClass::kBilling);
  PartRequest part = Part("x");
  part.model = "me/missing";
  CHECK(FalClient(simulator).Submit(part).failure.error_class == ErrorClass::kNotFound);
  for (const Json& line : simulator.Journal()) CHECK(line["definitelyRejected"] == true);
}

TEST_CASE("fal: requests end badly in every way that fal's do") {
  struct Row {
    Json fault;
    ErrorClass error_class;
    const char* code;
    bool charged;
  };
  Simulator simulator;
  FalClient client(simulator);
  for (const Row& row :
       {Row{{{"fail", "refused"}, {"failType", "content_policy_violation"}},
            ErrorClass::kSafety,
            "content_policy_violation",
            true},
        Row{{{"fail", "index out of range"}, {"failStatus", 500}}, ErrorClass::kServer, "value_error", false},
        Row{{{"fail", "gone"}, {"errorType", "runner_disconnected"}},
            ErrorClass::kOverloaded,
            "runner_disconnected",
            false},
        Row{{{"aborted", true}}, ErrorClass::kTimeout, "startup_timeout", false},
        Row{{{"output", "none"}}, ErrorClass::kServer, "", true}}) {
    CAPTURE(row.fault.dump());
    PollAnswer answer = client.Wait(client.Submit(Part("x", row.fault)).remote);
    CHECK(answer.kind == PollAnswer::kFailed);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.provider_code == row.code);
    CHECK(answer.charged == row.charged);
  }
}

TEST_CASE(
    "fal: requests end well in every shape, through unknown states, failing polls and failing results") {
  Simulator simulator;
  FalClient client(simulator);
  for (const Json& fault :
       {Json{{"output", "image"}}, Json{{"output", "video"}}, Json{{"unknownState", true}},
        Json{{"nullFields", true}}, Json{{"pollStatus", 503}, {"pollTimes", 3}},
        Json{{"resultStatus", 503}, {"resultTimes", 2}}, Json{{"resultStatus", 429}},
        Json{{"resultEarly", 2}}}) {
    CAPTURE(fault.dump());
    PollAnswer answer = client.Wait(client.Submit(Part("x", fault)).remote);
    CHECK(answer.kind == PollAnswer::kSucceeded);
    REQUIRE(answer.outputs.size() == 1);
    CHECK(Sniff(client.Download(answer.outputs[0]).body) == Format::kPng);
  }
}

TEST_CASE("fal: a cancel is advice; the polls that follow tell the end") {
  Simulator simulator;
  FalClient client(simulator);
  SubmitAnswer submitted = client.Submit(Part("x", {{"hang", true}, {"workMs", 1}}));
  CHECK(client.Cancel(submitted.remote).kind == PollAnswer::kPending);
  CHECK(client.Wait(submitted.remote).failure.error_class == ErrorClass::kCanceled);
  CHECK(client.Cancel(submitted.remote).kind == PollAnswer::kPending);  // complete already

  SubmitAnswer stubborn = client.Submit(Part("y", {{"cancelIgnored", true}, {"workMs", 200}}));
  CHECK(client.Cancel(stubborn.remote).kind == PollAnswer::kPending);
  CHECK(client.Wait(stubborn.remote).kind == PollAnswer::kSucceeded);

  const RemoteHandle nobody = client.adapter->HandleFor(Part("x"), "nosuchrequest");
  CHECK(client.Cancel(nobody).kind == PollAnswer::kTransient);
  CHECK(client.Poll(nobody).failure.error_class == ErrorClass::kNotFound);
}

TEST_CASE("fal: the simulator publishes a webhook key to those who keep theirs") {
  Simulator simulator;
  FalClient client(simulator);
  HttpResponse response = client.http.Call(client.adapter->BuildWebhookKeys().value());
  CHECK(client.adapter->ParseWebhookKeys(response).value().size() == 1);
}

}  // namespace
}  // namespace mediagen
