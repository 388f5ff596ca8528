// queue-relaxed: the same as bench queue, where a power cut may cost the last commits (WAL,
// synchronous=NORMAL): beside plainjob, BullMQ on Redis (appendfsync everysec), huey (synchronous=OFF), and a
// queue by hand on SQLite.
#include "support/queue_work.h"
#include "support/report.h"
#include "support/rounds.h"

int main() {
  using namespace mediagen::bench;
  constexpr int kJobs = 10'000;
  QueueRates plainjob, redis, huey, raw;
  auto samples = RunInterleaved({
      {"mediagen", [&] { return RunMediagen(kJobs, Durability::kRelaxed).cycle; }},
      {"plainjob",
       [&] {
         plainjob = RunNodePeer("plainjob", kJobs);
         return plainjob.cycle;
       }},
      {"BullMQ, Redis everysec",
       [&] {
         redis = RunNodePeer("bullmq-everysec", kJobs);
         return redis.cycle;
       }},
      {"huey",
       [&] {
         huey = RunHuey(kJobs, Durability::kRelaxed);
         return huey.cycle;
       }},
      {"SQLite C",
       [&] {
         raw = RunSqlite(kJobs, Durability::kRelaxed);
         return raw.cycle;
       }},
  });
  const char* work = "enqueue, claim, finish; every job exactly once";
  Report report("queue-relaxed");
  report.Add({work, "jobs/s", "plainjob", plainjob.version, Compare(samples[0], samples[1], Better::kMore),
              4.0, std::nullopt});
  report.Add({work, "jobs/s", "BullMQ, Redis appendfsync everysec, 32 workers", redis.version,
              Compare(samples[0], samples[2], Better::kMore), std::nullopt, std::nullopt});
  report.Add({work, "jobs/s", "huey, SQLite synchronous=OFF, no leases", huey.version,
              Compare(samples[0], samples[3], Better::kMore), std::nullopt, std::nullopt});
  report.Add({work, "jobs/s", "SQLite C, groups of 100", raw.version,
              Compare(samples[0], samples[4], Better::kMore), std::nullopt, 0.8});
  return report.Finish();
}
