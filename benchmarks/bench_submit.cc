// submit: what a caller waits for until its request is durable, with 64 callers at once; and how many a
// second that makes, beside SQLite alone writing rows of the same size with the same durability.
#include <mediagen/mediagen.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "support/folder.h"
#include "support/report.h"
#include "support/rounds.h"

namespace {

using namespace mediagen::bench;
using Steady = std::chrono::steady_clock;

constexpr int kCallers = 64, kEach = 40;

mediagen_str Str(const std::string& text) { return {text.data(), text.size()}; }

double Ms(Steady::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

struct Figures {
  double p99_ms = 0, per_second = 0;
};

// 64 threads, each submitting and waiting for one after another. The queue is paused: nothing but the submit
// is measured.
Figures Submits() {
  Folder folder;
  const std::string config =
      R"({"dataDir": ")" + folder.path + R"(", "queues": {"generate": {"paused": true}}})";
  mediagen_engine* engine = nullptr;
  if (mediagen_open(MEDIAGEN_ABI, Str(config), &engine, nullptr) != MEDIAGEN_OK) std::exit(1);
  std::vector<std::vector<double>> times(kCallers);
  std::vector<std::thread> callers;
  callers.reserve(kCallers);
  const auto start = Steady::now();
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      const std::string request =
          R"({"user": "u)" + std::to_string(caller) +
          R"(", "provider": "sketch", "prompt": "a red fox in snow, oil on canvas, late light"})";
      for (int i = 0; i < kEach; ++i) {
        const auto begin = Steady::now();
        mediagen_call* call = nullptr;
        const bool good = mediagen_submit_begin(engine, Str(request), nullptr, 0, &call, nullptr) >= 0 &&
                          mediagen_call_wait(call, -1, nullptr) == MEDIAGEN_OK;
        times[static_cast<size_t>(caller)].push_back(Ms(Steady::now() - begin));
        mediagen_call_free(call);
        if (!good) std::exit(1);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  const double seconds = Ms(Steady::now() - start) / 1000;
  mediagen_engine_free(engine);
  std::vector<double> all;
  for (const auto& some : times) all.insert(all.end(), some.begin(), some.end());
  return {Percentile(all, 0.99), kCallers * kEach / seconds};
}

void Run(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    std::fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
    std::exit(1);
  }
}

// What the disk and SQLite allow: transactions of 64 submits' worth of rows (a generation, a job, an event
// each), two indexes, WAL, synchronous=FULL.
double RawRowsPerSecond() {
  Folder folder;
  sqlite3* db = nullptr;
  if (sqlite3_open((folder.path + "/raw.db").c_str(), &db) != SQLITE_OK) std::exit(1);
  Run(db,
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE generation(seq INTEGER PRIMARY KEY, id "
      "BLOB UNIQUE, user TEXT, body TEXT, at INTEGER);"
      "CREATE INDEX by_user ON generation(user, at DESC, id DESC); CREATE TABLE job(seq INTEGER PRIMARY KEY, "
      "id BLOB UNIQUE, body TEXT);"
      "CREATE TABLE event(sequence INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT)");
  const auto start = Steady::now();
  for (int group = 0; group < kEach; ++group) {
    Run(db, "BEGIN IMMEDIATE");
    for (int i = 0; i < kCallers; ++i) {
      Run(db,
          "INSERT INTO generation(id, user, body, at) VALUES(randomblob(16), 'u1', hex(randomblob(200)), 1);"
          "INSERT INTO job(id, body) VALUES(randomblob(16), hex(randomblob(50))); INSERT INTO event(body) "
          "VALUES(hex(randomblob(100)))");
    }
    Run(db, "COMMIT");
  }
  const double seconds = Ms(Steady::now() - start) / 1000;
  sqlite3_close(db);
  return kCallers * kEach / seconds;
}

}  // namespace

int main() {
  std::vector<double> p99;
  auto samples = RunInterleaved({{"mediagen",
                                  [&] {
                                    Figures figures = Submits();
                                    p99.push_back(figures.p99_ms);
                                    return figures.per_second;
                                  }},
                                 {"SQLite C", RawRowsPerSecond}});
  p99.erase(p99.begin());  // the round that does not count
  Report report("submit");
  report.Add({"submit (begin + wait), durable, 64 callers", "p99 ms", "bound", "",
              CompareWithBound({"mediagen", p99}, 20, Better::kLess), 1.0, std::nullopt});
  report.Add({"the same, throughput", "submits/s", "SQLite C, groups of 64", sqlite3_libversion(),
              Compare(samples[0], samples[1], Better::kMore), std::nullopt, std::nullopt});
  return report.Finish();
}
