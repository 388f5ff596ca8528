// OpenRouter's adapter over the HTTP client against its simulated wire.
#include <doctest/doctest.h>

#include "codec/image.h"
#include "provider/openrouter_fixture.h"
#include "support/temp_dir.h"
#include "support/wire_client.h"

namespace mediagen {
namespace {

using testing::Fox;
using testing::FoxVideo;
using testing::Simulator;

struct OpenRouterClient : testing::WireClient {
  explicit OpenRouterClient(const Simulator& simulator, std::string key = "key")
      : WireClient(simulator, testing::OpenRouterConfig(), "/openrouter/api/v1", std::move(key)) {}
};

PartRequest SmallFox() {
  PartRequest part = Fox();
  part.size = "96x64";
  return part;
}
PartRequest ChatFox() {
  PartRequest part = Fox();
  part.options["path"] = "chat";
  return part;
}

TEST_CASE("OpenRouter's pictures come with the answer, in the size that was asked for") {
  Simulator simulator;
  OpenRouterClient client(simulator);
  PartRequest part = SmallFox();
  part.n = 3;
  part.seed = 7;
  for (const Json& fault : {Json::object(), Json{{"nullFields", true}}}) {
    SubmitAnswer answer = client.Submit(part, fault);
    REQUIRE(answer.kind == SubmitAnswer::kReceived);
    REQUIRE(answer.result.outputs.size() == 3);
    for (const RemoteOutput& output : answer.result.outputs) {
      StatusOr<ImageInfo> info = Probe(output.bytes.view());
      REQUIRE(info.ok());
      CHECK(info->format == Format::kPng);
      CHECK(info->width == 96);
      CHECK(info->height == 64);
    }
  }
  CHECK(client.Submit(part).result.cost_micros == 120'000);
  const std::vector<Json> journal = simulator.Journal();
  REQUIRE(journal.size() == 3);
  CHECK(journal[0]["provider"] == "openrouter");
  CHECK(journal[0]["path"] == "/openrouter/api/v1/images");
  CHECK(journal[0]["input"]["prompt"] == "a fox");
  CHECK(journal[0]["input"]["n"] == 3);
  CHECK(journal[0]["headers"]["idempotency-key"] == Id{}.text());
}

TEST_CASE("OpenRouter's chats make pictures in their answers or behind URLs, or only words") {
  Simulator simulator;
  OpenRouterClient client(simulator);
  PartRequest part = ChatFox();
  part.references = {{.url = "https://h/1.png"}};
  SubmitAnswer inlined = client.Submit(part);
  CHECK(inlined.kind == SubmitAnswer::kReceived);
  REQUIRE(inlined.result.outputs.size() == 1);
  CHECK(Sniff(inlined.result.outputs[0].bytes.view()) == Format::kPng);
  SubmitAnswer linked = client.Submit(ChatFox(), {{"output", "url"}});
  REQUIRE(linked.result.outputs.size() == 1);
  CHECK(Sniff(client.Download(linked.result.outputs[0]).body) == Format::kPng);
  for (const char* output : {"text", "none"})
    CHECK(client.Submit(ChatFox(), {{"output", output}}).result.kind == PollAnswer::kFailed);
  CHECK(simulator.Journal()[0]["path"] == "/openrouter/api/v1/chat/completions");
  CHECK(simulator.Journal()[0]["input"].contains("path") == false);
}

TEST_CASE("an OpenRouter video goes from submit through polls to its content, which needs the key") {
  Simulator simulator;
  OpenRouterClient client(simulator);
  for (const Json& fault : {Json::object(), Json{{"pollingUrl", "absolute"}}, Json{{"output", "none"}},
                            Json{{"unknownState", true}}, Json{{"pollStatus", 503}, {"pollTimes", 3}}}) {
    CAPTURE(fault.dump());
    SubmitAnswer submitted = client.Submit(FoxVideo(), fault);
    REQUIRE(submitted.kind == SubmitAnswer::kSubmitted);
    CHECK(submitted.remote.status_url ==
          simulator.url() + "/openrouter/api/v1/videos/" + submitted.remote.id);
    PollAnswer done = client.Wait(submitted.remote);
    REQUIRE(done.kind == PollAnswer::kSucceeded);
    CHECK(done.cost_micros == 250'000);
    REQUIRE(done.outputs.size() == 1);
    CHECK(Sniff(client.Download(done.outputs[0]).body) == Format::kMp4);
    RemoteOutput without = done.outputs[0];
    without.needs_credentials = false;
    CHECK(client.Download(without).status == 401);
  }
}

TEST_CASE("OpenRouter's jobs end badly in every state that its do") {
  struct Row {
    Json fault;
    ErrorClass error_class;
  };
  Simulator simulator;
  OpenRouterClient client(simulator);
  for (const Row& row :
       {Row{{{"fail", "content_policy_violation"}}, ErrorClass::kSafety},
        Row{{{"fail", "out of memory"}}, ErrorClass::kServer}, Row{{{"aborted", true}}, ErrorClass::kExpired},
        Row{{{"end", "cancelled"}}, ErrorClass::kCanceled}, Row{{{"end", "expired"}}, ErrorClass::kExpired},
        Row{{{"end", "dead"}}, ErrorClass::kServer}}) {
    CAPTURE(row.fault.dump());
    PollAnswer answer = client.Wait(client.Submit(FoxVideo(), row.fault).remote);
    CHECK(answer.kind == PollAnswer::kFailed);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.charged);
  }
  CHECK(client.Poll({.id = "nosuchjob"}).failure.error_class == ErrorClass::kNotFound);
}

TEST_CASE("each kind of refusal and loss on OpenRouter's paths is told apart, and the journal agrees") {
  struct Row {
    PartRequest part;
    Json fault;
    SubmitAnswer::Kind kind;
    bool accepted, rejected;
  };
  using Answer = SubmitAnswer;
  const Row rows[] = {
      {SmallFox(), {{"drop", "after-read"}}, Answer::kUnknown, true, false},
      {SmallFox(), {{"drop", "before-accept"}}, Answer::kUnknown, false, false},
      {SmallFox(), {{"truncate", true}}, Answer::kUnknown, true, false},
      {SmallFox(), {{"truncateChunked", 9}}, Answer::kUnknown, true, false},
      {SmallFox(), {{"status", 400}}, Answer::kRejected, false, true},
      {SmallFox(), {{"status", 500}}, Answer::kUnknown, false, false},
      {SmallFox(),
       {{"status", 502}},
       Answer::kRejected,
       false,
       false},  // by OpenRouter's word, not by the status
      {SmallFox(), {{"status", 502}, {"html", true}, {"accept", true}}, Answer::kUnknown, true, false},
      {ChatFox(), {{"status", 502}}, Answer::kUnknown, false, false},
      {ChatFox(), {{"truncate", 40}}, Answer::kUnknown, true, false},
      {FoxVideo(), {{"status", 502}}, Answer::kUnknown, false, false},
      {FoxVideo(), {{"drop", "after-read"}}, Answer::kUnknown, true, false},
      {FoxVideo(), {{"truncate", 5}}, Answer::kUnknown, true, false},
      {FoxVideo(), {{"truncate", 60}}, Answer::kSubmitted, true, false},  // the id came whole
      {FoxVideo(), {{"truncateChunked", 60}}, Answer::kSubmitted, true, false},
      {SmallFox(), {{"error200", {{"code", 429}, {"message", "x"}}}}, Answer::kReceived, true, false},
  };
  Simulator simulator;
  OpenRouterClient client(simulator);
  size_t seen = 0;
  for (const Row& row : rows) {
    CAPTURE(row.fault.dump());
    SubmitAnswer answer = client.Submit(row.part, row.fault);
    CHECK(answer.kind == row.kind);
    if (answer.kind == SubmitAnswer::kSubmitted)
      CHECK(client.Wait(answer.remote).kind == PollAnswer::kSucceeded);
    const std::vector<Json> journal = simulator.Journal();
    REQUIRE(journal.size() == ++seen);  // one POST each, never a second
    CHECK(journal.back()["accepted"] == row.accepted);
    CHECK(journal.back()["definitelyRejected"] == row.rejected);
  }
}

TEST_CASE("OpenRouter's partial and empty results, and errors in a 200") {
  Simulator simulator;
  OpenRouterClient client(simulator);
  PartRequest part = SmallFox();
  part.n = 3;
  CHECK(client.Submit(part, {{"pictures", 2}}).result.outputs.size() == 2);
  PollAnswer without_svg = client.Submit(part, {{"svg", 1}}).result;
  CHECK(without_svg.outputs.size() == 2);
  CHECK(without_svg.failure.message.find("SVG") != std::string::npos);
  part.n = 1;
  CHECK(client.Submit(part, {{"svg", 0}}).result.kind == PollAnswer::kFailed);
  CHECK(client.Submit(part, {{"pictures", 0}}).result.kind == PollAnswer::kFailed);
  const Json error = {{"code", 500}, {"message", "half way"}};
  CHECK(client.Submit(ChatFox(), {{"error200", error}, {"cost", 0.02}}).result.cost_micros == 20'000);
  CHECK(client.Submit(ChatFox(), {{"error200", error}, {"cost", 0.02}}).result.charged);
  CHECK_FALSE(client.Submit(ChatFox(), {{"error200", error}, {"cost", 0}}).result.charged);
}

TEST_CASE("OpenRouter's throttling, keys, credit and models are refused with their classes and hints") {
  Simulator simulator;
  OpenRouterClient client(simulator);
  for (const char* as : {"header", "date", "text", "availability", "none"}) {
    CAPTURE(as);
    PartRequest part = SmallFox();
    part.prompt = as;
    const Json fault = {{"status", 429}, {"retryAfter", 2}, {"retryAs", as}, {"times", 1}};
    SubmitAnswer answer = client.Submit(part, fault);
    CHECK(answer.kind == SubmitAnswer::kRejected);
    CHECK(answer.failure.error_class == ErrorClass::kRateLimited);
    CHECK(answer.failure.retry_after_ms == (std::string_view(as) == "none" ? -1 : 2000));
    CHECK(client.Submit(part, fault).kind == SubmitAnswer::kReceived);
  }
  CHECK(client.Submit(SmallFox(), {{"status", 400}, {"errorType", "refusal"}}).failure.error_class ==
        ErrorClass::kSafety);
  CHECK_FALSE(client.Submit(SmallFox(), {{"status", 429}, {"availability", {{"retryable", false}}}})
                  .failure.retryable);
  CHECK(OpenRouterClient(simulator, "bad").Submit(SmallFox()).failure.error_class == ErrorClass::kAuth);
  CHECK(OpenRouterClient(simulator, "broke").Submit(FoxVideo()).failure.error_class == ErrorClass::kBilling);
  CHECK(client.Submit(Fox("image", "o/missing")).failure.error_class == ErrorClass::kNotFound);
  simulator.Next({{"status", 503}});
  CHECK(client.Submit(SmallFox()).kind == SubmitAnswer::kUnknown);
  CHECK(client.Submit(SmallFox()).kind == SubmitAnswer::kReceived);
}

TEST_CASE("OpenRouter's content that cannot be had is told by its download") {
  Simulator simulator;
  OpenRouterClient client(simulator);
  auto output_of = [&](const Json& fault) {
    return client.Wait(client.Submit(FoxVideo(), fault).remote).outputs[0];
  };
  CHECK_FALSE(client.Download(output_of({{"outputRedirect", "ftp://169.254.169.254/"}})).transport.ok());
  RemoteOutput once = output_of({{"outputStatus", 403}, {"outputTimes", 1}});
  CHECK(client.Download(once).status == 403);
  CHECK(client.Download(once).status == 200);
  CHECK(client.Download(output_of({{"outputTruncate", true}})).progress == HttpProgress::kSent);
}

TEST_CASE("a restarted simulator still knows OpenRouter's jobs") {
  testing::TempDir dir;
  Simulator simulator({.state = dir.path() + "/state"});
  OpenRouterClient client(simulator);
  SubmitAnswer submitted = client.Submit(FoxVideo());
  simulator.Restart();
  CHECK(client.Wait(submitted.remote).kind == PollAnswer::kSucceeded);
}

}  // namespace
}  // namespace mediagen
