// ClaimRound: one transaction that promotes what is due and claims for everybody who asks, whatever their
// number.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "jobs/held.h"
#include "jobs/move.h"
#include "jobs/settings.h"
#include "store/store.h"

namespace mediagen {

struct ClaimRequest {
  uint64_t waiter = 0;  // 0: the queue's handler
  std::vector<std::string> queues;
  int max = 0;
  std::vector<Claim> claims;  // what the round claimed for it
};

struct ClaimRound {
  std::vector<ClaimRequest> requests;  // first come, first served
  std::set<std::string> ready;         // queues where a read has seen ready jobs
  bool promote = false;                // scheduled jobs are due
  bool sweep = false;                  // rows may be held by this worker that nobody here knows of
  bool lapsed = false;                 // it was not run: the lease had ended by then
  // Filled by Run.
  int promoted = 0, swept = 0;
  std::map<std::string, int64_t> held_back;  // queues whose rate lets nothing start before (monotonic ms)

  bool worth_running() const { return promote || sweep || !ready.empty(); }
  // Whether it changed anything, so that another look may find more.
  bool changed() const;

  struct Parts {
    Clock* clock = nullptr;
    const HeldJobs* held = nullptr;
    const SettingsTable* settings = nullptr;
    const Moves* moves = nullptr;
    Id worker;
  };
  // The operation. May be run again: it starts from nothing.
  Status Run(Transaction& transaction, const Parts& parts);

 private:
  Status Sweep(Transaction& transaction, const Parts& parts);
  int WantedOf(const std::string& queue) const;
  Status ClaimFrom(const std::string& queue, JobStore& jobs, const Parts& parts);
};

}  // namespace mediagen
