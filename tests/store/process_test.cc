// Several processes on one directory. The children are this very program, started again with the name of one
// of the skipped cases below.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <set>

#include "contract/store_support.h"
#include "sqlite_backend.h"

namespace mediagen {
namespace {

constexpr const char* kDirVariable = "MEDIAGEN_TEST_DIR";
constexpr const char* kPipeVariable = "MEDIAGEN_TEST_PIPE";

// A child process that runs one case of this program; what it writes to its pipe can be read line by line.
class ChildProcess {
 public:
  ChildProcess(const std::string& test_case, const std::string& dir) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const std::string filter = "--test-case=" + test_case;
    const std::string pipe_number = std::to_string(ends[1]);
    setenv(kDirVariable, dir.c_str(), 1);  // here, since a child of several threads must not allocate
    setenv(kPipeVariable, pipe_number.c_str(), 1);
    pid_ = fork();
    if (pid_ == 0) {
      close(ends[0]);
      execl("/proc/self/exe", "test_store", "--no-skip", filter.c_str(), "--minimal", nullptr);
      _exit(127);
    }
    close(ends[1]);
    out_ = fdopen(ends[0], "r");
  }
  ~ChildProcess() {
    fclose(out_);
    if (pid_ > 0) Kill();
  }

  // The next line without its end; "" when the child has closed its pipe.
  std::string Line() {
    char line[256];
    if (fgets(line, sizeof line, out_) == nullptr) return "";
    std::string text(line);
    return text.substr(0, text.find('\n'));
  }
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }
  void Kill() {
    kill(pid_, SIGKILL);
    Wait();
  }

 private:
  pid_t pid_ = -1;
  FILE* out_ = nullptr;
};

// The child's side.
class Parent {
 public:
  Parent() : pipe_(atoi(getenv(kPipeVariable))) {}
  std::string dir() const { return getenv(kDirVariable); }
  void Tell(const std::string& line) {
    std::string text = line + "\n";
    CHECK(write(pipe_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }

 private:
  int pipe_;
};

std::unique_ptr<Store> OpenAt(const std::string& dir, Metrics* metrics, LogSink* log) {
  return Must(OpenSqliteStore(SystemClock(), SystemFiles(), metrics, log, {.dir = dir}));
}

struct ChildStore {
  Parent parent;
  Metrics metrics;
  LogSink log{SystemClock()};
  std::unique_ptr<Store> store = OpenAt(parent.dir(), &metrics, &log);
};

constexpr int kRows = 2000;

Status AppendNumbered(Transaction& t, const std::string& who, int number) {
  return t.events().Append({.topic = "t", .type = who, .object = std::to_string(number)}).status();
}

void WriteRows(Store& store, const std::string& who) {
  for (int i = 0; i < kRows; ++i)
    Must(Write(store, [&](Transaction& t) { return AppendNumbered(t, who, i); }));
}

}  // namespace

TEST_CASE("child: writes its rows" * doctest::skip()) {
  ChildStore child;
  child.parent.Tell("open");
  WriteRows(*child.store, "child");
}

TEST_CASE("two processes that write at the same time lose no row") {
  SqliteBackend backend(SqliteOptions{});
  ChildProcess child("child: writes its rows", backend.dir());
  REQUIRE(child.Line() == "open");
  WriteRows(backend.store(), "parent");
  CHECK(child.Wait() == 0);
  std::set<std::string> rows;
  Look(backend.store(), [&](const Snapshot& s) {
    std::vector<Event> events = Must(s.events().After(0, 10 * kRows));
    CHECK(events.size() == 2 * kRows);
    for (const Event& event : events) rows.insert(event.type + event.object);
  });
  CHECK(rows.size() == 2 * kRows);
}

TEST_CASE("child: writes until it is killed" * doctest::skip()) {
  ChildStore child;
  for (int i = 0;; ++i) {
    Status status = Write(*child.store, [&](Transaction& t) { return AppendNumbered(t, "child", i); });
    if (!status.ok()) return;
    child.parent.Tell(std::to_string(i));  // acknowledged: from now on it must be there
  }
}

TEST_CASE(
    "a writer that is killed leaves every row that it acknowledged, and at most the one that it was at") {
  for (int acknowledged_before_kill : {0, 1, 50, 400}) {
    SqliteBackend backend(SqliteOptions{});
    backend.Close();  // the survivor opens afterwards and recovers
    ChildProcess child("child: writes until it is killed", backend.dir());
    int acknowledged = 0;
    while (acknowledged < acknowledged_before_kill && !child.Line().empty()) ++acknowledged;
    child.Kill();
    while (!child.Line().empty()) ++acknowledged;  // what still stood in the pipe
    std::unique_ptr<Store> store = backend.OpenAnother();
    Look(*store, [&](const Snapshot& s) {
      std::vector<Event> events = Must(s.events().After(0, 100'000));
      CHECK(events.size() >= static_cast<size_t>(acknowledged));
      CHECK(events.size() <= static_cast<size_t>(acknowledged) + 1);
      for (size_t i = 0; i < events.size(); ++i) CHECK(events[i].object == std::to_string(i));
    });
    Must(Write(*store, [](Transaction& t) { return AppendNumbered(t, "survivor", 0); }));
  }
}

TEST_CASE("child: tells what it hears" * doctest::skip()) {
  Parent parent;
  Metrics metrics;
  LogSink log{SystemClock()};
  std::unique_ptr<Store> store = OpenAt(parent.dir(), &metrics, &log);
  std::mutex mutex;
  std::condition_variable heard_cv;
  bool heard = false;
  store->OnWake([&](const Store::Wake& wake) {
    std::lock_guard lock(mutex);
    heard = heard || (wake.foreign && wake.queues);
    heard_cv.notify_all();
  });
  parent.Tell("listening");
  std::unique_lock lock(mutex);
  CHECK(heard_cv.wait_for(lock, std::chrono::minutes(1), [&] { return heard; }));
  parent.Tell("heard");
}

TEST_CASE("a commit wakes the other process") {
  SqliteBackend backend(SqliteOptions{});
  ChildProcess child("child: tells what it hears", backend.dir());
  REQUIRE(child.Line() == "listening");
  Must(Write(backend.store(), [](Transaction& t) { t.WakeQueues(); }));
  CHECK(child.Line() == "heard");
  CHECK(child.Wait() == 0);
}

}  // namespace mediagen
