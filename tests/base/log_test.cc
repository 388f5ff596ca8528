#include "base/log.h"

#include <doctest/doctest.h>

#include <thread>

using namespace mediagen;

namespace {

std::string Messages(const LogSink& log) {
  std::string all;
  for (const LogRecord& record : log.Recent()) all += record.message + " ";
  return all;
}

}  // namespace

TEST_CASE("the newest records are kept, oldest first") {
  FakeClock clock;
  LogSink log(&clock, 3);
  CHECK(log.Recent().empty());
  for (int i = 1; i <= 7; ++i) {
    log.Write(LogLevel::kInfo, "jobs", std::to_string(i));
    if (i == 2) CHECK(Messages(log) == "1 2 ");
    if (i == 3) CHECK(Messages(log) == "1 2 3 ");
    if (i == 4) CHECK(Messages(log) == "2 3 4 ");
  }
  CHECK(Messages(log) == "5 6 7 ");
}

TEST_CASE("a record has its time, level, source and fields") {
  FakeClock clock;
  LogSink log(&clock);
  clock.Advance(5);
  log.Write(LogLevel::kWarning, "store", "slow", {{"ms", "300"}, {"table", "job"}});
  LogRecord record = log.Recent().at(0);
  CHECK(record.at_ms == clock.WallMs());
  CHECK(record.level == LogLevel::kWarning);
  CHECK(record.source == "store");
  CHECK(record.message == "slow");
  CHECK(record.fields == std::vector<std::pair<std::string, std::string>>{{"ms", "300"}, {"table", "job"}});
}

TEST_CASE("a listener hears every record until it is replaced, also with no ring") {
  FakeClock clock;
  LogSink log(&clock, 0);
  std::string first, second;
  log.Listen([&](const LogRecord& record) { first += record.message; });
  log.Write(LogLevel::kError, "net", "a");
  log.Listen([&](const LogRecord& record) { second += record.message; });
  log.Write(LogLevel::kError, "net", "b");
  log.Listen(nullptr);
  log.Write(LogLevel::kError, "net", "c");
  CHECK(first == "a");
  CHECK(second == "b");
  CHECK(log.Recent().empty());
}

TEST_CASE("threads log into one ring, and listeners hear each record once") {
  FakeClock clock;
  LogSink log(&clock, 16);
  int heard = 0;  // the sink's lock guards it
  log.Listen([&](const LogRecord&) { ++heard; });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 250; ++i) {
        log.Write(LogLevel::kDebug, "test", "m");
        CHECK(log.Recent().size() <= 16);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(heard == 1000);
}

TEST_CASE("levels have names") {
  CHECK(LogLevelName(LogLevel::kDebug) == "debug");
  CHECK(LogLevelName(LogLevel::kInfo) == "info");
  CHECK(LogLevelName(LogLevel::kWarning) == "warning");
  CHECK(LogLevelName(LogLevel::kError) == "error");
}
