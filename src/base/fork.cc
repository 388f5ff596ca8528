#include "base/fork.h"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>

namespace mediagen {
namespace internal {
constinit std::atomic<uint32_t> fork_generation{0};
}  // namespace internal

namespace {

constexpr size_t kMaxDescriptors = 1024;  // three locks an engine: hundreds of engines in one process

// Everything here is constant-initialized and lock-free, for the child handler may run between any two
// instructions of another thread.
std::array<std::atomic<int>, kMaxDescriptors> slots{};  // descriptor + 1; 0: free
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free);

void OnChild() {
  internal::fork_generation.fetch_add(1, std::memory_order_relaxed);
  for (std::atomic<int>& slot : slots) {
    int taken = slot.exchange(0, std::memory_order_relaxed);
    if (taken != 0) close(taken - 1);
  }
}

// By loading this object file, which every user of ForkGeneration() does before its first fork.
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, OnChild);

}  // namespace

bool CloseInChild(int fd) {
  for (std::atomic<int>& slot : slots) {
    int expected = 0;
    if (slot.compare_exchange_strong(expected, fd + 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

void ForgetInChild(int fd) {
  for (std::atomic<int>& slot : slots) {
    int expected = fd + 1;
    if (slot.compare_exchange_strong(expected, 0, std::memory_order_relaxed)) return;
  }
}

}  // namespace mediagen
