// fork(2): the one permitted global (architecture.md rule 6). A pthread_atfork child handler bumps a
// generation and closes the lock descriptors that were registered; a handle made in another generation
// answers kForked before it touches a mutex.
#pragma once

#include <atomic>
#include <cstdint>

namespace mediagen {

namespace internal {
extern constinit std::atomic<uint32_t> fork_generation;
}  // namespace internal

// The number of forks between the library's loading and this process. Lock-free, async-signal-safe. Inline:
// every function of the C ABI asks first of all.
inline uint32_t ForkGeneration() { return internal::fork_generation.load(std::memory_order_relaxed); }

// Descriptors that a child must close at once, since a flock is shared with the parent through them.
// Thread-safe. CloseInChild answers false when the fixed table is full: the caller must then not rely on `fd`
// being closed.
[[nodiscard]] bool CloseInChild(int fd);
void ForgetInChild(int fd);  // call before closing it oneself

// Remembers the generation of its making.
class ForkGuard {
 public:
  ForkGuard() : generation_(ForkGeneration()) {}
  bool forked() const { return generation_ != ForkGeneration(); }

 private:
  uint32_t generation_;
};

}  // namespace mediagen
