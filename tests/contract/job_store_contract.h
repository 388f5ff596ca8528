// The contract of JobStore. See store_support.h for how a backend includes it.
#pragma once

#include <algorithm>
#include <map>

#include "base/clock.h"
#include "contract/store_support.h"

namespace mediagen {

namespace job_contract {

// The rows of one queue, with the few verbs that the cases need.
struct Jobs {
  ContractBackend backend;
  Id worker = backend.NewId();
  int64_t created_ms = 1000;

  Job New(std::string user, int priority = 0, std::string provider_key = "") {
    Job job;
    job.id = backend.NewId();
    job.queue = "generate";
    job.kind = "generation";
    job.user = std::move(user);
    job.provider_key = std::move(provider_key);
    job.priority = priority;
    job.created_ms = created_ms++;
    return job;
  }
  Id Insert(const Job& job) {
    Id id;
    Must(Write(backend.store(), [&](Transaction& t) -> Status {
      ASSIGN_OR_RETURN(id, t.jobs().Insert(job));
      return OkStatus();
    }));
    return id;
  }
  std::vector<Job> InsertMany(const std::string& user, int count, int priority = 0,
                              std::string provider_key = "") {
    std::vector<Job> jobs;
    for (int i = 0; i < count; ++i) jobs.push_back(New(user, priority, provider_key));
    Must(Write(backend.store(), [&](Transaction& t) {
      for (const Job& job : jobs) RETURN_IF_ERROR(t.jobs().Insert(job).status());
      return OkStatus();
    }));
    return jobs;
  }
  std::vector<Job> Claim(int max, const ClaimLimits& limits = {.concurrency = 1'000'000}) {
    std::vector<Job> claimed;
    Must(Write(backend.store(), [&](Transaction& t) -> Status {
      ASSIGN_OR_RETURN(claimed, t.jobs().Claim("generate", max, limits, worker, 77));
      return OkStatus();
    }));
    return claimed;
  }
  Status Update(const Job& job, uint64_t fence) {
    return Write(backend.store(), [&](Transaction& t) { return t.jobs().Update(job, fence); });
  }
  void Finish(Job job, JobState state = JobState::kDone, int64_t finished_ms = 5000) {
    job.state = state;
    job.finished_ms = finished_ms;
    job.worker = Id{};
    Must(Update(job, job.fence));
  }
  std::optional<Job> Find(const Id& id) {
    std::optional<Job> job;
    Look(backend.store(), [&](const Snapshot& s) { job = Must(s.jobs().Find(id)); });
    return job;
  }
  int64_t PositionOf(const Id& id, int64_t most_ready = 1000) {
    int64_t position = -2;
    Look(backend.store(), [&](const Snapshot& s) { position = Must(s.jobs().PositionOf(id, most_ready)); });
    return position;
  }
  std::map<JobState, int64_t> Counts() {
    std::map<JobState, int64_t> counts;
    Look(backend.store(), [&](const Snapshot& s) { counts = Must(s.jobs().CountByState("generate")); });
    return counts;
  }
  bool HasReady() {
    bool ready = false;
    Look(backend.store(), [&](const Snapshot& s) { ready = Must(s.jobs().HasReady("generate")); });
    return ready;
  }
  int Promote(int64_t now_ms, int64_t now_mono, std::string_view boot, int limit = 100) {
    int promoted = -1;
    Must(Write(backend.store(), [&](Transaction& t) -> Status {
      ASSIGN_OR_RETURN(promoted, t.jobs().PromoteDue(now_ms, now_mono, boot, limit));
      return OkStatus();
    }));
    return promoted;
  }
  int64_t NextDueIn(int64_t now_ms, int64_t now_mono) {
    int64_t in = -2;
    Look(backend.store(), [&](const Snapshot& s) { in = Must(s.jobs().NextDueIn(now_ms, now_mono)); });
    return in;
  }
};

inline std::vector<Id> IdsOf(const std::vector<Job>& jobs) {
  std::vector<Id> ids;
  for (const Job& job : jobs) ids.push_back(job.id);
  return ids;
}
inline std::string UsersOf(const std::vector<Job>& jobs) {
  std::string users;
  for (const Job& job : jobs) users += job.user;
  return users;
}

}  // namespace job_contract

TEST_CASE("a job comes back as it was written, after a restart, too") {
  job_contract::Jobs jobs;
  Job job = jobs.New("ada", -3, "fal");
  job.state = JobState::kScheduled;
  job.payload_json = R"({"generation":"x"})";
  job.run_at_ms = 1;
  job.due_mono = 2;
  job.fence = 3;
  job.tries = 4;
  job.timeout_ms = 5;
  job.progress_json = "{}";
  job.result_json = "[]";
  job.error_json = "null";
  job.checkpoint_json = "1";
  job.unique_key = "k";
  job.parent = jobs.backend.NewId();
  job.alive_mono = 6;
  job.cancel_requested = true;
  CHECK(jobs.Insert(job) == job.id);
  jobs.backend.Reopen();
  Job found = *jobs.Find(job.id);
  CHECK(found.queue == "generate");
  CHECK(found.kind == "generation");
  CHECK(found.user == "ada");
  CHECK(found.state == JobState::kScheduled);
  CHECK(found.provider_key == "fal");
  CHECK(found.payload_json == job.payload_json);
  CHECK(found.priority == -3);
  CHECK(found.run_at_ms == 1);
  CHECK(found.due_mono == 2);
  CHECK(found.fence == 3);
  CHECK(found.tries == 4);
  CHECK(found.timeout_ms == 5);
  CHECK(found.progress_json == "{}");
  CHECK(found.result_json == "[]");
  CHECK(found.error_json == "null");
  CHECK(found.checkpoint_json == "1");
  CHECK(found.unique_key == "k");
  CHECK(found.parent == job.parent);
  CHECK(found.worker.empty());
  CHECK(found.alive_mono == 6);
  CHECK(found.cancel_requested);
  CHECK(found.created_ms == job.created_ms);
  CHECK(found.finished_ms == -1);
  CHECK_FALSE(jobs.Find(jobs.backend.NewId()));
}

TEST_CASE("the same id twice is a conflict") {
  job_contract::Jobs jobs;
  Job job = jobs.New("ada");
  jobs.Insert(job);
  Status again = Write(jobs.backend.store(), [&](Transaction& t) { return t.jobs().Insert(job).status(); });
  CHECK(CodeOf(again) == Code::kConflict);
  CHECK(InfoOf(again).object == job.id.text());
}

TEST_CASE("an active unique key stands for the first job, and is free once that has ended") {
  job_contract::Jobs jobs;
  Job first = jobs.New("ada"), second = jobs.New("bob"), elsewhere = jobs.New("ada");
  first.unique_key = second.unique_key = elsewhere.unique_key = "nightly";
  elsewhere.queue = "other";
  CHECK(jobs.Insert(first) == first.id);
  CHECK(jobs.Insert(second) == first.id);
  CHECK_FALSE(jobs.Find(second.id));
  CHECK(jobs.Insert(elsewhere) == elsewhere.id);
  Job claimed = jobs.Claim(1)[0];
  CHECK(jobs.Insert(second) == first.id);  // a running one holds its key, too
  jobs.Finish(claimed, JobState::kDead);
  CHECK(jobs.Find(first.id)->unique_key == "nightly");
  CHECK(jobs.Insert(second) == second.id);
  Job retried = *jobs.Find(first.id);
  retried.state = JobState::kReady;
  Status taken = jobs.Update(retried, retried.fence);
  CHECK(CodeOf(taken) == Code::kConflict);
  CHECK(InfoOf(taken).object == second.id.text());
  CHECK(jobs.Find(first.id)->state == JobState::kDead);
}

TEST_CASE("an update goes by fence: a stale one changes nothing and says so") {
  job_contract::Jobs jobs;
  jobs.Insert(jobs.New("ada"));
  Job held = jobs.Claim(1)[0];
  CHECK(held.fence == 1);
  CHECK(held.worker == jobs.worker);
  CHECK(held.alive_mono == 77);
  CHECK(held.state == JobState::kRunning);
  Job returned = held;
  returned.state = JobState::kReady;
  Must(jobs.Update(returned, 1));
  Job again = jobs.Claim(1)[0];
  CHECK(again.fence == 2);
  Job late = held;
  late.state = JobState::kDone;
  late.result_json = "\"late\"";
  CHECK(CodeOf(jobs.Update(late, held.fence)) == Code::kStaleFence);
  CHECK(jobs.Find(held.id)->state == JobState::kRunning);
  CHECK(jobs.Find(held.id)->result_json == "");
  late.id = jobs.backend.NewId();
  CHECK(CodeOf(jobs.Update(late, 2)) == Code::kNotFound);
}

TEST_CASE("a claim takes the highest priority first, then the oldest") {
  job_contract::Jobs jobs;
  std::vector<Job> low = jobs.InsertMany("ada", 2, 0), high = jobs.InsertMany("ada", 2, 5);
  Job early = jobs.New("ada", 5);
  early.run_at_ms = 1;  // promoted long ago: its own time counts
  jobs.Insert(early);
  CHECK(job_contract::IdsOf(jobs.Claim(10)) ==
        std::vector<Id>{early.id, high[0].id, high[1].id, low[0].id, low[1].id});
  CHECK(jobs.Claim(10).empty());
  CHECK_FALSE(jobs.HasReady());
}

TEST_CASE("users take turns: a thousand jobs of one delay another's by one turn at most") {
  job_contract::Jobs jobs;
  jobs.InsertMany("a", 1000);
  CHECK(job_contract::UsersOf(jobs.Claim(3)) == "aaa");
  jobs.InsertMany("b", 2);
  jobs.InsertMany("c", 1);
  CHECK(job_contract::UsersOf(jobs.Claim(6)) == "abcaba");
  // Somebody who always has one job waiting does not overtake those who wait longer.
  std::string served;
  for (int i = 0; i < 6; ++i) {
    if (i % 2 == 0) jobs.InsertMany("d", 1);
    std::vector<Job> claimed = jobs.Claim(1);
    served += job_contract::UsersOf(claimed);
    jobs.Finish(claimed[0]);
  }
  CHECK(served == "adadad");
}

TEST_CASE("several provider keys do not give a user several turns") {
  job_contract::Jobs jobs;
  for (const char* provider : {"p1", "p2", "p3"}) jobs.InsertMany("a", 3, 0, provider);
  jobs.InsertMany("b", 3, 0, "p1");
  CHECK(job_contract::UsersOf(jobs.Claim(6)) == "ababab");
}

TEST_CASE("a claim stays within the limits, which running and parked jobs use up") {
  job_contract::Jobs jobs;
  jobs.InsertMany("a", 4, 0, "p");
  jobs.InsertMany("b", 4, 0, "p");
  jobs.InsertMany("b", 4, 0, "q");
  CHECK(jobs.Claim(100, {.concurrency = 2}).size() == 2);
  CHECK(jobs.Claim(100, {.concurrency = 2}).empty());
  CHECK(jobs.HasReady());

  std::vector<Job> more = jobs.Claim(100, {.concurrency = 100, .per_provider = 3});  // two of p are held
  std::map<std::string, int> by_provider;
  for (const Job& job : more) ++by_provider[job.provider_key];
  CHECK(by_provider == std::map<std::string, int>{{"p", 1}, {"q", 3}});

  Job parked = more[0];
  parked.state = JobState::kParked;
  Must(jobs.Update(parked, parked.fence));
  CHECK(jobs.Claim(100, {.concurrency = 6}).empty());  // 2 + 4 held, one of them parked
  jobs.Finish(parked);
  CHECK(jobs.Claim(100, {.concurrency = 6}).size() == 1);
}

TEST_CASE("a saturated user does not stand in the way of the others") {
  job_contract::Jobs jobs;
  jobs.InsertMany("a", 10, 9);
  jobs.InsertMany("b", 2);
  CHECK(job_contract::UsersOf(jobs.Claim(10, {.concurrency = 100, .per_user = 2})) == "aabb");
  CHECK(jobs.Claim(10, {.concurrency = 100, .per_user = 2}).empty());
}

TEST_CASE("changing a job's priority or provider key moves it to another lane") {
  job_contract::Jobs jobs;
  std::vector<Job> two = jobs.InsertMany("a", 2, 0, "p");
  two[1].priority = 7;
  two[1].provider_key = "q";
  Must(jobs.Update(two[1], 0));
  CHECK(job_contract::IdsOf(jobs.Claim(2)) == std::vector<Id>{two[1].id, two[0].id});
}

TEST_CASE("the position in the queue is what the claims then do") {
  job_contract::Jobs jobs;
  std::vector<Job> all = jobs.InsertMany("a", 5);
  for (const Job& job : jobs.InsertMany("b", 2)) all.push_back(job);
  for (const Job& job : jobs.InsertMany("c", 1, 0, "p")) all.push_back(job);
  for (const Job& job : jobs.InsertMany("a", 2, 3)) all.push_back(job);
  jobs.Claim(1);
  std::map<Id, int64_t> told;
  for (const Job& job : all) told[job.id] = jobs.PositionOf(job.id);
  std::vector<Job> order = jobs.Claim(100);
  REQUIRE(order.size() == all.size() - 1);
  CHECK(told[order[0].id] == 0);
  // Across priorities the turns move on, so only within the last one is every place exact; the priority
  // boundary always is.
  int64_t last = -1;
  for (const Job& job : order) {
    if (job.user == "a") {
      CHECK(told[job.id] > last);
      last = told[job.id];
    }
  }
  CHECK(jobs.PositionOf(order[0].id) == -1);
  CHECK(jobs.PositionOf(jobs.backend.NewId()) == -1);
}

TEST_CASE("a position is told only while the queue is short enough to count") {
  job_contract::Jobs jobs;
  std::vector<Job> all = jobs.InsertMany("a", 3);
  CHECK(jobs.PositionOf(all[2].id, 3) == 2);
  CHECK(jobs.PositionOf(all[2].id, 2) == -1);
}

TEST_CASE("among jobs of one priority every position is exact") {
  job_contract::Jobs jobs;
  std::vector<Job> all = jobs.InsertMany("a", 6);
  for (const Job& job : jobs.InsertMany("b", 3)) all.push_back(job);
  for (const Job& job : jobs.InsertMany("c", 1)) all.push_back(job);
  jobs.Claim(2);
  std::map<Id, int64_t> told;
  for (const Job& job : all) told[job.id] = jobs.PositionOf(job.id);
  int64_t place = 0;
  for (const Job& job : jobs.Claim(100)) CHECK(told[job.id] == place++);
  CHECK(place == 8);
}

TEST_CASE("scheduled jobs become ready when due, on the clock that they name") {
  job_contract::Jobs jobs;
  auto scheduled = [&](int64_t run_at_ms, int64_t due_mono) {
    Job job = jobs.New("ada");
    job.state = JobState::kScheduled;
    job.run_at_ms = run_at_ms;
    job.due_mono = due_mono;
    return jobs.Insert(job);
  };
  const Id by_wall = scheduled(500, -1), by_mono = scheduled(-1, 90), retried = scheduled(100, 200);
  CHECK_FALSE(jobs.HasReady());
  CHECK(jobs.NextDueIn(450, 10) == 50);
  CHECK(jobs.NextDueIn(0, 85) == 5);
  CHECK(jobs.Promote(499, 89, BootId()) == 0);
  CHECK(jobs.Promote(500, 89, BootId()) == 1);
  CHECK(jobs.Find(by_wall)->state == JobState::kReady);
  CHECK(jobs.Promote(500, 90, BootId()) == 1);
  CHECK(jobs.Find(by_mono)->state == JobState::kReady);
  CHECK(jobs.Find(by_mono)->due_mono == -1);
  CHECK(jobs.NextDueIn(500, 90) == 110);  // a backoff counts, whatever run_at said before
  CHECK(jobs.Promote(500, 0, "another-boot") == 1);
  CHECK(jobs.Find(retried)->state == JobState::kReady);
  CHECK(jobs.NextDueIn(0, 0) == -1);
  CHECK(jobs.Claim(10).size() == 3);
}

TEST_CASE("promotion takes no more than its limit at a time") {
  job_contract::Jobs jobs;
  for (int i = 0; i < 5; ++i) {
    Job job = jobs.New("ada");
    job.state = JobState::kScheduled;
    (i % 2 ? job.run_at_ms : job.due_mono) = 10 + i;
    jobs.Insert(job);
  }
  CHECK(jobs.Promote(100, 100, BootId(), 3) == 3);
  CHECK(jobs.Promote(100, 100, BootId(), 3) == 2);
  CHECK(jobs.Promote(100, 100, BootId(), 3) == 0);
}

TEST_CASE("what a worker holds, and what of it was asked to cancel, can be listed") {
  job_contract::Jobs jobs;
  jobs.InsertMany("ada", 4);
  std::vector<Job> held = jobs.Claim(3);
  held[1].state = JobState::kParked;
  held[1].cancel_requested = true;
  Must(jobs.Update(held[1], held[1].fence));
  jobs.Finish(held[2]);
  Look(jobs.backend.store(), [&](const Snapshot& s) {
    CHECK(Must(s.jobs().HeldBy(jobs.worker)).size() == 2);
    CHECK(Must(s.jobs().CancelRequested(jobs.worker)) == std::vector<Id>{held[1].id});
    CHECK(Must(s.jobs().HeldBy(jobs.backend.NewId())).empty());
  });
}

TEST_CASE("jobs are listed by queue and state, page by page, and counted") {
  job_contract::Jobs jobs;
  std::vector<Job> all = jobs.InsertMany("ada", 7);
  jobs.Finish(jobs.Claim(1)[0]);
  jobs.Claim(2);
  Job elsewhere = jobs.New("ada");
  elsewhere.queue = "other";
  jobs.Insert(elsewhere);
  auto list = [&](std::optional<std::string> queue, std::optional<JobState> state, const Id& after,
                  int limit) {
    std::vector<Id> ids;
    Look(jobs.backend.store(), [&](const Snapshot& s) {
      ids = job_contract::IdsOf(Must(s.jobs().List(queue, state, after, limit)));
    });
    return ids;
  };
  std::vector<Id> ids = job_contract::IdsOf(all);
  CHECK(list("generate", std::nullopt, Id{}, 100) == ids);
  CHECK(list("generate", std::nullopt, ids[2], 2) == std::vector<Id>{ids[3], ids[4]});
  CHECK(list("generate", JobState::kReady, Id{}, 100) == std::vector<Id>(ids.begin() + 3, ids.end()));
  CHECK(list(std::nullopt, JobState::kDone, Id{}, 100) == std::vector<Id>{ids[0]});
  CHECK(list(std::nullopt, std::nullopt, ids[6], 100) == std::vector<Id>{elsewhere.id});
  CHECK(jobs.Counts() ==
        std::map<JobState, int64_t>{{JobState::kReady, 4}, {JobState::kRunning, 2}, {JobState::kDone, 1}});
}

TEST_CASE("pruning deletes finished jobs by age, some at a time, and nothing else") {
  job_contract::Jobs jobs;
  jobs.InsertMany("ada", 6);
  std::vector<Job> claimed = jobs.Claim(5);
  for (int i = 0; i < 4; ++i)
    jobs.Finish(claimed[static_cast<size_t>(i)], i == 3 ? JobState::kDead : JobState::kDone, 100 + i);
  std::vector<std::string> blobs;
  auto prune = [&](JobState state, int64_t before_ms, int limit) {
    int pruned = -1;
    Must(Write(jobs.backend.store(), [&](Transaction& t) -> Status {
      Id after;
      ASSIGN_OR_RETURN(pruned, t.jobs().Prune("generate", state, before_ms, limit, &after, &blobs));
      return OkStatus();
    }));
    return pruned;
  };
  CHECK(prune(JobState::kDone, 102, 1) == 1);
  CHECK(prune(JobState::kDone, 102, 10) == 1);
  CHECK(prune(JobState::kDone, 102, 10) == 0);
  CHECK(prune(JobState::kRunning, 1'000'000, 10) == 0);
  CHECK(jobs.Counts() ==
        std::map<JobState, int64_t>{
            {JobState::kReady, 1}, {JobState::kRunning, 1}, {JobState::kDone, 1}, {JobState::kDead, 1}});
}

TEST_CASE("pruning goes on behind jobs that are kept, and says where it stands") {
  job_contract::Jobs jobs;
  jobs.InsertMany("ada", 4);
  std::vector<Job> claimed = jobs.Claim(4);
  for (size_t i = 0; i < 4; ++i) jobs.Finish(claimed[i], JobState::kDone, i == 0 ? 1000 : 100);
  std::vector<std::string> blobs;
  Id after;
  auto prune = [&](int limit) {
    int pruned = -1;
    Must(Write(jobs.backend.store(), [&](Transaction& t) -> Status {
      ASSIGN_OR_RETURN(pruned, t.jobs().Prune("generate", JobState::kDone, 500, limit, &after, &blobs));
      return OkStatus();
    }));
    return pruned;
  };
  CHECK(prune(1) == 1);
  CHECK(after == claimed[1].id);
  CHECK(prune(1) == 1);
  CHECK(after == claimed[2].id);
  CHECK(prune(10) == 1);
  CHECK(after.empty());
  CHECK(jobs.Counts() == std::map<JobState, int64_t>{{JobState::kDone, 1}});
}

TEST_CASE("workers are put, replaced, listed and removed") {
  ContractBackend backend;
  Worker worker{backend.NewId(), "boot", 100, 5, "host:1"};
  Must(Write(backend.store(), [&](Transaction& t) {
    RETURN_IF_ERROR(t.jobs().PutWorker(worker));
    worker.lease_until_mono = 200;
    return t.jobs().PutWorker(worker);
  }));
  Look(backend.store(), [&](const Snapshot& s) {
    std::vector<Worker> workers = Must(s.jobs().Workers());
    REQUIRE(workers.size() == 1);
    CHECK(workers[0].id == worker.id);
    CHECK(workers[0].boot_id == "boot");
    CHECK(workers[0].lease_until_mono == 200);
    CHECK(workers[0].started_ms == 5);
    CHECK(workers[0].host == "host:1");
  });
  Must(Write(backend.store(), [&](Transaction& t) { return t.jobs().RemoveWorker(worker.id); }));
  Look(backend.store(), [&](const Snapshot& s) { CHECK(Must(s.jobs().Workers()).empty()); });
}

}  // namespace mediagen
