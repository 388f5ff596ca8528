// ClaimLoop: looks for work when something may have changed, claims it in one round at a time, and hands it
// out.
//
// A look reads first, so that an empty claim writes nothing. It is caused by a wake of the store, a release,
// a new waiter, or a timer. A cause that arrives while a round is in flight is remembered: when the round
// ends there is another look.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/log.h"
#include "jobs/beat.h"
#include "jobs/claim_round.h"
#include "jobs/held.h"
#include "jobs/lease.h"
#include "jobs/queue.h"
#include "jobs/settings.h"
#include "jobs/time_limit.h"

namespace mediagen {

// Thread-safe, except that Look is called by one thread at a time.
class ClaimLoop {
 public:
  struct Parts {
    Store* store = nullptr;
    Executor* executor = nullptr;
    Clock* clock = nullptr;
    LogSink* log = nullptr;
    HeldJobs* held = nullptr;
    SettingsTable* settings = nullptr;
    const Moves* moves = nullptr;
    Lease* lease = nullptr;
    TimeLimits* limits = nullptr;
    Beat* beat = nullptr;  // kicked when another look is due
    Id worker;
  };
  explicit ClaimLoop(const Parts& parts) : parts_(parts) {}

  void Serve(const std::string& queue, Queues::Handler handler, Queues::CancelHandler canceled);
  uint64_t Add(std::vector<std::string> queues, int max, Queues::ClaimDone done);
  void CancelWaiter(uint64_t number);

  // Reads, tells cancels, and starts a round if there is something to claim. The monotonic ms at which to
  // look again by itself.
  int64_t Look(bool kicked);
  int64_t next_due() const;
  // Rows may say that jobs are held here which nobody here holds: the next round gives them back.
  void SweepStrays();
  // Claims nothing more; the waiters are told kClosed.
  void Stop();
  // Whether a round's commit is still to come; what it claims after Stop is only held.
  bool in_flight() const;
  void AwaitRound();

 private:
  struct Server {
    Queues::Handler handler;
    Queues::CancelHandler canceled;
  };
  struct Waiter {
    uint64_t number = 0;
    std::vector<std::string> queues;
    int max = 0;
    Queues::ClaimDone done;
  };
  struct Seen {
    std::set<std::string> ready;
    int64_t next_due_in = -1;
    std::vector<Id> cancels;
    bool settings_changed = false;
  };

  // What leaves a round for the executor. An answer must come even when that has stopped; a handler's job is
  // handed back instead.
  struct Delivery {
    Task task;
    bool must_come = false;
  };

  std::vector<ClaimRequest> Wishes(int64_t now) const;
  int64_t NextRelease(int64_t now) const;
  Status ReadStore(const std::vector<ClaimRequest>& wishes, Seen* seen) const;
  void NoteBadSettings(const Status& status) const;
  void TellCancels(const std::vector<Id>& cancels);
  void StartRound(std::shared_ptr<ClaimRound> round);
  void EndRound(const std::shared_ptr<ClaimRound>& round, const Status& status);
  void NoteFailure(const Status& status);
  std::vector<Delivery> HandOut(ClaimRound* round);
  void Deliver(Delivery delivery);

  const Parts parts_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::map<std::string, Server> servers_;
  std::deque<Waiter> waiters_;
  uint64_t last_number_ = 0;
  bool stopping_ = false, in_flight_ = false, again_ = false, sweep_ = false;
  int failures_ = 0;
  std::map<std::string, int64_t> held_back_;  // by their rate, until then
  int64_t next_due_ = INT64_MAX;
};

}  // namespace mediagen
