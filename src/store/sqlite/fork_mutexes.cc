#include "store/sqlite/fork_mutexes.h"

#include <pthread.h>
#include <sqlite3.h>

#include <array>
#include <mutex>
#include <vector>

namespace mediagen {
namespace {

// In the order in which SQLite itself nests them, or a fork and another thread would wait for each other: a
// temporary file's name (VFS1) asks for randomness (PRNG), whose first use looks up the VFS (MAIN); the page
// cache (LRU, PMEM) comes later, and everything may allocate (MEM).
constexpr std::array kOrder = {SQLITE_MUTEX_STATIC_APP1, SQLITE_MUTEX_STATIC_APP2, SQLITE_MUTEX_STATIC_APP3,
                               SQLITE_MUTEX_STATIC_OPEN, SQLITE_MUTEX_STATIC_VFS1, SQLITE_MUTEX_STATIC_VFS2,
                               SQLITE_MUTEX_STATIC_VFS3, SQLITE_MUTEX_STATIC_PRNG, SQLITE_MUTEX_STATIC_MAIN,
                               SQLITE_MUTEX_STATIC_LRU,  SQLITE_MUTEX_STATIC_PMEM, SQLITE_MUTEX_STATIC_MEM};

std::array<sqlite3_mutex*, kOrder.size()>& Mutexes() {
  static auto* mutexes =
      new std::array<sqlite3_mutex*, kOrder.size()>();  // threads may outlive static destruction
  return *mutexes;
}

// The writers of this process; taken before their mutexes.
struct Writers {
  std::mutex mutex;
  std::vector<std::mutex*> driving;
};
Writers& AllWriters() {
  static auto* writers = new Writers();
  return *writers;
}

void Hold() {
  AllWriters().mutex.lock();
  for (std::mutex* driving : AllWriters().driving) driving->lock();
  for (sqlite3_mutex* mutex : Mutexes()) sqlite3_mutex_enter(mutex);
}

void Release() {
  for (size_t i = kOrder.size(); i > 0; --i) sqlite3_mutex_leave(Mutexes()[i - 1]);
  for (std::mutex* driving : AllWriters().driving) driving->unlock();
  AllWriters().mutex.unlock();
}

}  // namespace

void HoldSqliteMutexesOverFork() {
  static std::once_flag once;
  std::call_once(once, [] {
    sqlite3_initialize();
    // Static mutexes are not made by this, only named; a SQLite without threads answers null, which
    // sqlite3_mutex_enter takes.
    for (size_t i = 0; i < kOrder.size(); ++i) Mutexes()[i] = sqlite3_mutex_alloc(kOrder[i]);
    pthread_atfork(Hold, Release, Release);
  });
}

void HoldOverFork(std::mutex* driving) {
  std::lock_guard lock(AllWriters().mutex);
  AllWriters().driving.push_back(driving);
}

void ForgetOverFork(std::mutex* driving) {
  std::lock_guard lock(AllWriters().mutex);
  std::erase(AllWriters().driving, driving);
}

}  // namespace mediagen
