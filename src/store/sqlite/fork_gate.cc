#include "store/sqlite/fork_gate.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <time.h>

#include <array>
#include <mutex>
#include <vector>

#include "base/fork.h"

namespace mediagen {
namespace {

// In the order in which SQLite itself nests them, or a fork and another thread would wait for each other: a
// temporary file's name (VFS1) asks for randomness (PRNG), whose first use looks up the VFS (MAIN); the page
// cache (LRU, PMEM) comes later, and everything may allocate (MEM).
constexpr std::array kOrder = {SQLITE_MUTEX_STATIC_APP1, SQLITE_MUTEX_STATIC_APP2, SQLITE_MUTEX_STATIC_APP3,
                               SQLITE_MUTEX_STATIC_OPEN, SQLITE_MUTEX_STATIC_VFS1, SQLITE_MUTEX_STATIC_VFS2,
                               SQLITE_MUTEX_STATIC_VFS3, SQLITE_MUTEX_STATIC_PRNG, SQLITE_MUTEX_STATIC_MAIN,
                               SQLITE_MUTEX_STATIC_LRU,  SQLITE_MUTEX_STATIC_PMEM, SQLITE_MUTEX_STATIC_MEM};

// A fork gives way between its tries: who is inside may wait for somebody who waits at the gate. It gives up
// in the end, for a fork that hangs is worse than a child that must not open the same data.
constexpr long kTryNs = 50'000'000;
constexpr int kTries = 200;

thread_local int depth = 0;  // of this thread's InsideSqlite

// Threads may outlive static destruction, so this is never destroyed.
struct Gate {
  Gate();
  void Init() {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    // Or a fork would wait as long as readers take turns.
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
  }

  pthread_rwlock_t lock;  // shared by those inside
  bool closed = false;    // whether the fork under way holds it alone
  std::array<sqlite3_mutex*, kOrder.size()> mutexes{};

  // Both are locked inside only, and so free in a child.
  std::mutex closing, connections_mutex;
  std::vector<Inherited*> connections;
  uint32_t generation = ForkGeneration();  // of the process that opened them
};

Gate& TheGate() {
  static auto* gate = new Gate();
  return *gate;
}

bool CloseGate(Gate& gate) {
  if (depth > 0) return false;  // this thread forks from inside
  for (int i = 0; i < kTries; ++i) {
    timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += kTryNs;
    until.tv_sec += until.tv_nsec / 1'000'000'000;
    until.tv_nsec %= 1'000'000'000;
    if (pthread_rwlock_clockwrlock(&gate.lock, CLOCK_MONOTONIC, &until) == 0) return true;
  }
  return false;
}

void BeforeFork() {
  Gate& gate = TheGate();
  gate.closed = CloseGate(gate);
  for (sqlite3_mutex* mutex : gate.mutexes) sqlite3_mutex_enter(mutex);
}

void ReleaseMutexes(Gate& gate) {
  for (size_t i = kOrder.size(); i > 0; --i) sqlite3_mutex_leave(gate.mutexes[i - 1]);
}

void InParent() {
  Gate& gate = TheGate();
  ReleaseMutexes(gate);
  if (gate.closed) pthread_rwlock_unlock(&gate.lock);
}

void InChild() {
  Gate& gate = TheGate();
  ReleaseMutexes(gate);
  // The lock knows its holder by thread id, and this thread has another one than before.
  gate.Init();
  if (depth > 0) pthread_rwlock_rdlock(&gate.lock);
  if (gate.closed) return;
  // Somebody was inside, at any place: nothing that it may have been changing is touched again.
  new (&gate.closing) std::mutex;
  new (&gate.connections_mutex) std::mutex;
  new (&gate.connections) std::vector<Inherited*>;
}

Gate::Gate() {
  Init();
  sqlite3_initialize();
  // Static mutexes are not made by this, only named; a SQLite without threads answers null, which
  // sqlite3_mutex_enter takes.
  for (size_t i = 0; i < kOrder.size(); ++i) mutexes[i] = sqlite3_mutex_alloc(kOrder[i]);
  pthread_atfork(BeforeFork, InParent, InChild);
}

}  // namespace

InsideSqlite::InsideSqlite() {
  if (depth++ == 0) pthread_rwlock_rdlock(&TheGate().lock);
}

InsideSqlite::~InsideSqlite() {
  if (--depth == 0) pthread_rwlock_unlock(&TheGate().lock);
}

Inherited::Inherited() {
  std::lock_guard lock(TheGate().connections_mutex);
  TheGate().connections.push_back(this);
}

Inherited::~Inherited() { Forget(); }

void Inherited::Forget() {
  InsideSqlite inside;
  std::lock_guard lock(TheGate().connections_mutex);
  std::erase(TheGate().connections, this);
}

void CloseInherited() {
  Gate& gate = TheGate();
  std::lock_guard lock(gate.closing);
  if (gate.generation == ForkGeneration()) return;
  gate.generation = ForkGeneration();
  std::vector<Inherited*> connections;
  connections.swap(gate.connections);
  for (Inherited* connection : connections) connection->CloseInherited();
}

}  // namespace mediagen
