// claim: one claim of one job where the queue is nearly empty, and beside it where it holds ten million
// finished jobs, half a million delayed ones, or a hundred thousand that wait for a key whose slots are
// taken.
#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "fmt/format.h"
#include "support/folder.h"
#include "support/queue_host.h"
#include "support/report.h"
#include "support/rounds.h"

namespace {

using namespace mediagen::bench;
using Steady = std::chrono::steady_clock;

constexpr int kClaims = 200;
constexpr char kSettings[] = R"({"concurrency": 100, "perKey": {"provider": 1},
  "keep": {"done": {"ageMs": 315360000000, "count": 1000000000}}})";

void Check(sqlite3* db, int result) {
  if (result == SQLITE_OK || result == SQLITE_DONE) return;
  std::fprintf(stderr, "bench claim: %s\n", sqlite3_errmsg(db));
  std::exit(1);
}

// Rows as a finish leaves them, written past the library: ten million of them would take it an hour.
void AddFinished(const std::string& folder, int64_t count) {
  { QueueHost make(folder, kSettings); }
  sqlite3* db = nullptr;
  Check(db, sqlite3_open((folder + "/mediagen.db").c_str(), &db));
  auto run = [&](const std::string& sql) {
    Check(db, sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr));
  };
  run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; BEGIN");
  sqlite3_stmt* insert = nullptr;
  Check(db,
        sqlite3_prepare_v2(db, R"sql(INSERT INTO job (id, queue, kind, user, created_ms, state, provider_key,
payload, priority, run_at_ms, due_mono, fence, tries, timeout_ms, progress, result, error, checkpoint, unique_key,
alive_mono, cancel_requested, finished_ms, rest) VALUES
(?1, 'bench', 'work', '', ?2, 'done', '', '{}', 0, -1, -1, 1, 0, 900000, '', '', '', '', '', -1, 0, ?2, 'done'))sql",
                           -1, &insert, nullptr));
  for (int64_t i = 0; i < count; ++i) {
    unsigned char id[16] = {1};
    for (int byte = 0; byte < 8; ++byte) id[15 - byte] = static_cast<unsigned char>(i >> (8 * byte));
    sqlite3_bind_blob(insert, 1, id, sizeof id, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 2, 1'700'000'000'000 + i);
    Check(db, sqlite3_step(insert));
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  run(fmt::format("INSERT INTO queue_state VALUES ('bench', 'done', {}); COMMIT; PRAGMA journal_mode = WAL",
                  count));
  sqlite3_close(db);
}

void AddMany(QueueHost& host, int count, std::string_view fields) {
  for (int added = 0; added < count; added += 1000) {
    std::string jobs = "[";
    for (int i = 0; i < 1000; ++i)
      jobs += fmt::format(R"({}{{"queue": "bench", "kind": "work"{}}})", i == 0 ? "" : ",", fields);
    host.Enqueue(jobs + "]");
  }
}

// The median of single claims, in ms. Each job has a key of its own that is free.
double ClaimMs(QueueHost& host) {
  std::vector<double> times;
  for (int i = 0; i < kClaims; ++i) {
    host.Enqueue(R"({"queue": "bench", "kind": "work", "keys": {"provider": "free"}})");
    const auto start = Steady::now();
    const std::string job = host.Taken(host.BeginClaim());
    times.push_back(std::chrono::duration<double, std::milli>(Steady::now() - start).count());
    host.Finish(job);
  }
  return Percentile(times, 0.5);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t finished = argc > 1 ? std::atoll(argv[1]) : 10'000'000;
  Folder few, many, later, busy;
  AddFinished(few.path, 1000);
  AddFinished(many.path, finished);
  QueueHost small(few.path, kSettings), large(many.path, kSettings), delayed(later.path, kSettings),
      saturated(busy.path, kSettings);
  AddMany(delayed, 500'000, R"(, "runAt": "2099-01-01T00:00:00Z")");
  AddMany(saturated, 100'000, R"(, "keys": {"provider": "busy"})");
  const std::string held = saturated.Taken(saturated.BeginClaim());  // the one slot of that key
  auto samples = RunInterleaved({{"1 k finished", [&] { return ClaimMs(small); }},
                                 {"10 M finished", [&] { return ClaimMs(large); }},
                                 {"500 k delayed", [&] { return ClaimMs(delayed); }},
                                 {"100 k behind a saturated key", [&] { return ClaimMs(saturated); }}});
  Report report("claim");
  const std::string names[] = {"", fmt::format("{} finished jobs", finished), "500,000 delayed jobs",
                               "100,000 waiting for one saturated key"};
  for (size_t i = 1; i < 4; ++i) {
    report.Add({"one claim, " + names[i], "p50 ms", "1,000 finished jobs", "",
                Compare(samples[i], samples[0], Better::kLess), 1 / 1.3, 1 / 1.1});
  }
  return report.Finish();
}
