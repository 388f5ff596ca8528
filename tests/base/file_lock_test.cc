#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/file.h"
#include "support/child.h"
#include "support/temp_dir.h"

using namespace mediagen;
using namespace mediagen::testing;

TEST_CASE("two locks of one process exclude each other, shared ones do not") {
  TempDir dir;
  auto a = FileLock::Open(dir / "lock").value(), b = FileLock::Open(dir / "lock").value();
  CHECK((fcntl(a->fd(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(a->TryLockExclusive());
  CHECK_FALSE(b->TryLockExclusive());
  CHECK_FALSE(b->TryLockShared());
  a->Unlock();
  CHECK(a->TryLockShared());
  CHECK(b->TryLockShared());
  CHECK_FALSE(b->TryLockExclusive());
  a->Unlock();
  CHECK(b->TryLockExclusive());
  b->Close();
  CHECK(a->LockExclusive().ok());
  CHECK(a->LockShared().ok());                    // taken anew, as the weaker one
  CHECK(SystemFiles()->Stat(dir / "lock").ok());  // never unlinked
}

TEST_CASE("a lock is waited for") {
  TempDir dir;
  auto a = FileLock::Open(dir / "lock").value(), b = FileLock::Open(dir / "lock").value();
  REQUIRE(a->LockExclusive().ok());
  std::atomic<bool> released{false};
  std::promise<void> waiting;
  std::thread waiter([&] {
    waiting.set_value();
    CHECK(b->LockExclusive().ok());
    CHECK(released);
  });
  waiting.get_future().wait();
  released = true;
  a->Unlock();
  waiter.join();
  CHECK_FALSE(a->TryLockShared());
  b.reset();
  CHECK(a->LockShared().ok());
}

TEST_CASE("a closed lock is free for others and refuses its owner") {
  TempDir dir;
  auto a = FileLock::Open(dir / "lock").value(), b = FileLock::Open(dir / "lock").value();
  REQUIRE(a->LockExclusive().ok());
  a->Close();
  a->Close();
  CHECK(b->TryLockExclusive());
  CHECK(CodeOf(a->LockExclusive()) == Code::kClosed);
  CHECK(CodeOf(a->LockShared()) == Code::kClosed);
  CHECK_FALSE(a->TryLockExclusive());
  CHECK_FALSE(a->TryLockShared());
  a->Unlock();
  CHECK_FALSE(FileLock::Open(dir / "lock").value()->TryLockShared());
}

TEST_CASE("a forked child neither holds nor releases its parent's lock") {
  TempDir dir;
  auto lock = FileLock::Open(dir / "lock").value();
  REQUIRE(lock->LockExclusive().ok());
  CHECK(ExitCodeOfChild([&] {
          if (fcntl(lock->fd(), F_GETFD) != -1) return 1;  // closed by the fork handler
          if (CodeOf(lock->LockExclusive()) != Code::kForked || lock->TryLockShared()) return 2;
          int reused = dup2(STDERR_FILENO, lock->fd());
          lock->Unlock();
          lock->Close();
          if (fcntl(reused, F_GETFD) == -1) return 3;  // somebody else's by now
          auto mine = FileLock::Open(dir / "lock");
          return mine.ok() && !(*mine)->TryLockExclusive() ? 0 : 4;
        }) == 0);
  CHECK_FALSE(FileLock::Open(dir / "lock").value()->TryLockExclusive());
  lock.reset();
  CHECK(FileLock::Open(dir / "lock").value()->TryLockExclusive());
}

TEST_CASE("a lock ends with its process, while a child of that process lives on") {
  TempDir dir;
  int child_runs[2], may_end[2];
  REQUIRE(pipe(child_runs) == 0);
  REQUIRE(pipe(may_end) == 0);
  char byte = 1;
  CHECK(ExitCodeOfChild([&] {
          auto lock = FileLock::Open(dir / "lock");
          if (!lock.ok() || !(*lock)->LockExclusive().ok()) return 1;
          if (fork() == 0) {  // outlives the holder
            ssize_t told = write(child_runs[1], &byte, 1);
            ssize_t asked = read(may_end[0], &byte, 1);
            _exit(told == 1 && asked == 1 ? 0 : 1);
          }
          return read(child_runs[0], &byte, 1) == 1 ? 0 : 2;  // its fork handler has run
        }) == 0);
  CHECK(FileLock::Open(dir / "lock").value()->TryLockExclusive());
  CHECK(write(may_end[1], &byte, 1) == 1);
  for (int fd : {child_runs[0], child_runs[1], may_end[0], may_end[1]}) close(fd);
}

TEST_CASE("more locks than the fork handler can know are refused") {
  TempDir dir;
  CHECK(ExitCodeOfChild([&] {
          for (int fake = 100'000; CloseInChild(fake); ++fake) {
          }
          return CodeOf(FileLock::Open(dir / "lock").status()) == Code::kOverloaded ? 0 : 1;
        }) == 0);
}
