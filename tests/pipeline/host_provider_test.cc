// A provider that is the host itself: its worker is given a job, uploads, and finishes with the outputs' ids.
#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "codec/image.h"
#include "jobs/provider_jobs.h"
#include "pipeline/works.h"

using namespace mediagen;
using mediagen::testing::TempDir;
using mediagen::testing::Works;

namespace {

std::string Png(uint8_t shade) {
  Pixels pixels = Works::Must(NewPixels(8, 8, 3));
  std::fill_n(pixels.data.get(), pixels.bytes(), shade);
  return std::string(Works::Must(Encode(pixels, {.format = Format::kPng})).view());
}

// The host: claims, uploads, finishes, with a worker of its own in the same process.
struct Host {
  TempDir dir;
  Works works{dir.path(), "http://127.0.0.1:9", RetryPolicy{.tries = 1, .base_ms = 1, .cap_ms = 1}};

  Job Claim(const std::string& provider = "mine", Queues* queues = nullptr) {
    std::mutex mutex;
    std::condition_variable cv;
    std::optional<StatusOr<std::vector<mediagen::Claim>>> got;
    (queues ? queues : works.queues.get())
        ->ClaimAsync({HostQueueOf(provider)}, 1, [&](StatusOr<std::vector<mediagen::Claim>> claims) {
          std::lock_guard lock(mutex);
          got = std::move(claims);
          cv.notify_all();
        });
    std::unique_lock lock(mutex);
    REQUIRE(cv.wait_for(lock, std::chrono::seconds(60), [&] { return got.has_value(); }));
    REQUIRE(got->ok());
    return (*got)->front().job;
  }

  Status Finish(const Job& job, const Outcome& outcome) {
    Status finished = works.store->Commit([&](Transaction& transaction) {
      return works.queues->Finish(transaction, job.id, job.fence, outcome);
    });
    works.queues->Released(job.id);
    return finished;
  }

  std::string Upload(const std::string& user, uint8_t shade) {
    return works.Upload({.user = user}, Png(shade))["id"];
  }

  static Outcome Outputs(const std::vector<std::string>& ids) {
    return Outcome::Done(Dump(Json{{"outputs", ids}}));
  }

  std::string Submit(const std::string& provider = "mine", int n = 1) {
    return works.Submit(
        Json{{"user", "u1"}, {"provider", provider}, {"prompt", "a fox"}, {"n", n}, {"seed", "7"}})["id"];
  }

  std::vector<Attempt> Attempts(const std::string& generation) {
    std::vector<Attempt> attempts;
    REQUIRE(works.store
                ->Read([&](const Snapshot& snapshot) -> Status {
                  ASSIGN_OR_RETURN(attempts,
                                   snapshot.records().AttemptsOf(Works::Must(Id::Parse(generation))));
                  return OkStatus();
                })
                .ok());
    return attempts;
  }
};

}  // namespace

TEST_CASE(
    "a generation becomes a job that says all of it, and the uploads it is finished with are its outputs") {
  Host host;
  const std::string id = host.Submit("mine", 2);
  Job job = host.Claim();
  CHECK(job.user == "u1");
  CHECK(job.kind == kFreeKind);
  Json payload = Json::parse(job.payload_json);
  CHECK(payload["generation"] == id);
  CHECK(payload["attempt"] == job.id.text());
  CHECK(payload["part"] == 0);
  CHECK(payload["user"] == "u1");
  CHECK(payload["prompt"] == "a fox");
  CHECK(payload["negativePrompt"].is_null());
  CHECK(payload["n"] == 2);
  CHECK(payload["seed"] == "7");
  CHECK(payload["references"] == Json::array());
  CHECK(payload["options"] == Json::object());

  const std::string first = host.Upload("u1", 10), second = host.Upload("", 200);
  CHECK(host.Finish(job, Host::Outputs({second, first})).ok());
  Json record = host.works.Rest(id);
  CHECK(record["status"] == "completed");
  REQUIRE(record["outputs"].size() == 2);
  CHECK(record["outputs"][0]["id"] == second);
  CHECK(record["outputs"][1]["id"] == first);
  CHECK(record["outputs"][1]["index"] == 1);
  CHECK(record["outputs"][0]["generation"] == id);
  CHECK(record["attempts"] == 1);
  Output output = Works::Must(
      host.works.pipeline->FindOutput({.all = false, .user = "u1"}, Works::Must(Id::Parse(second))));
  CHECK(output.source == "generated");
  CHECK(host.works.blobs->Get(output.blob_key, 1 << 20).ok());
}

TEST_CASE("while the host works, the generation is parked: it holds its slot and no thread") {
  Host host;
  const std::string id = host.Submit();
  Job job = host.Claim();
  Generation row;
  std::optional<Job> own;
  REQUIRE(host.works.store
              ->Read([&](const Snapshot& snapshot) -> Status {
                ASSIGN_OR_RETURN(auto found, snapshot.records().FindGeneration(Works::Must(Id::Parse(id))));
                row = *found;
                ASSIGN_OR_RETURN(own, snapshot.jobs().Find(row.job));
                return OkStatus();
              })
              .ok());
  CHECK(row.stage == "waiting");
  CHECK(own->state == JobState::kParked);
  CHECK(host.Attempts(id)[0].state == AttemptState::kSubmitted);
  CHECK(host.Attempts(id)[0].remote_id == job.id.text());
  CHECK(host.Finish(job, Host::Outputs({host.Upload("u1", 1)})).ok());
  CHECK(host.works.Rest(id)["status"] == "completed");
}

TEST_CASE("how a host's job ends is what its generation says") {
  struct Row {
    const char* name;
    const char* provider;
    Outcome outcome;
    const char* status;
    const char* error_class;
    bool charged;
  };
  const Row rows[] = {
      {"discarded, free", "mine", Outcome::Discard("the model is broken"), "failed", "server", false},
      {"discarded, paid", "hired", Outcome::Discard("the model is broken"), "failed", "server", true},
      {"discarded, paid, and the worker knows that nothing was", "hired",
       Outcome::Discard(R"({"code":"safety","message":"the model is broken","charged":false})"), "failed",
       "safety", false},
      {"discarded, free, claiming a charge", "mine",
       Outcome::Discard(R"({"code":"invalid","message":"the model is broken","charged":true})"), "failed",
       "invalid", false},
      {"discarded, paid, nobody knows", "hired",
       Outcome::Discard(R"({"code":"unknown_outcome","message":"the model is broken"})"), "unknown",
       "unknown_outcome", false},
      {"canceled by the worker", "mine", Outcome::Cancel(), "failed", "canceled", false},
      {"without outputs", "mine", Outcome::Done("{}"), "failed", "invalid", false},
      {"with an empty list", "mine", Host::Outputs({}), "failed", "server", false},
      {"with no id", "mine", Outcome::Done(R"({"outputs":[7]})"), "failed", "invalid", false},
      {"with an output that is not there", "mine", Host::Outputs({"01932c5e-0000-7000-8000-000000000000"}),
       "failed", "invalid", false},
      {"with an output that is not there, paid", "hired",
       Host::Outputs({"01932c5e-0000-7000-8000-000000000000"}), "failed", "invalid", true},
  };
  Host host;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const std::string id = host.Submit(row.provider);
    CHECK(host.Finish(host.Claim(row.provider), row.outcome).ok());
    Json record = host.works.Rest(id);
    CHECK(record["status"] == row.status);
    CHECK(record["error"]["class"] == row.error_class);
    CHECK(record["error"]["charged"] == row.charged);
    if (!row.outcome.reason.empty())
      CHECK(record["error"]["message"].get<std::string>().find("the model is broken") != std::string::npos);
  }
}

TEST_CASE("an upload is adopted once, and only by a generation of its own user") {
  Host host;
  const std::string taken = host.Upload("u1", 1), theirs = host.Upload("u2", 2), mine = host.Upload("u1", 3);
  const std::string first = host.Submit();
  CHECK(host.Finish(host.Claim(), Host::Outputs({taken})).ok());
  CHECK(host.works.Rest(first)["status"] == "completed");
  const std::pair<std::vector<std::string>, const char*> rows[] = {
      {{taken}, "belongs to a generation already"},
      {{theirs}, "no upload of this generation's user"},
      {{mine, mine}, "twice"},
      {{mine, host.Upload("u1", 4), host.Upload("u1", 5)}, "3 outputs where 2 were asked for"},
  };
  for (const auto& row : rows) {
    const auto& ids = row.first;
    const std::string why = row.second;
    CAPTURE(why);
    const std::string id = host.Submit("mine", 2);
    CHECK(host.Finish(host.Claim(), Host::Outputs(ids)).ok());
    Json record = host.works.Rest(id);
    CHECK(record["status"] == "failed");
    CHECK(record["error"]["message"].get<std::string>().find(why) != std::string::npos);
  }
  // What was refused is still there to be adopted.
  const std::string last = host.Submit();
  CHECK(host.Finish(host.Claim(), Host::Outputs({mine})).ok());
  CHECK(host.works.Rest(last)["status"] == "completed");
}

TEST_CASE(
    "a host's job that is tried again is the same job; when its tries are over, the part fails with its "
    "error") {
  Host host;
  const std::string id = host.Submit();
  Job first = host.Claim();
  CHECK(host.Finish(first, Outcome::Retry("no memory", 0)).ok());
  Job again = host.Claim();
  CHECK(again.id == first.id);
  CHECK(host.Finish(again, Outcome::Retry("no memory again", 0)).ok());
  Json record = host.works.Rest(id);
  CHECK(record["status"] == "failed");
  CHECK(record["error"]["message"] == "no memory again");
  CHECK(host.Attempts(id).size() == 1);
}

TEST_CASE("what a worker that was given up says of paid work in the end is taken, once") {
  Host host;
  const Outcome given_up = Outcome::Discard(R"({"code":"unknown_outcome","message":"cut off"})");
  const std::string id = host.Submit("hired");
  Job job = host.Claim("hired");
  CHECK(host.Finish(job, given_up).ok());  // as its lease would
  CHECK(host.works.Rest(id)["status"] == "unknown");

  Job older = job;
  --older.fence;
  const std::string picture = host.Upload("u1", 90);
  CHECK(CodeOf(host.Finish(older, Host::Outputs({picture}))) == Code::kStaleFence);
  CHECK(CodeOf(host.Finish(job, Outcome::Retry("later", 0))) == Code::kStaleFence);
  CHECK(CodeOf(host.Finish(job, given_up)) == Code::kStaleFence);
  CHECK(host.works.Rest(id)["status"] == "unknown");

  CHECK(host.Finish(job, Host::Outputs({picture})).ok());
  Json record = host.works.Rest(id);
  CHECK(record["status"] == "completed");
  REQUIRE(record["outputs"].size() == 1);
  CHECK(record["outputs"][0]["id"] == picture);
  CHECK(record["error"].is_null());
  CHECK(host.Attempts(id).size() == 1);
  CHECK(CodeOf(host.Finish(job, Host::Outputs({picture}))) == Code::kStaleFence);

  // That it failed and cost nothing is worth knowing, too.
  const std::string free = host.Submit("hired");
  Job other = host.Claim("hired");
  CHECK(host.Finish(other, given_up).ok());
  CHECK(host.works.Rest(free)["status"] == "unknown");
  CHECK(host.Finish(other, Outcome::Discard(R"({"code":"server","message":"no","charged":false})")).ok());
  record = host.works.Rest(free);
  CHECK(record["status"] == "failed");
  CHECK(record["error"]["charged"] == false);
}

TEST_CASE("a person's retry makes a new job, and abandon settles what nobody knows as charged") {
  Host host;
  const Viewer all{.all = true, .user = ""};
  const std::string id = host.Submit("hired");
  Job first = host.Claim("hired");
  CHECK(host.Finish(first, Outcome::Discard(R"({"code":"unknown_outcome","message":"cut off"})")).ok());
  CHECK(host.works.Rest(id)["status"] == "unknown");
  host.works.Wait([&](RecordDone done) { host.works.pipeline->Retry(all, id, "", std::move(done)); });
  Job second = host.Claim("hired");
  CHECK(second.id != first.id);
  CHECK(host.Finish(second, Outcome::Discard(R"({"code":"unknown_outcome","message":"cut off"})")).ok());
  CHECK(host.works.Rest(id)["status"] == "unknown");
  Json abandoned =
      host.works.Wait([&](RecordDone done) { host.works.pipeline->Abandon(all, id, "", std::move(done)); });
  CHECK(abandoned["status"] == "failed");
  CHECK(abandoned["error"]["charged"] == true);
}

TEST_CASE(
    "cancel reaches the host's job: a waiting one never runs, a running one is asked, and its end decides") {
  Host host;
  const Viewer all{.all = true, .user = ""};
  auto cancel = [&](const std::string& id) {
    host.works.Wait([&](RecordDone done) { host.works.pipeline->Cancel(all, id, "", std::move(done)); });
  };
  const std::string running = host.Submit();
  Job job = host.Claim();
  const std::string waiting = host.Submit();
  cancel(waiting);
  CHECK(host.works.Rest(waiting)["status"] == "canceled");
  std::mutex mutex;
  std::condition_variable cv;
  bool asked = false;
  host.works.host_canceled = [&](const Id& id) {
    std::lock_guard lock(mutex);
    asked = asked || id == job.id;
    cv.notify_all();
  };
  cancel(running);
  std::unique_lock lock(mutex);
  REQUIRE(cv.wait_for(lock, std::chrono::seconds(60), [&] { return asked; }));
  lock.unlock();
  CHECK(host.Finish(job, Outcome::Cancel()).ok());
  CHECK(host.works.Rest(running)["status"] == "canceled");
}

TEST_CASE("the progress of the host's job is the generation's") {
  Host host;
  const std::string id = host.Submit();
  Job job = host.Claim();
  std::mutex mutex;
  std::condition_variable cv;
  std::string told;
  auto subscription = Works::Must(host.works.hub->Subscribe(
      {.viewer = {.all = true, .user = ""}, .topics = {"generations"}, .object = id, .after = ""}));
  subscription->OnReadable([&] {
    std::lock_guard lock(mutex);
    cv.notify_all();
  });
  REQUIRE(host.works.store
              ->Commit([&](Transaction& transaction) {
                return host.works.queues->Progress(
                    transaction, job.id, job.fence,
                    R"({"fraction":0.5,"current":1,"total":2,"message":"half"})");
              })
              .ok());
  std::unique_lock lock(mutex);
  REQUIRE(cv.wait_for(lock, std::chrono::seconds(60), [&] {
    Delivery event;
    while (subscription->Pull(&event) == Subscription::Next::kEvent) {
      if (event.type == "generation.progress") told = event.document.view();
    }
    return !told.empty();
  }));
  lock.unlock();
  Json progress = Json::parse(told)["data"]["progress"];
  CHECK(progress["fraction"] == 0.5);
  CHECK(progress["message"] == "half");
  subscription->Close();
  CHECK(host.Finish(job, Host::Outputs({host.Upload("u1", 1)})).ok());
  CHECK(host.works.Rest(id)["progress"]["fraction"] == 1.0);
}

TEST_CASE(
    "a restart re-attaches to the host's job; one that was claimed by the dead process runs again only if "
    "free") {
  for (const char* provider : {"mine", "hired"}) {
    CAPTURE(provider);
    TempDir dir;
    std::string waiting, claimed, first_job;
    auto claim = [&](Works& works) {
      std::mutex mutex;
      std::condition_variable cv;
      std::optional<Job> got;
      works.queues->ClaimAsync({HostQueueOf(provider)}, 1, [&](StatusOr<std::vector<Claim>> claims) {
        std::lock_guard lock(mutex);
        got = claims.ok() ? claims->front().job : Job{};
        cv.notify_all();
      });
      std::unique_lock lock(mutex);
      REQUIRE(cv.wait_for(lock, std::chrono::seconds(60), [&] { return got.has_value(); }));
      return *got;
    };
    auto submit = [&](Works& works) {
      return works.Submit(Json{{"user", "u1"}, {"provider", provider}, {"prompt", "a fox"}})["id"]
          .get<std::string>();
    };
    auto finish = [&](Works& works, const Job& job) {
      Json upload = works.Upload({.user = "u1"}, Png(9));
      return works.store->Commit([&](Transaction& transaction) {
        return works.queues->Finish(transaction, job.id, job.fence, Host::Outputs({upload["id"]}));
      });
    };
    Job held;
    {
      Works works(dir.path(), "http://127.0.0.1:9");
      claimed = submit(works);
      held = claim(works);
      waiting = submit(works);
    }  // hands back what it held
    Works works(dir.path(), "http://127.0.0.1:9");
    if (std::string_view(provider) == "mine") {
      Job one = claim(works), two = claim(works);
      for (const Job& job : {one, two}) CHECK(finish(works, job).ok());
      CHECK(works.Rest(claimed)["status"] == "completed");
    } else {
      Json record = works.Rest(claimed);
      CHECK(record["status"] == "unknown");
      Job job = claim(works);
      CHECK(job.id != held.id);
      CHECK(finish(works, job).ok());
    }
    CHECK(works.Rest(waiting)["status"] == "completed");
  }
}

TEST_CASE("parts are jobs of their own, and some may come when others do not") {
  Host host;
  const std::string id = host.Submit("mine", 6);  // four a job
  Job four = host.Claim(), two = host.Claim();
  if (Json::parse(four.payload_json)["n"] == 2) std::swap(four, two);
  CHECK(Json::parse(two.payload_json)["seed"] == "11");
  CHECK(host.Finish(two, Host::Outputs({host.Upload("u1", 1), host.Upload("u1", 2)})).ok());
  CHECK(host.Finish(four, Outcome::Discard("out of paint")).ok());
  Json record = host.works.Rest(id);
  CHECK(record["status"] == "completed");
  CHECK(record["outputs"].size() == 2);
  CHECK(record["outputs"][0]["index"] == 4);
  CHECK(record["error"]["message"].get<std::string>().find("out of paint") != std::string::npos);
}
