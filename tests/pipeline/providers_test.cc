// Every provider's wire through the whole pipeline: what is paid, what is kept, what is said.
#include <doctest/doctest.h>

#include <array>

#include "pipeline/works.h"
#include "provider/inline_data.h"
#include "support/loopback_server.h"

using namespace mediagen;
using mediagen::testing::LoopbackServer;
using mediagen::testing::Simulator;
using mediagen::testing::TempDir;
using mediagen::testing::Works;

namespace {

struct Wire {
  const char* provider;
  Json request;  // beside user, provider and prompt
  bool asynchronous;
};

std::vector<Wire> Wires() {
  return {{"replicate", {{"model", "black-forest-labs/flux-schnell"}, {"size", "64x64"}}, true},
          {"fal", {{"model", "fal-ai/flux/dev"}, {"size", "64x64"}}, true},
          {"openrouter", {{"model", "openai/gpt-image-1"}}, false},
          {"openrouter", {{"model", "google/veo-3.1"}, {"kind", "video"}}, true},
          {"gemini", {{"model", "gemini-2.5-flash-image"}}, false},
          {"gemini", {{"model", "veo-3.1-generate-preview"}, {"kind", "video"}}, true},
          {"openai", {{"model", "gpt-image-1"}, {"size", "1024x1024"}}, false},
          {"openai", {{"model", "local-model"}, {"size", "64x64"}}, false}};
}

struct Fixture {
  TempDir dir;
  Simulator simulator;
  Works works{dir.path(), simulator.url()};

  Json Submit(const Wire& wire, const std::string& prompt, Json simulate = Json::object()) {
    Json request = wire.request;
    request["user"] = "u1";
    request["provider"] = wire.provider;
    request["prompt"] = prompt;
    if (!simulate.empty()) request["options"]["simulate"] = std::move(simulate);
    return works.Submit(request);
  }
  Json Run(const Wire& wire, const std::string& prompt, Json simulate = Json::object()) {
    return works.Rest(Submit(wire, prompt, std::move(simulate))["id"]);
  }
  // Requests to the provider that were not definitely rejected; every prompt of a test case is its own.
  int Paid(const std::string& prompt) {
    int paid = 0;
    for (const Json& line : simulator.Journal()) {
      if (line["input"].dump().find(prompt) != std::string::npos && !line.value("definitelyRejected", false))
        ++paid;
    }
    return paid;
  }
};

}  // namespace

TEST_CASE("every wire goes from submit to stored bytes, and is paid once") {
  Fixture f;
  int number = 0;
  for (const Wire& wire : Wires()) {
    CAPTURE(wire.provider);
    CAPTURE(wire.request.dump());
    const std::string prompt = "a red fox " + std::to_string(++number);
    Json record = f.Run(wire, prompt);
    CAPTURE(record.dump());
    REQUIRE(record["status"] == "completed");
    CHECK(record["attempts"] == 1);
    REQUIRE(record["outputs"].size() == 1);
    CHECK(record["outputs"][0]["bytes"] > 0);
    CHECK(f.Paid(prompt) == 1);
  }
}

TEST_CASE("an answer that is lost is never bought again: it rests as unknown, or is found in the list") {
  Fixture f;
  int number = 0;
  for (const Wire& wire : Wires()) {
    CAPTURE(wire.provider);
    CAPTURE(wire.request.dump());
    const std::string prompt = "a lost fox " + std::to_string(++number);
    Json record = f.Run(wire, prompt, {{"drop", "after-read"}});
    CAPTURE(record.dump());
    CHECK(record["status"] == (std::string_view(wire.provider) == "replicate" ? "completed" : "unknown"));
    CHECK(f.Paid(prompt) == 1);
  }
}

TEST_CASE("a definite refusal fails uncharged, or is tried again when it may pass") {
  Fixture f;
  int number = 0;
  for (const Wire& wire : Wires()) {
    CAPTURE(wire.provider);
    CAPTURE(wire.request.dump());
    const std::string refused = "a refused fox " + std::to_string(++number);
    Json record = f.Run(wire, refused, {{"status", 422}});
    CAPTURE(record.dump());
    CHECK(record["status"] == "failed");
    CHECK(record["error"]["charged"] == false);
    CHECK(f.Paid(refused) == 0);

    const std::string busy = "a busy fox " + std::to_string(number);
    record = f.Run(wire, busy, {{"status", 429}, {"retryAfter", 1}, {"times", 1}});
    CAPTURE(record.dump());
    CHECK(record["status"] == "completed");
    CHECK(record["attempts"] == 2);
    CHECK(f.Paid(busy) == 1);
  }
}

TEST_CASE("what a synchronous provider answered is read again from the spool, not asked for again") {
  TempDir dir;
  Simulator simulator;
  std::string id;
  {
    Works works(dir.path(), simulator.url());
    id = works.Submit({{"user", "u1"},
                       {"provider", "openai"},
                       {"model", "local-model"},
                       {"size", "64x64"},
                       {"prompt", "a spooled fox"},
                       {"options", {{"simulate", {{"delayMs", 300}}}}}})["id"];
    // The engine ends while the answer is on its way: the provider has the request, and waits before it
    // answers.
    while (simulator.Journal().empty()) std::this_thread::yield();
  }
  Works works(dir.path(), simulator.url());
  Json record = works.Rest(id);
  CAPTURE(record.dump());
  const std::string status = record["status"];
  CHECK((status == "completed" || status == "unknown"));
  CHECK(simulator.Journal().size() == 1);
}

TEST_CASE(
    "pictures are taken as references: a data URI, a stored output, and a URL that is fetched under the "
    "guard") {
  Fixture f;
  Json fox = f.works.Rest(f.works.Submit("a fox to start from", {}, 1, "sketch")["id"]);
  REQUIRE(fox["status"] == "completed");
  const std::string output = fox["outputs"][0]["id"];
  std::string png;
  REQUIRE(f.works.store
              ->Read([&](const Snapshot& snapshot) -> Status {
                ASSIGN_OR_RETURN(auto row, snapshot.records().FindOutput(Id::Parse(output).value()));
                ASSIGN_OR_RETURN(BufferRef bytes, f.works.blobs->Get(row->blob_key, 1 << 20));
                png = bytes.view();
                return OkStatus();
              })
              .ok());
  LoopbackServer server([&](LoopbackServer::Peer& peer) {
    if (peer.Read())
      peer.Send(testing::HttpAnswer(200, png, "Content-Type: image/png\r\nConnection: close\r\n"));
  });
  const std::string uri = ReferenceUri({.bytes = BufferRef::Own(png), .media_type = "image/png"});
  const Json references[] = {{{"url", uri}}, {{"output", output}}, {{"url", server.url("/fox.png")}}};
  const Wire wires[] = {{"openai", {{"model", "gpt-image-1"}}, false},
                        {"gemini", {{"model", "gemini-2.5-flash-image"}}, false},
                        {"fal", {{"model", "fal-ai/flux/dev/image-to-image"}}, true},
                        {"replicate", {{"model", "black-forest-labs/flux-kontext-pro"}}, true}};
  for (Wire wire : wires) {
    for (const Json& reference : references) {
      CAPTURE(wire.provider);
      CAPTURE(reference.dump().substr(0, 80));
      wire.request["references"] = Json::array({reference});
      Json record = f.Run(wire, "the same fox in snow");
      CAPTURE(record.dump());
      CHECK(record["status"] == "completed");
    }
  }
  // Nobody starts from another's picture.
  Json theirs = {{"user", "u2"},
                 {"provider", "gemini"},
                 {"model", "gemini-2.5-flash-image"},
                 {"prompt", "a thief"},
                 {"references", Json::array({{{"output", output}}})}};
  auto parsed = ParseGenerationRequest(Dump(theirs), std::nullopt, std::nullopt);
  REQUIRE(parsed.ok());
  Code code = Code::kInternal;
  std::mutex mutex;
  std::condition_variable cv;
  bool done = false;
  f.works.pipeline->Submit(*parsed, "", [&](StatusOr<BufferRef> record) {
    std::lock_guard lock(mutex);
    code = CodeOf(record.status());
    done = true;
    cv.notify_all();
  });
  std::unique_lock lock(mutex);
  cv.wait(lock, [&] { return done; });
  CHECK(code == Code::kNotFound);
}

TEST_CASE("a reference that cannot be had fails before anything is paid") {
  Fixture f;
  Json record = f.works.Rest(
      f.works.Submit({{"user", "u1"},
                      {"provider", "openai"},
                      {"model", "gpt-image-1"},
                      {"prompt", "no such start"},
                      {"references", Json::array({{{"url", "http://127.0.0.1:9/none.png"}}})}})["id"]);
  CAPTURE(record.dump());
  CHECK(record["status"] == "failed");
  CHECK(record["error"]["charged"] == false);
  CHECK(f.simulator.Journal().empty());
}

TEST_CASE("what is unknown rests until somebody decides: retry pays anew, abandon takes it for charged") {
  Fixture f;
  const Wire wire{"openai", {{"model", "local-model"}, {"size", "64x64"}}, false};
  auto decide = [&](auto what, const Json& record) {
    return f.works.Wait([&](RecordDone done) {
      (f.works.pipeline.get()->*what)({.all = true, .user = ""}, record["id"].get<std::string>(), "",
                                      std::move(done));
    });
  };
  Json lost = f.Run(wire, "a fox to try again", {{"drop", "after-read"}, {"times", 1}});
  REQUIRE(lost["status"] == "unknown");
  Json again = decide(&Pipeline::Retry, lost);
  CHECK(again["status"] == "processing");
  CHECK(again["error"] == nullptr);
  again = f.works.Rest(lost["id"]);
  CHECK(again["status"] == "completed");
  CHECK(again["attempts"] == 2);
  CHECK(f.Paid("a fox to try again") == 2);  // one, plus one explicit retry

  lost = f.Run(wire, "a fox to give up", {{"drop", "after-read"}});
  REQUIRE(lost["status"] == "unknown");
  Json given_up = decide(&Pipeline::Abandon, lost);
  CHECK(given_up["status"] == "failed");
  CHECK(given_up["error"]["charged"] == true);
  CHECK(f.Paid("a fox to give up") == 1);
}

TEST_CASE("nothing is retried that did not fail, and nothing abandoned that is known") {
  Fixture f;
  const Wire wire{"openai", {{"model", "local-model"}, {"size", "64x64"}}, false};
  Json good = f.Run(wire, "a good fox");
  REQUIRE(good["status"] == "completed");
  auto code = [&](auto what) {
    Code code = Code::kInternal;
    std::mutex mutex;
    std::condition_variable cv;
    bool done = false;
    (f.works.pipeline.get()->*what)({.all = true, .user = ""}, good["id"].get<std::string>(), "",
                                    [&](StatusOr<BufferRef> record) {
                                      std::lock_guard lock(mutex);
                                      code = CodeOf(record.status());
                                      done = true;
                                      cv.notify_all();
                                    });
    std::unique_lock lock(mutex);
    cv.wait(lock, [&] { return done; });
    return code;
  };
  CHECK(code(&Pipeline::Retry) == Code::kConflict);
  CHECK(code(&Pipeline::Abandon) == Code::kConflict);
}

TEST_CASE("an answer that comes after everybody gave it up is kept, and the generation rises again") {
  for (const bool abandoned : {false, true}) {
    CAPTURE(abandoned);
    Fixture f;
    const Wire wire{"openai", {{"model", "local-model"}, {"size", "64x64"}}, false};
    const std::string text = f.Submit(wire, "a late fox", {{"delayMs", 1500}})["id"];
    while (f.works.pipeline->sending() == 0) std::this_thread::yield();
    // Another process took the job, found the intent without an answer, and let it rest.
    const Id id = Id::Parse(text).value();
    Status rested = testing::RestElsewhere(*f.works.store, id, AttemptState::kIntent, AttemptState::kUnknown,
                                           "unknown", GenerationStatus::kUnknown);
    REQUIRE(rested.ok());
    if (abandoned) {
      Json failed = f.works.Wait([&](RecordDone done) {
        f.works.pipeline->Abandon({.all = true, .user = ""}, text, "", std::move(done));
      });
      CHECK(failed["status"] == "failed");
    }
    while (f.works.pipeline->sending() > 0) std::this_thread::yield();
    Json record = f.works.Rest(text);
    CAPTURE(record.dump());
    CHECK(record["status"] == "completed");
    CHECK(f.Paid("a late fox") == 1);
  }
}
