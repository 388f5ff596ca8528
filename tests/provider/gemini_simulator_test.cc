// Gemini's adapter over the HTTP client against the simulator: what one half builds the other understands.
#include <doctest/doctest.h>

#include "codec/image.h"
#include "provider/gemini_client.h"

namespace mediagen {
namespace {

using namespace testing::gemini;  // NOLINT(google-build-using-namespace)
using testing::Simulator;

// As small as the simulator draws them.
PartRequest Strip() {
  PartRequest part = FoxPicture();
  part.aspect_ratio = "16:1";
  return part;
}

PartRequest With(PartRequest part, Json fault) {
  part.options["simulate"] = std::move(fault);
  return part;
}

TEST_CASE("Gemini simulated: a picture comes with the answer, and again from what was stored of it") {
  Simulator simulator;
  GeminiClient client(simulator);
  PartRequest part = FoxPicture();
  part.seed = 7;
  part.aspect_ratio = "2:1";
  part.references = {Zeros()};
  HttpResponse response = client.http.Call(client.adapter->BuildSubmit(part, Id{}, "").value());
  for (HttpResponse& one :
       std::vector<HttpResponse>{response, testing::Answer(response.status, response.body)}) {
    SubmitAnswer answer = client.adapter->ParseSubmit(one);
    REQUIRE(answer.kind == SubmitAnswer::kReceived);
    REQUIRE(answer.result.outputs.size() == 1);
    StatusOr<ImageInfo> info = Probe(answer.result.outputs[0].bytes.view());
    REQUIRE(info.ok());
    CHECK(info->width == 512);
    CHECK(info->height == 256);
  }
  const std::vector<Json> journal = simulator.Journal();
  REQUIRE(journal.size() == 1);
  CHECK(journal[0]["provider"] == "gemini");
  CHECK(journal[0]["accepted"] == true);
}

TEST_CASE("Gemini simulated: a video and an interaction go from submit to what is downloaded with the key") {
  Simulator simulator;
  GeminiClient client(simulator);
  for (const PartRequest& part : {FoxVideo(), FoxOmni("video"), FoxOmni("image")}) {
    CAPTURE(part.model);
    SubmitAnswer submitted = client.Submit(With(part, {{"workMs", 100}}));
    REQUIRE(submitted.kind == SubmitAnswer::kSubmitted);
    CHECK(submitted.result.kind == PollAnswer::kPending);
    PollAnswer result = client.Wait(submitted.remote);
    REQUIRE(result.kind == PollAnswer::kSucceeded);
    REQUIRE(result.outputs.size() == 1);
    HttpResponse file = client.Download(result.outputs[0]);
    CHECK(Sniff(file.body) == (part.kind == "image" ? Format::kPng : Format::kMp4));
    RemoteOutput keyless = result.outputs[0];
    keyless.needs_credentials = false;
    CHECK(client.Download(keyless).status == 401);
  }
}

TEST_CASE("Gemini simulated: each kind of refusal and loss is told apart, and the journal agrees") {
  struct Row {
    Json fault;
    SubmitAnswer::Kind picture, video;
    bool accepted, rejected;
  };
  const auto kUnknown = SubmitAnswer::kUnknown, kRejected = SubmitAnswer::kRejected,
             kReceived = SubmitAnswer::kReceived, kSubmitted = SubmitAnswer::kSubmitted;
  const Row rows[] = {
      {Json::object(), kReceived, kSubmitted, true, false},
      {{{"drop", "after-read"}}, kUnknown, kUnknown, true, false},
      {{{"drop", "before-accept"}}, kUnknown, kUnknown, false, false},
      {{{"truncate", 20}}, kUnknown, kUnknown, true, false},
      {{{"truncateChunked", 20}}, kUnknown, kUnknown, true, false},
      {{{"truncate", 100'000'000}}, kUnknown, kSubmitted, true, false},  // all but the last byte
      {{{"status", 400}}, kRejected, kRejected, false, true},
      {{{"status", 403}}, kRejected, kRejected, false, true},
      {{{"status", 500}}, kUnknown, kUnknown, false, false},
      {{{"status", 503}, {"accept", true}}, kUnknown, kUnknown, true, false},
      {{{"status", 502}, {"html", true}, {"accept", true}}, kUnknown, kUnknown, true, false},
  };
  Simulator simulator;
  GeminiClient client(simulator);
  size_t seen = 0;
  for (const Row& row : rows) {
    CAPTURE(row.fault.dump());
    for (bool video : {false, true}) {
      CHECK(client.Submit(With(video ? FoxVideo() : Strip(), row.fault)).kind ==
            (video ? row.video : row.picture));
      const std::vector<Json> journal = simulator.Journal();
      REQUIRE(journal.size() == ++seen);  // one POST each, never a second
      CHECK(journal.back()["accepted"] == row.accepted);
      CHECK(journal.back()["definitelyRejected"] == row.rejected);
      CHECK(journal.back()["headers"]["idempotency-key"] == Id{}.text());
    }
  }
}

TEST_CASE("Gemini simulated: a bad key, an empty purse and a missing model are refused") {
  Simulator simulator;
  CHECK(GeminiClient(simulator, "bad").Submit(Strip()).failure.error_class == ErrorClass::kAuth);
  CHECK(GeminiClient(simulator, "broke").Submit(FoxVideo()).failure.error_class == ErrorClass::kBilling);
  CHECK(GeminiClient(simulator).Submit(Fox("gemini-omni-missing", "video")).failure.error_class ==
        ErrorClass::kNotFound);
  for (const Json& line : simulator.Journal()) CHECK(line["definitelyRejected"] == true);
}

TEST_CASE("Gemini simulated: a throttled request says when to come back, in the body or the header") {
  Simulator simulator;
  GeminiClient client(simulator);
  struct Row {
    Json fault;
    int64_t ms;
    bool retryable;
  };
  for (const Row& row : {Row{{{"status", 429}, {"retryAfter", 2}}, 2250, true},
                         Row{{{"status", 429}, {"retryAfter", 2}, {"retryAs", "header"}}, 2000, true},
                         Row{{{"status", 429}}, -1, true},
                         Row{{{"status", 429}, {"retryAfter", 2}, {"daily", true}}, -1, false}}) {
    CAPTURE(row.fault.dump());
    SubmitAnswer answer = client.Submit(With(Strip(), row.fault));
    CHECK(answer.kind == SubmitAnswer::kRejected);
    CHECK(answer.failure.error_class == ErrorClass::kRateLimited);
    CHECK(answer.failure.retry_after_ms == row.ms);
    CHECK(answer.failure.retryable == row.retryable);
  }
  simulator.Next({{"status", 429}}, 1);
  CHECK(client.Submit(Strip()).kind == SubmitAnswer::kRejected);
  CHECK(client.Submit(Strip()).kind == SubmitAnswer::kReceived);
}

TEST_CASE("Gemini simulated: work ends badly in every way that Gemini's does") {
  struct Row {
    PartRequest part;
    Json fault;
    ErrorClass error_class;
  };
  const Row rows[] = {
      {Strip(), {{"finish", "IMAGE_SAFETY"}}, ErrorClass::kSafety},
      {Strip(), {{"finish", "NO_IMAGE"}}, ErrorClass::kServer},
      {Strip(), {{"block", "PROHIBITED_CONTENT"}}, ErrorClass::kSafety},
      {Strip(), {{"output", "text"}}, ErrorClass::kServer},
      {Strip(), {{"output", "none"}}, ErrorClass::kServer},
      {FoxVideo(), {{"filtered", "No faces."}}, ErrorClass::kSafety},
      {FoxVideo(), {{"fail", "an internal error"}}, ErrorClass::kServer},
      {FoxVideo(), {{"output", "none"}}, ErrorClass::kServer},
      {FoxOmni(), {{"fail", "an internal error"}}, ErrorClass::kServer},
      {FoxOmni(), {{"endState", "incomplete"}}, ErrorClass::kServer},
      {FoxOmni(), {{"endState", "budget_exceeded"}}, ErrorClass::kBilling},
      {FoxOmni(), {{"output", "none"}}, ErrorClass::kServer},
  };
  Simulator simulator;
  GeminiClient client(simulator);
  for (const Row& row : rows) {
    CAPTURE(row.fault.dump());
    SubmitAnswer submitted = client.Submit(With(row.part, row.fault));
    PollAnswer answer =
        submitted.kind == SubmitAnswer::kReceived ? submitted.result : client.Wait(submitted.remote);
    CHECK(answer.kind == PollAnswer::kFailed);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.charged);
  }
}

TEST_CASE("Gemini simulated: unknown states and failing polls are waited through") {
  Simulator simulator;
  GeminiClient client(simulator);
  for (const PartRequest& part : {FoxVideo(), FoxOmni()}) {
    for (const Json& fault : {Json{{"unknownState", true}}, Json{{"pollStatus", 503}, {"pollTimes", 3}}}) {
      CAPTURE(fault.dump());
      CHECK(client.Wait(client.Submit(With(part, fault)).remote).kind == PollAnswer::kSucceeded);
    }
  }
}

TEST_CASE("Gemini simulated: a cancel reaches the interaction; what is not known there is not found") {
  Simulator simulator;
  GeminiClient client(simulator);
  SubmitAnswer submitted = client.Submit(With(FoxOmni(), {{"hang", true}, {"workMs", 1}}));
  PollAnswer canceled =
      client.adapter->ParsePoll(client.http.Call(client.adapter->BuildCancel(submitted.remote).value()));
  CHECK(canceled.failure.error_class == ErrorClass::kCanceled);
  CHECK(client.Poll(submitted.remote).failure.error_class == ErrorClass::kCanceled);
  for (const char* id : {"nosuchinteraction", "models/veo/operations/nosuch"}) {
    PollAnswer gone = client.Poll({.id = id});
    CHECK(gone.kind == PollAnswer::kFailed);
    CHECK(gone.failure.error_class == ErrorClass::kNotFound);
  }
}

TEST_CASE("Gemini simulated: a download that is redirected to a forbidden place is stopped there") {
  Simulator simulator;
  GeminiClient client(simulator);
  PollAnswer answer =
      client.Wait(client.Submit(With(FoxVideo(), {{"outputRedirect", "ftp://169.254.169.254/"}})).remote);
  CHECK_FALSE(client.Download(answer.outputs.at(0)).transport.ok());
  answer = client.Wait(client.Submit(With(FoxVideo(), {{"outputStatus", 403}, {"outputTimes", 1}})).remote);
  CHECK(client.Download(answer.outputs.at(0)).status == 403);
  CHECK(client.Download(answer.outputs.at(0)).status == 200);
  answer = client.Wait(client.Submit(With(FoxVideo(), {{"outputTruncate", true}})).remote);
  CHECK(client.Download(answer.outputs.at(0)).progress == HttpProgress::kSent);
}

TEST_CASE("Gemini simulated: a redirect takes the key along within the origin, and not out of it") {
  Simulator simulator;
  GeminiClient client(simulator);
  const std::string here = client.Wait(client.Submit(FoxVideo()).remote).outputs.at(0).url;
  std::string elsewhere = here;
  elsewhere.replace(elsewhere.find("127.0.0.1"), 9, "localhost");
  for (const std::string& target : {here, elsewhere}) {
    CAPTURE(target);
    PollAnswer answer = client.Wait(client.Submit(With(FoxVideo(), {{"outputRedirect", target}})).remote);
    CHECK(client.Download(answer.outputs.at(0)).status == (target == here ? 200 : 401));
  }
}

}  // namespace
}  // namespace mediagen
