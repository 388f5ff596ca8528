// OpenAI's adapter over the HTTP client against the simulator: what one half builds the other understands.
#include <doctest/doctest.h>

#include "codec/image.h"
#include "provider/openai_fixture.h"
#include "support/wire_client.h"

namespace mediagen {
namespace {

using testing::Picture;
using testing::Simulator;

struct OpenAiClient : testing::WireClient {
  explicit OpenAiClient(const Simulator& simulator, std::string key = "")
      : WireClient(simulator, testing::LocalConfig(), "/openai/v1", std::move(key)) {}
};

PartRequest Part(const char* prompt, Json fault = Json::object(), std::string model = "gpt-image-1") {
  PartRequest part = testing::Fox(std::move(model));
  part.prompt = prompt;
  part.size = "96x64";
  if (!fault.empty()) part.options["simulate"] = std::move(fault);
  return part;
}

PartRequest VideoPart(const char* prompt, Json fault = Json::object()) {
  PartRequest part = Part(prompt, std::move(fault), "sora-2");
  part.kind = "video";
  return part;
}

void CheckPicture(std::string_view bytes) {
  StatusOr<ImageInfo> info = Probe(bytes);
  REQUIRE(info.ok());
  CHECK(info->format == Format::kPng);
  CHECK(info->width == 96);
  CHECK(info->height == 64);
}

TEST_CASE("pictures are made at OpenAI's wire in one answer, and edited by a form") {
  Simulator simulator;
  OpenAiClient client(simulator);
  PartRequest part = Part("a red fox");
  part.n = 3;
  part.seed = 7;
  SubmitAnswer made = client.Submit(part);
  CHECK(made.kind == SubmitAnswer::kReceived);
  REQUIRE(made.result.outputs.size() == 3);
  for (const RemoteOutput& output : made.result.outputs) {
    CheckPicture(output.bytes.view());
    CHECK(output.media_type == "image/png");
  }
  CHECK(made.result.outputs[0].bytes.view() != made.result.outputs[1].bytes.view());
  part.references = {Picture("A"), Picture("BC", "", "image/webp"), Picture("M", "mask")};
  SubmitAnswer edited = client.Submit(part);
  CHECK(edited.kind == SubmitAnswer::kReceived);
  REQUIRE(edited.result.outputs.size() == 3);
  CHECK(edited.result.outputs[0].bytes.view() == made.result.outputs[0].bytes.view());  // the same seed

  const std::vector<Json> journal = simulator.Journal();
  REQUIRE(journal.size() == 2);
  CHECK(journal[0]["path"] == "/openai/v1/images/generations");
  CHECK(journal[0]["headers"]["idempotency-key"] == Id{}.text());
  CHECK(journal[1]["path"] == "/openai/v1/images/edits");
  CHECK(journal[1]["input"]["image[]"].size() == 2);
  CHECK(journal[1]["input"]["image[]"][1] ==
        Json{{"file", "image-2.webp"}, {"type", "image/webp"}, {"bytes", 2}});
  CHECK(journal[1]["input"]["mask"]["bytes"] == 1);
  CHECK(journal[1]["input"]["seed"] == "7");
}

TEST_CASE("pictures come in every form: as URLs, as a stream, with nothing around them, and large") {
  Simulator simulator;
  OpenAiClient client(simulator);
  for (const Json& fault : {Json{{"output", "url"}}, Json{{"output", "sse"}}, Json{{"nullFields", true}},
                            Json{{"padBytes", 3 << 20}}}) {
    CAPTURE(fault.dump());
    SubmitAnswer answer = client.Submit(Part("x", fault));
    CHECK(answer.kind == SubmitAnswer::kReceived);
    REQUIRE(answer.result.outputs.size() == 1);
    const RemoteOutput& output = answer.result.outputs[0];
    CheckPicture(output.url.empty() ? std::string(output.bytes.view()) : client.Download(output).body);
  }
  PartRequest by_url = Part("y", {{"outputStatus", 403}, {"outputTimes", 1}}, "dall-e-3");
  by_url.options["response_format"] = "url";
  SubmitAnswer answer = client.Submit(by_url);
  REQUIRE(answer.result.outputs.size() == 1);
  CHECK(client.Download(answer.result.outputs[0]).status == 403);
  CHECK(client.Download(answer.result.outputs[0]).status == 200);
}

TEST_CASE("each refusal and loss on OpenAI's wire is told apart, and the journal agrees") {
  struct Row {
    Json fault;
    SubmitAnswer::Kind kind;
    bool accepted, rejected;
    const char* answer;
  };
  const Row rows[] = {
      {Json::object(), SubmitAnswer::kReceived, true, false, "200"},
      {{{"output", "none"}}, SubmitAnswer::kReceived, true, false, "200"},
      {{{"output", "error"}, {"code", "insufficient_quota"}}, SubmitAnswer::kReceived, true, false, "200"},
      {{{"drop", "after-read"}}, SubmitAnswer::kUnknown, true, false, "drop"},
      {{{"drop", "before-accept"}}, SubmitAnswer::kUnknown, false, false, "drop"},
      {{{"truncate", true}}, SubmitAnswer::kUnknown, true, false, "truncated"},
      {{{"truncateChunked", 500}}, SubmitAnswer::kUnknown, true, false, "truncated"},
      {{{"status", 400}, {"code", "moderation_blocked"}}, SubmitAnswer::kRejected, false, true, "400"},
      {{{"status", 500}}, SubmitAnswer::kUnknown, false, false, "500"},
      {{{"status", 502}, {"html", true}, {"accept", true}}, SubmitAnswer::kUnknown, true, false, "502"},
      {{{"delayMs", 50}}, SubmitAnswer::kReceived, true, false, "200"},
  };
  Simulator simulator;
  OpenAiClient client(simulator);
  size_t seen = 0;
  for (const Row& row : rows) {
    for (bool edit : {false, true}) {
      CAPTURE(row.fault.dump());
      CAPTURE(edit);
      PartRequest part = Part("x", row.fault);
      if (edit) part.references = {Picture("A")};
      CHECK(client.Submit(part).kind == row.kind);
      const std::vector<Json> journal = simulator.Journal();
      REQUIRE(journal.size() == ++seen);  // one POST each, never a second
      const Json& line = journal.back();
      CHECK(line["accepted"] == row.accepted);
      CHECK(line["definitelyRejected"] == row.rejected);
      CHECK(line["answer"] == row.answer);
      CHECK(line["input"]["prompt"] == "x");
      CHECK(line["id"].is_string() == row.accepted);
    }
  }
  CHECK(client.Submit(Part("x", {{"output", "error"}, {"code", "insufficient_quota"}}))
            .result.failure.error_class == ErrorClass::kBilling);
  CHECK(client.Submit(Part("x", {{"status", 400}, {"code", "moderation_blocked"}})).failure.error_class ==
        ErrorClass::kSafety);
}

TEST_CASE("a request throttled at OpenAI's wire comes through after its pause, with every form of hint") {
  Simulator simulator;
  OpenAiClient client(simulator);
  for (const char* as : {"header", "ms", "date", "text", "none"}) {
    CAPTURE(as);
    PartRequest part = Part(as, {{"status", 429}, {"retryAfter", 2}, {"retryAs", as}, {"times", 1}});
    SubmitAnswer answer = client.Submit(part);
    CHECK(answer.kind == SubmitAnswer::kRejected);
    CHECK(answer.failure.error_class == ErrorClass::kRateLimited);
    CHECK(answer.failure.retry_after_ms == (std::string_view(as) == "none" ? -1 : 2000));
    CHECK(answer.failure.retryable);
    CHECK(client.Submit(part).kind == SubmitAnswer::kReceived);
  }
  CHECK_FALSE(client.Submit(Part("never", {{"status", 429}, {"shouldRetry", "false"}})).failure.retryable);
}

TEST_CASE("a bad key, an empty purse and a missing model are refused at OpenAI's wire") {
  Simulator simulator;
  CHECK(OpenAiClient(simulator, "bad").Submit(Part("x")).failure.error_class == ErrorClass::kAuth);
  const Failure broke = OpenAiClient(simulator, "broke").Submit(Part("x")).failure;
  CHECK(broke.error_class == ErrorClass::kBilling);
  CHECK_FALSE(broke.retryable);
  CHECK(OpenAiClient(simulator).Submit(Part("x", Json::object(), "missing")).failure.error_class ==
        ErrorClass::kNotFound);
  PartRequest formatted = Part("x");
  formatted.options["response_format"] = "b64_json";
  CHECK(OpenAiClient(simulator).Submit(formatted).failure.provider_code == "unknown_parameter");
  for (const Json& line : simulator.Journal()) CHECK(line["definitelyRejected"] == true);
}

TEST_CASE("a video is submitted, polled to its end, and downloaded with the key") {
  Simulator simulator;
  OpenAiClient client(simulator, "key");
  PartRequest part = VideoPart("a fox runs", {{"workMs", 400}, {"pollStatus", 503}, {"pollTimes", 2}});
  part.references = {Picture("F", "firstFrame")};
  SubmitAnswer submitted = client.Submit(part);
  REQUIRE(submitted.kind == SubmitAnswer::kSubmitted);
  CHECK(submitted.result.kind == PollAnswer::kPending);
  CHECK(submitted.result.progress.fraction.has_value());
  CHECK(simulator.Journal().back()["input"]["input_reference"]["bytes"] == 1);
  CHECK(simulator.Journal().back()["id"] == submitted.remote.id);
  PollAnswer done = client.Wait(submitted.remote);
  CHECK(done.kind == PollAnswer::kSucceeded);
  REQUIRE(done.outputs.size() == 1);
  HttpResponse video = client.Download(done.outputs[0]);
  CHECK(video.status == 200);
  CHECK(Sniff(video.body) == Format::kMp4);
  CHECK(OpenAiClient(simulator, "bad").Download(done.outputs[0]).status == 401);  // the content is the key's
}

TEST_CASE("videos end badly, go through unknown states, and can be deleted") {
  Simulator simulator;
  OpenAiClient client(simulator);
  PollAnswer failed = client.Wait(
      client.Submit(VideoPart("x", {{"fail", "blocked"}, {"code", "moderation_blocked"}})).remote);
  CHECK(failed.failure.error_class == ErrorClass::kSafety);
  CHECK(failed.charged);
  CHECK(client.Wait(client.Submit(VideoPart("x", {{"unknownState", true}, {"nullFields", true}})).remote)
            .kind == PollAnswer::kSucceeded);
  // The answer breaks off behind the id, which stands in the middle of it: nothing is certain.
  CHECK(client.Submit(VideoPart("x", {{"truncate", 5}})).kind == SubmitAnswer::kUnknown);

  SubmitAnswer submitted = client.Submit(VideoPart("x", {{"hang", true}}));
  REQUIRE(submitted.kind == SubmitAnswer::kSubmitted);
  PollAnswer deleted =
      client.adapter->ParsePoll(client.http.Call(client.adapter->BuildCancel(submitted.remote).value()));
  CHECK(deleted.failure.error_class == ErrorClass::kCanceled);
  CHECK(client.Poll(submitted.remote).failure.error_class == ErrorClass::kNotFound);
  CHECK(client.Poll({.id = "video_none"}).failure.error_class == ErrorClass::kNotFound);
}

}  // namespace
}  // namespace mediagen
