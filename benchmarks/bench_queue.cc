// queue: 200-byte jobs, enqueue → claim → finish, durable at every commit, beside BullMQ on Redis
// (appendfsync always) and on PostgreSQL, beside huey on SQLite, and beside a queue by hand on SQLite.
#include "support/queue_work.h"
#include "support/report.h"
#include "support/rounds.h"

int main() {
  using namespace mediagen::bench;
  constexpr int kJobs = 10'000, kSlowJobs = 3'000;
  QueueRates ours, redis, postgres, huey, raw;
  std::vector<double> enqueue, process, raw_enqueue, raw_process;
  auto samples = RunInterleaved({
      {"mediagen",
       [&] {
         ours = RunMediagen(kJobs, Durability::kFull);
         enqueue.push_back(ours.enqueue);
         process.push_back(ours.process);
         return ours.cycle;
       }},
      {"BullMQ, Redis always",
       [&] {
         redis = RunNodePeer("bullmq-always", kJobs);
         return redis.cycle;
       }},
      {"BullMQ, PostgreSQL",
       [&] {
         postgres = RunNodePeer("bullmq-postgres", kSlowJobs);
         return postgres.cycle;
       }},
      {"huey",
       [&] {
         huey = RunHuey(kSlowJobs, Durability::kFull);
         return huey.cycle;
       }},
      {"SQLite C",
       [&] {
         raw = RunSqlite(kJobs, Durability::kFull);
         raw_enqueue.push_back(raw.enqueue);
         raw_process.push_back(raw.process);
         return raw.cycle;
       }},
  });
  for (auto* figures : {&enqueue, &process, &raw_enqueue, &raw_process})
    figures->erase(figures->begin());  // the round that does not count
  const char* work = "enqueue, claim, finish; every job exactly once";
  Report report("queue");
  report.Add({work, "jobs/s", "BullMQ, Redis appendfsync always, 32 workers", redis.version,
              Compare(samples[0], samples[1], Better::kMore), 3.0, std::nullopt});
  report.Add({work, "jobs/s", "BullMQ, PostgreSQL, 32 workers", postgres.version,
              Compare(samples[0], samples[2], Better::kMore), 10.0, std::nullopt});
  report.Add({work, "jobs/s", "huey, SQLite, no leases", huey.version,
              Compare(samples[0], samples[3], Better::kMore), std::nullopt, std::nullopt});
  report.Add({work, "jobs/s", "SQLite C, groups of 100", raw.version,
              Compare(samples[0], samples[4], Better::kMore), std::nullopt, 0.8});
  report.Add({"enqueue alone, 100 a call", "jobs/s", "SQLite C, groups of 100", raw.version,
              Compare({"", enqueue}, {"", raw_enqueue}, Better::kMore), std::nullopt, std::nullopt});
  report.Add({"claim and finish alone", "jobs/s", "SQLite C, groups of 100", raw.version,
              Compare({"", process}, {"", raw_process}, Better::kMore), std::nullopt, std::nullopt});
  return report.Finish();
}
