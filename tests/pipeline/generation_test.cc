// A generation's life over real HTTP, against the simulator: answers, refusals, silence, and what the journal
// says was paid.
#include <doctest/doctest.h>

#include "pipeline/works.h"

using namespace mediagen;
using mediagen::testing::Simulator;
using mediagen::testing::TempDir;
using mediagen::testing::Works;

namespace {

// Requests of this prompt in the journal that were not definitely rejected.
int Paid(Simulator& simulator, const std::string& prompt) {
  int paid = 0;
  for (const Json& line : simulator.Journal()) {
    if (line["input"].value("prompt", "") == prompt && !line.value("definitelyRejected", false)) ++paid;
  }
  return paid;
}

struct Fixture {
  TempDir dir;
  Simulator simulator;
  Works works{dir.path(), simulator.url()};
};

}  // namespace

TEST_CASE("a remote generation is paid once, downloaded, stored, and its events tell its life") {
  Fixture f;
  Json record = f.works.Run("plain", {});
  CHECK(record["status"] == "completed");
  CHECK(record["attempts"] == 1);
  REQUIRE(record["outputs"].size() == 1);
  CHECK(record["outputs"][0]["width"] == 64);
  CHECK(Paid(f.simulator, "plain") == 1);
  std::vector<std::string> types;
  REQUIRE(f.works.store
              ->Read([&](const Snapshot& snapshot) -> Status {
                ASSIGN_OR_RETURN(auto events, snapshot.events().After(0, 100));
                for (const Event& event : events) {
                  if (event.object == record["id"].get<std::string>() && event.type != "generation.progress")
                    types.push_back(event.type);
                }
                return OkStatus();
              })
              .ok());
  CHECK(types ==
        std::vector<std::string>{"generation.created", "generation.processing", "generation.completed"});
}

TEST_CASE("a definite refusal that may pass is tried again, and paid once") {
  Fixture f;
  Json record = f.works.Run("busy", {{"status", 429}, {"retryAfter", 1}, {"times", 1}});
  CHECK(record["status"] == "completed");
  CHECK(record["attempts"] == 2);
  CHECK(Paid(f.simulator, "busy") == 1);
}

TEST_CASE("a definite refusal that will not pass fails, uncharged, with the provider's words") {
  Fixture f;
  Json record = f.works.Run("bad", {{"status", 422}});
  CHECK(record["status"] == "failed");
  CHECK(record["error"]["class"] == "invalid");
  CHECK(record["error"]["charged"] == false);
  CHECK(Paid(f.simulator, "bad") == 0);
}

TEST_CASE("a request whose answer was lost is found in the provider's list and not sent again") {
  Fixture f;
  Json record = f.works.Run("dropped", {{"drop", "after-read"}});
  CHECK(record["status"] == "completed");
  CHECK(Paid(f.simulator, "dropped") == 1);
}

TEST_CASE("a server error after the request is no refusal: the list decides, nothing is sent again") {
  Fixture f;
  Json record = f.works.Run("error", {{"status", 500}});
  const std::string status = record["status"];
  CHECK((status == "completed" || status == "unknown"));
  CHECK(Paid(f.simulator, "error") <= 1);
}

TEST_CASE("a failed prediction fails with its class: NSFW is safety") {
  Fixture f;
  Json record = f.works.Run("nsfw", {{"fail", "NSFW content detected"}});
  CHECK(record["status"] == "failed");
  CHECK(record["error"]["class"] == "safety");
}

TEST_CASE("an output at a private address is not fetched") {
  Fixture f;
  Json record = f.works.Run("ssrf", {{"outputRedirect", "http://169.254.169.254/"}});
  CHECK(record["status"] == "failed");
}

TEST_CASE("more pictures than one request can make are split into parts and all arrive in order") {
  Fixture f;
  Json record = f.works.Run("many", {}, 6);
  CHECK(record["status"] == "completed");
  REQUIRE(record["outputs"].size() == 6);
  for (int i = 0; i < 6; ++i) CHECK(record["outputs"][static_cast<size_t>(i)]["index"] == i);
}

TEST_CASE("a dead provider is tried again and then fails with what was wrong; nothing was paid") {
  TempDir dir;
  Works works(dir.path(), "http://127.0.0.1:9/v1", {.tries = 2, .base_ms = 1, .cap_ms = 5});
  Json record = works.Run("nobody", {});
  CHECK(record["status"] == "failed");
  CHECK(record["error"]["charged"] == false);
  CHECK(record["attempts"] == 2);
}

TEST_CASE("cancel: a waiting one at once, a running one at the provider, a drawing at its next step") {
  Fixture f;
  Json running = f.works.Submit("cancel me", {{"delayMs", 0}});
  Json drawing = f.works.Submit("cancel the drawing", {}, 1, "sketch");
  for (const Json& record : {running, drawing}) {
    const std::string id = record["id"];
    f.works.Wait([&](RecordDone done) {
      f.works.pipeline->Cancel({.all = true, .user = ""}, id, "", std::move(done));
    });
    Json rested = f.works.Rest(id);
    const std::string status = rested["status"];
    CHECK((status == "canceled" ||
           status == "completed"));  // what was finished before the cancel arrived is kept
  }
  CHECK(Paid(f.simulator, "cancel me") <= 1);
}

TEST_CASE(
    "a restart goes on where the last process stopped: the same request is asked about, not sent again") {
  TempDir dir;
  Simulator::Options options;
  options.work_ms = 1500;
  Simulator simulator(options);
  std::string id;
  {
    Works works(dir.path(), simulator.url());
    id = works.Submit("resumed", {})["id"];
    // Until the provider has accepted it.
    std::mutex mutex;
    std::condition_variable cv;
    for (bool waiting = false; !waiting;) {
      Json record = Json::parse((*works.pipeline->Get({.all = true, .user = ""}, id, ""))->view());
      waiting = record["stage"] == "waiting";
      std::unique_lock lock(mutex);
      cv.wait_for(lock, std::chrono::milliseconds(5));
    }
  }
  Works again(dir.path(), simulator.url());
  Json record = again.Rest(id);
  CHECK(record["status"] == "completed");
  CHECK(record["attempts"] == 1);
  CHECK(Paid(simulator, "resumed") == 1);
}
