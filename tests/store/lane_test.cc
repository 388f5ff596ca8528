// The lanes' counts against the jobs themselves, after everything that can move a job.
#include <map>
#include <set>
#include <tuple>

#include "SQLiteCpp/Database.h"
#include "SQLiteCpp/Statement.h"
#include "sqlite_backend.h"
#include "support/fault_vfs.h"

namespace mediagen {
namespace {

using LaneKey = std::tuple<std::string, std::string, std::string, int>;
using LaneCounts = std::map<LaneKey, std::pair<int, int>>;

LaneCounts ReadCounts(const std::string& path, const char* sql) {
  SQLite::Database database(path);
  SQLite::Statement query(database, sql);
  LaneCounts counts;
  while (query.executeStep()) {
    LaneKey key{query.getColumn(0).getString(), query.getColumn(1).getString(),
                query.getColumn(2).getString(), query.getColumn(3).getInt()};
    counts[key] = {query.getColumn(4).getInt(), query.getColumn(5).getInt()};
  }
  return counts;
}

// One random move of one of the jobs; whatever the store answers is its business, the counts are ours.
Status RandomMove(JobStore& jobs, Random& random, IdSource& ids, std::vector<Id>* known) {
  const char* users[] = {"a", "b", "c", ""};
  const char* providers[] = {"p", "q", ""};
  if (known->empty() || random.Below(3) == 0) {
    Job job;
    job.id = ids.Next();
    job.queue = random.Below(4) == 0 ? "other" : "main";
    job.user = users[random.Below(4)];
    job.provider_key = providers[random.Below(3)];
    job.model_key = random.Below(4) == 0 ? "m" : "";
    job.priority = static_cast<int>(random.Below(3));
    job.state = random.Below(4) == 0 ? JobState::kScheduled : JobState::kReady;
    known->push_back(job.id);
    return jobs.Insert(job).status();
  }
  if (random.Below(4) == 0) {
    ClaimLimits limits{.concurrency = 20,
                       .per_provider = static_cast<int>(random.Below(8)),
                       .per_user = static_cast<int>(random.Below(6))};
    return jobs.Claim("main", 3, limits, ids.Next(), 1).status();
  }
  if (random.Below(8) == 0) return jobs.PromoteDue(1, 1, "boot", 2).status();
  if (random.Below(8) == 0) {
    Id after;
    std::vector<std::string> blobs;
    return jobs.Prune("main", JobState::kDone, INT64_MAX, 2, &after, &blobs).status();
  }
  ASSIGN_OR_RETURN(std::optional<Job> job, jobs.Find((*known)[random.Below(known->size())]));
  if (!job) return OkStatus();
  job->state = static_cast<JobState>(random.Below(8));
  job->priority = static_cast<int>(random.Below(3));
  job->provider_key = providers[random.Below(3)];
  return jobs.Update(*job, job->fence);
}

TEST_CASE("whatever moves jobs, the lanes count what is there") {
  SqliteBackend backend({.threaded = false, .relaxed = true});
  std::unique_ptr<Random> random = SeededRandom(7);
  IdSource ids(backend.clock(), random.get());
  std::vector<Id> known;
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 25; ++i) {
      std::vector<Id> before = known;
      bool undone = random->Below(10) == 0;  // an operation that fails takes its counts with it
      Status status = backend.store().Commit([&](Transaction& t) -> Status {
        RETURN_IF_ERROR(RandomMove(t.jobs(), *random, ids, &known));
        return undone ? Error(Code::kInvalid, "undone.") : OkStatus();
      });
      CHECK(status.ok() == !undone);
      if (undone) known = before;
    }
    CHECK(ReadCounts(backend.database(),
                     "SELECT queue, user, provider_key || model_key, priority, ready, running FROM lane") ==
          ReadCounts(backend.database(), R"sql(SELECT queue, user, provider_key || model_key, priority,
            sum(state = 'ready'), sum(state IN ('running', 'parked')) FROM job
            WHERE state IN ('ready', 'running', 'parked') GROUP BY 1, 2, 3, 4)sql"));
    CHECK(ReadCounts(backend.database(),
                     "SELECT queue, state, '', 0, jobs, 0 FROM queue_state WHERE jobs <> 0") ==
          ReadCounts(backend.database(), "SELECT queue, state, '', 0, count(*), 0 FROM job GROUP BY 1, 2"));
  }
  SQLite::Database database(backend.database());
  CHECK(database
            .execAndGet("SELECT count(*) FROM (SELECT queue, user FROM lane GROUP BY 1, 2 HAVING min(turn) "
                        "<> max(turn))")
            .getInt() == 0);
}

// Fills a queue with jobs of as many users: a third finished, a third delayed, a third ready at a provider
// that is saturated.
void Fill(SqliteBackend& backend, int count) {
  Must(backend.store().Commit([&](Transaction& t) -> Status {
    for (int i = 0; i < count; ++i) {
      Job job;
      job.id = backend.NewId();
      job.queue = "main";
      job.user = "user-" + std::to_string(i);
      job.provider_key = "busy";
      job.state = i % 3 == 0 ? JobState::kScheduled : i % 3 == 1 ? JobState::kDone : JobState::kReady;
      job.run_at_ms = INT64_MAX;
      RETURN_IF_ERROR(t.jobs().Insert(job).status());
    }
    return OkStatus();
  }));
}

// How many pages a fresh connection reads to claim the one job that can be claimed: work that does not depend
// on the machine.
long PagesForClaim(SqliteBackend& backend, testing::FaultVfs& vfs) {
  Job job;
  job.id = backend.NewId();
  job.queue = "main";
  job.user = job.provider_key = "free";
  Must(backend.store().Commit([&](Transaction& t) { return t.jobs().Insert(job).status(); }));
  backend.Reopen();
  std::vector<Job> claimed;
  long before = vfs.Count(testing::FaultVfs::kDatabaseRead);
  Must(backend.store().Commit([&](Transaction& t) -> Status {
    ASSIGN_OR_RETURN(claimed,
                     t.jobs().Claim("main", 2, {.concurrency = 100, .per_provider = 3}, backend.NewId(), 1));
    return OkStatus();
  }));
  long pages = vfs.Count(testing::FaultVfs::kDatabaseRead) - before;
  REQUIRE(claimed.size() == 1);
  CHECK(claimed[0].id == job.id);
  claimed[0].state = JobState::kDone;
  Must(backend.store().Commit([&](Transaction& t) { return t.jobs().Update(claimed[0], claimed[0].fence); }));
  return pages;
}

TEST_CASE("a claim seeks past finished jobs, delayed jobs and saturated lanes, however many there are") {
  testing::FaultVfs vfs;
  SqliteBackend backend({.threaded = false, .relaxed = true, .vfs = vfs.name()});
  Fill(backend, 300);
  Must(backend.store().Commit([&](Transaction& t) {
    return t.jobs().Claim("main", 3, {.concurrency = 100}, backend.NewId(), 1).status();
  }));
  long few = PagesForClaim(backend, vfs);
  Fill(backend, 15'000);
  long many = PagesForClaim(backend, vfs);
  CHECK(few > 0);
  CHECK(many <= few + 25);  // a level more in each of its trees; reading the lanes alone would take hundreds
  MESSAGE(few << " pages, then " << many);
}

TEST_CASE("many more users than a claim reads at once are still served in turn, across claims") {
  SqliteBackend backend({.threaded = false, .relaxed = true});
  std::unique_ptr<Random> random = SeededRandom(11);
  IdSource ids(backend.clock(), random.get());
  constexpr int kUsers = 200, kEach = 3;
  auto user = [](int i) { return "u" + std::to_string(1000 + i * 7 % kUsers); };  // not in the order of names
  REQUIRE(backend.store()
              .Commit([&](Transaction& t) -> Status {
                for (int i = 0; i < kUsers * kEach; ++i) {
                  Job job;
                  job.id = ids.Next();
                  job.queue = "main";
                  job.user = user(i / kEach);  // one user's jobs all stand before the next one's
                  job.provider_key = i / kEach % 2 == 0 ? "p" : "q";
                  RETURN_IF_ERROR(t.jobs().Insert(job).status());
                }
                return OkStatus();
              })
              .ok());
  std::vector<std::string> served;
  while (served.size() < kUsers * kEach) {
    std::vector<Job> claimed;
    REQUIRE(backend.store()
                .Commit([&](Transaction& t) -> Status {
                  ASSIGN_OR_RETURN(claimed,
                                   t.jobs().Claim("main", 37, {.concurrency = 100'000}, ids.Next(), 1));
                  return OkStatus();
                })
                .ok());
    REQUIRE_FALSE(claimed.empty());
    for (const Job& job : claimed) served.push_back(job.user);
  }
  for (size_t i = 0; i < served.size(); ++i) {
    CAPTURE(i);
    REQUIRE(served[i] == user(static_cast<int>(i % kUsers)));
  }
}

}  // namespace
}  // namespace mediagen
