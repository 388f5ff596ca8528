// The adapter over the HTTP client against the simulator: what one half builds the other understands.
#include <doctest/doctest.h>

#include "base/clock.h"
#include "codec/image.h"
#include "provider/provider.h"
#include "support/temp_dir.h"
#include "support/wire_client.h"

namespace mediagen {
namespace {

using testing::Simulator;

struct Client : testing::WireClient {
  explicit Client(const Simulator& simulator, std::string key = "key")
      : WireClient(simulator, {.name = "replicate"}, "/v1", std::move(key)) {}
  // All pages.
  ReconcileAnswer Reconcile(const PartRequest& part) {
    const int64_t now = SystemClock()->WallMs();
    ReconcileAnswer all, page;
    do {
      page = adapter->ParseReconcile(
          http.Call(adapter->BuildReconcile(part, now - 60'000, now + 60'000, page.next_url).value()), part);
      all.found.insert(all.found.end(), page.found.begin(), page.found.end());
    } while (page.kind == ReconcileAnswer::kMore);
    all.kind = !all.found.empty() ? ReconcileAnswer::kFound : page.kind;
    all.failure = page.failure;
    return all;
  }
};

PartRequest Part(const char* prompt, Json fault = Json::object()) {
  PartRequest part;
  part.model = "black-forest-labs/flux-schnell";
  part.prompt = prompt;
  part.size = "96x64";
  if (!fault.empty()) part.options["simulate"] = std::move(fault);
  return part;
}

TEST_CASE("a prediction goes from submit through progress to pictures") {
  Simulator simulator;
  Client client(simulator);
  PartRequest part = Part("a red fox", {{"workMs", 400}});
  part.n = 2;
  part.seed = 7;
  SubmitAnswer submitted = client.Submit(part);
  REQUIRE(submitted.kind == SubmitAnswer::kSubmitted);
  CHECK(submitted.remote.status_url ==
        fmt::format("{}/predictions/{}", simulator.base_url(), submitted.remote.id));
  CHECK(submitted.result.kind == PollAnswer::kPending);
  int fractions = 0;
  PollAnswer result = client.Wait(submitted.remote, &fractions);
  CHECK(result.kind == PollAnswer::kSucceeded);
  CHECK(result.seed == 7);
  CHECK(fractions > 1);
  REQUIRE(result.outputs.size() == 2);
  for (const RemoteOutput& output : result.outputs) {
    HttpResponse picture = client.Download(output);
    REQUIRE(picture.transport.ok());
    StatusOr<ImageInfo> info = Probe(picture.body);
    REQUIRE(info.ok());
    CHECK(info->format == Format::kPng);
    CHECK(info->width == 96);
    CHECK(info->height == 64);
  }
  CHECK(client.Download(result.outputs[0]).body != client.Download(result.outputs[1]).body);
}

TEST_CASE("all three ways to create are taken, and each reports its model") {
  Simulator simulator;
  Client client(simulator);
  for (const std::string& model : {std::string("o/n"), "o/n:" + std::string(64, 'a'), std::string(64, 'b'),
                                   std::string("deployments/o/n")}) {
    CAPTURE(model);
    PartRequest part = Part("one of three");
    part.model = model;
    SubmitAnswer answer = client.Submit(part);
    REQUIRE(answer.kind == SubmitAnswer::kSubmitted);
    ReconcileAnswer found = client.Reconcile(part);
    REQUIRE(found.found.size() >= 1);
    CHECK(found.found[0].id == answer.remote.id);
  }
}

TEST_CASE("each kind of refusal and loss is told apart, and the journal agrees") {
  struct Row {
    Json fault;
    SubmitAnswer::Kind kind;
    bool accepted, rejected;
    const char* answer;
  };
  const Row rows[] = {
      {Json::object(), SubmitAnswer::kSubmitted, true, false, "201"},
      {{{"drop", "after-read"}}, SubmitAnswer::kUnknown, true, false, "drop"},
      {{{"drop", "before-accept"}}, SubmitAnswer::kUnknown, false, false, "drop"},
      {{{"truncate", 5}}, SubmitAnswer::kUnknown, true, false, "truncated"},
      {{{"truncateChunked", 5}}, SubmitAnswer::kUnknown, true, false, "truncated"},
      {{{"status", 422}}, SubmitAnswer::kRejected, false, true, "422"},
      {{{"status", 402}}, SubmitAnswer::kRejected, false, true, "402"},
      {{{"status", 500}}, SubmitAnswer::kUnknown, false, false, "500"},
      {{{"status", 502}, {"html", true}, {"accept", true}}, SubmitAnswer::kUnknown, true, false, "502"},
      {{{"delayMs", 50}}, SubmitAnswer::kSubmitted, true, false, "201"},
  };
  Simulator simulator;
  Client client(simulator);
  size_t seen = 0;
  for (const Row& row : rows) {
    CAPTURE(row.fault.dump());
    CHECK(client.Submit(Part("x", row.fault)).kind == row.kind);
    const std::vector<Json> journal = simulator.Journal();
    REQUIRE(journal.size() == ++seen);  // one POST each, never a second
    const Json& line = journal.back();
    CHECK(line["accepted"] == row.accepted);
    CHECK(line["definitelyRejected"] == row.rejected);
    CHECK(line["answer"] == row.answer);
    CHECK(line["headers"]["idempotency-key"] == Id{}.text());
    CHECK(line["headers"]["prefer"] == "");
    CHECK(line["input"]["prompt"] == "x");
    CHECK(line["id"].is_string() == row.accepted);
  }
}

TEST_CASE("a submit whose answer was truncated is found again") {
  Simulator simulator;
  Client client(simulator);
  PartRequest part = Part("half an answer", {{"truncate", true}});
  // The simulator writes members in the order of their names, so half an answer names no id that counts.
  SubmitAnswer answer = client.Submit(part);
  CHECK(answer.kind == SubmitAnswer::kUnknown);
  ReconcileAnswer found = client.Reconcile(part);
  REQUIRE(found.found.size() == 1);
  CHECK(client.Wait(found.found[0]).kind == PollAnswer::kSucceeded);
}

TEST_CASE("a throttled request comes through after its pause, with every form of hint") {
  Simulator simulator;
  Client client(simulator);
  for (const char* as : {"header", "date", "text", "none"}) {
    CAPTURE(as);
    PartRequest part = Part(as, {{"status", 429}, {"retryAfter", 2}, {"retryAs", as}, {"times", 2}});
    for (int i = 0; i < 2; ++i) {
      SubmitAnswer answer = client.Submit(part);
      CHECK(answer.kind == SubmitAnswer::kRejected);
      CHECK(answer.failure.error_class == ErrorClass::kRateLimited);
      CHECK(answer.failure.retry_after_ms == (std::string_view(as) == "none" ? -1 : 2000));
    }
    CHECK(client.Submit(part).kind == SubmitAnswer::kSubmitted);
  }
}

TEST_CASE("faults can be queued for requests to come") {
  Simulator simulator;
  Client client(simulator);
  simulator.Next({{"status", 503}}, 2);
  CHECK(client.Submit(Part("a")).kind == SubmitAnswer::kUnknown);
  CHECK(client.Submit(Part("b")).kind == SubmitAnswer::kUnknown);
  CHECK(client.Submit(Part("c")).kind == SubmitAnswer::kSubmitted);
}

TEST_CASE("a bad key, an empty purse and a missing model are refused") {
  Simulator simulator;
  CHECK(Client(simulator, "bad").Submit(Part("x")).failure.error_class == ErrorClass::kAuth);
  CHECK(Client(simulator, "broke").Submit(Part("x")).failure.error_class == ErrorClass::kBilling);
  PartRequest part = Part("x");
  part.model = "o/missing";
  CHECK(Client(simulator).Submit(part).failure.error_class == ErrorClass::kNotFound);
  for (const Json& line : simulator.Journal()) CHECK(line["definitelyRejected"] == true);
}

TEST_CASE("predictions end badly in every way that Replicate's do") {
  struct Row {
    Json fault;
    ErrorClass error_class;
    bool charged;
  };
  Simulator simulator;
  Client client(simulator);
  for (const Row& row : {Row{{{"fail", "NSFW content detected"}}, ErrorClass::kSafety, true},
                         Row{{{"fail", "index out of range"}}, ErrorClass::kServer, true},
                         Row{{{"aborted", true}}, ErrorClass::kTimeout, false},
                         Row{{{"output", "text"}}, ErrorClass::kServer, true},
                         Row{{{"output", "none"}}, ErrorClass::kServer, true},
                         Row{{{"dataRemoved", true}}, ErrorClass::kExpired, true}}) {
    CAPTURE(row.fault.dump());
    PollAnswer answer = client.Wait(client.Submit(Part("x", row.fault)).remote);
    CHECK(answer.kind == PollAnswer::kFailed);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.charged == row.charged);
  }
}

TEST_CASE("predictions end well in every shape, through unknown states, missing fields and failing polls") {
  Simulator simulator;
  Client client(simulator);
  for (const Json& fault :
       {Json{{"output", "string"}}, Json{{"output", "object"}}, Json{{"output", "nested"}},
        Json{{"output", "data"}}, Json{{"unknownState", true}}, Json{{"nullFields", true}},
        Json{{"pollStatus", 503}, {"pollTimes", 3}}}) {
    CAPTURE(fault.dump());
    PollAnswer answer = client.Wait(client.Submit(Part("x", fault)).remote);
    CHECK(answer.kind == PollAnswer::kSucceeded);
    REQUIRE(answer.outputs.size() == 1);
    const std::string bytes = answer.outputs[0].url.empty() ? std::string(answer.outputs[0].bytes.view())
                                                            : client.Download(answer.outputs[0]).body;
    CHECK(Sniff(bytes) == Format::kPng);
  }
}

TEST_CASE("a cancel reaches the prediction") {
  Simulator simulator;
  Client client(simulator);
  SubmitAnswer submitted = client.Submit(Part("x", {{"hang", true}, {"workMs", 1}}));
  while (client.Poll(submitted.remote).progress.fraction.value_or(0) == 0) {
  }
  PollAnswer canceled =
      client.adapter->ParsePoll(client.http.Call(client.adapter->BuildCancel(submitted.remote).value()));
  CHECK(canceled.failure.error_class == ErrorClass::kCanceled);
  CHECK(canceled.charged);
  CHECK(client.Poll(submitted.remote).failure.error_class == ErrorClass::kCanceled);
  CHECK(client.Poll({.id = "nosuchprediction"}).failure.error_class == ErrorClass::kNotFound);
}

TEST_CASE("a download that is redirected inside is stopped there") {
  Simulator simulator;
  Client client(simulator);
  PollAnswer answer =
      client.Wait(client.Submit(Part("x", {{"outputRedirect", "ftp://169.254.169.254/"}})).remote);
  CHECK_FALSE(client.Download(answer.outputs[0]).transport.ok());
  answer = client.Wait(client.Submit(Part("y", {{"outputStatus", 403}, {"outputTimes", 1}})).remote);
  CHECK(client.Download(answer.outputs[0]).status == 403);
  CHECK(client.Download(answer.outputs[0]).status == 200);
  answer = client.Wait(client.Submit(Part("z", {{"outputTruncate", true}})).remote);
  CHECK(client.Download(answer.outputs[0]).progress == HttpProgress::kSent);
}

TEST_CASE("a lost submit is found again among many, over several pages") {
  Simulator simulator;
  Client client(simulator);
  PartRequest lost = Part("the lost one", {{"drop", "after-read"}});
  CHECK(client.Submit(lost).kind == SubmitAnswer::kUnknown);
  for (int i = 0; i < 120; ++i) (void)client.Submit(Part("noise"));
  ReconcileAnswer found = client.Reconcile(lost);
  REQUIRE(found.found.size() == 1);
  CHECK(client.Wait(found.found[0]).kind == PollAnswer::kSucceeded);

  PartRequest never = Part("never accepted", {{"drop", "before-accept"}});
  CHECK(client.Submit(never).kind == SubmitAnswer::kUnknown);
  CHECK(client.Reconcile(never).kind == ReconcileAnswer::kNone);
}

TEST_CASE(
    "the journal is on the disk before the answer, and a restarted simulator still knows its predictions") {
  testing::TempDir dir;
  const std::string journal = dir.path() + "/journal", state = dir.path() + "/state";
  Simulator simulator({.journal = journal, .state = state});
  Client client(simulator);
  SubmitAnswer first = client.Submit(Part("before the crash"));
  PartRequest lost = Part("lost in the crash", {{"drop", "after-read"}});
  CHECK(client.Submit(lost).kind == SubmitAnswer::kUnknown);
  simulator.Restart();
  CHECK(client.Wait(first.remote).kind == PollAnswer::kSucceeded);
  CHECK(client.Reconcile(lost).found.size() == 1);
  FILE* file = std::fopen(journal.c_str(), "r");
  REQUIRE(file != nullptr);
  int lines = 0;
  for (int c; (c = std::fgetc(file)) != EOF;) lines += c == '\n' ? 1 : 0;
  std::fclose(file);
  CHECK(lines == 2);
}

}  // namespace
}  // namespace mediagen
