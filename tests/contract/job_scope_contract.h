// The contract of JobStore: scopes of unique keys, costs, and what stands beside a job's row. See
// store_support.h for how a backend includes it.
#pragma once

#include "contract/job_store_contract.h"

namespace mediagen {

TEST_CASE("a unique key is held in the states of its scope") {
  job_contract::Jobs jobs;
  Job until_run = jobs.New("ada"), ever = jobs.New("ada");
  until_run.unique_key = "waits";
  until_run.unique_states = StateBit(JobState::kReady);
  ever.unique_key = "ever";
  ever.unique_states = kActiveStates | StateBit(JobState::kDone);
  jobs.Insert(until_run), jobs.Insert(ever);
  auto twin = [&](Job job) {
    job.id = jobs.backend.NewId();
    return jobs.Insert(job) == job.id;
  };
  CHECK_FALSE(twin(until_run));
  std::vector<Job> claimed = jobs.Claim(2);
  REQUIRE(claimed.size() == 2);
  CHECK(twin(until_run));
  CHECK_FALSE(twin(ever));
  for (const Job& job : claimed) jobs.Finish(job, JobState::kDone);
  CHECK_FALSE(twin(ever));
}

TEST_CASE("a claim keeps to the limits of model keys, and to what the jobs may cost together") {
  job_contract::Jobs jobs;
  for (int i = 0; i < 4; ++i) {
    Job job = jobs.New("ada", 0, "fal");
    job.model_key = i < 2 ? "flux" : "sdxl";
    job.cost = 3;
    jobs.Insert(job);
  }
  CHECK(jobs.Claim(4, {.concurrency = 100, .per_model = 1}).size() == 2);
  int64_t too_dear = -1;
  std::vector<Job> claimed;
  auto claim = [&](int64_t left, int64_t cap) {
    Must(Write(jobs.backend.store(), [&](Transaction& t) -> Status {
      ClaimLimits limits{.concurrency = 100, .cost_left = left, .cost_cap = cap};
      ASSIGN_OR_RETURN(claimed, t.jobs().Claim("generate", 4, limits, jobs.worker, 77, &too_dear));
      return OkStatus();
    }));
  };
  claim(2, 10);
  CHECK(claimed.empty());
  CHECK(too_dear == 3);
  claim(5, 10);
  CHECK(claimed.size() == 1);
  CHECK(too_dear == 3);
  claim(2, 2);  // what costs more than all there ever is costs all there is
  CHECK(claimed.size() == 1);
  CHECK(too_dear == 0);
}

TEST_CASE("a family, a pace, stored settings and log lines come back as they were written") {
  job_contract::Jobs jobs;
  Job parent = jobs.New("ada"), child = jobs.New("ada");
  child.parent = parent.id;
  jobs.Insert(parent), jobs.Insert(child);
  Family family{.parent = parent.id,
                .children = 9,
                .pending = 8,
                .failed = 7,
                .canceled = 6,
                .units = 5,
                .units_done = 4,
                .fail_fast = false,
                .run_after = false};
  Must(Write(jobs.backend.store(), [&](Transaction& t) -> Status {
    RETURN_IF_ERROR(t.jobs().PutFamily(family));
    RETURN_IF_ERROR(t.jobs().PutPace("generate", {"boot", "1:2", 3}));
    RETURN_IF_ERROR(t.jobs().PutSettings({"a", "{}"}));
    RETURN_IF_ERROR(t.jobs().PutSettings({"b", "{}"}));
    RETURN_IF_ERROR(t.jobs().PutSettings({"a", ""}));
    for (int i = 1; i <= 5; ++i)
      RETURN_IF_ERROR(t.jobs().AppendLog(parent.id, i, "info", std::to_string(i), 3));
    return OkStatus();
  }));
  jobs.backend.Reopen();
  Look(jobs.backend.store(), [&](const Snapshot& s) {
    Family found = *Must(s.jobs().FindFamily(parent.id));
    CHECK(found.children == 9);
    CHECK(found.pending == 8);
    CHECK(found.failed == 7);
    CHECK(found.canceled == 6);
    CHECK(found.units == 5);
    CHECK(found.units_done == 4);
    CHECK_FALSE(found.fail_fast);
    CHECK_FALSE(found.run_after);
    CHECK_FALSE(Must(s.jobs().FindFamily(child.id)));
    CHECK(job_contract::IdsOf(Must(s.jobs().ChildrenOf(parent.id, Id{}, 10))) == std::vector<Id>{child.id});
    CHECK(Must(s.jobs().ChildrenOf(parent.id, child.id, 10)).empty());
    Pace pace = Must(s.jobs().PaceOf("generate"));
    CHECK(pace.boot == "boot");
    CHECK(pace.claims == "1:2");
    CHECK(pace.retry_us == 3);
    CHECK(Must(s.jobs().PaceOf("other")).boot == "");
    std::vector<StoredSettings> settings = Must(s.jobs().Settings());
    REQUIRE(settings.size() == 1);
    CHECK(settings[0].queue == "b");
    CHECK(Must(s.jobs().SettingsVersion()) == 3);
    std::vector<JobLogLine> lines = Must(s.jobs().LogOf(parent.id, 3, 10));
    REQUIRE(lines.size() == 2);  // of the last three, those behind the third
    CHECK(lines[0].sequence == 4);
    CHECK(lines[1].message == "5");
  });
}

}  // namespace mediagen
