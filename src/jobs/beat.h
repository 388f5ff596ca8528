// Beat: a thread of one's own for work that must go on while every executor thread is busy and the host's
// loop is blocked (renewal, recovery, claiming).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/executor.h"

namespace mediagen {

// Runs a body whenever it is kicked or its time has come. Thread-safe except for Start. Without Start it is
// only a remembered kick, which manual mode takes.
class Beat {
 public:
  explicit Beat(Clock* clock);
  ~Beat();  // Stop

  // `body` is told whether it was kicked, and says at which monotonic ms it wants to run again. A kick that
  // arrives while it runs makes it run again. Its first run is at once.
  void Start(const char* thread_name, std::function<int64_t(bool kicked)> body);
  void Kick();
  // Kicks; stays callable after the Beat is gone: for listeners that cannot be taken back.
  std::function<void()> Kicker() const;
  // Manual mode: whether it was kicked; TakeKick forgets it.
  bool kicked() const;
  bool TakeKick();
  // Waits for the body to return; then nothing runs any more.
  void Stop();
  // In a forked child: joins nothing, leaks what the lost thread may have locked.
  void Abandon();

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::optional<Thread> thread_;
};

}  // namespace mediagen
