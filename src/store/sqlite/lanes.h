// Lanes: who waits in a queue and who runs, counted in the transaction that moves a job.
//
// A lane is one user's jobs in one queue for one provider key at one priority. A claim seeks the next lane
// that is not saturated instead of wading through the jobs of those that are. `turn` is the user's place in
// the round: whoever was served last goes to its end, a newcomer joins there; so one user's 1,000 jobs delay
// another's one by at most one turn of the active users. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "store/job_store.h"
#include "store/sqlite/connection.h"

namespace mediagen {

class Lanes {
 public:
  explicit Lanes(Connection& connection) : connection_(connection) {}

  // What of a job decides in which lane and in which count it stands.
  struct Place {
    std::string provider_key;
    int priority = 0;
    JobState state = JobState::kReady;
  };
  // A job of `queue` and `user` was inserted (from: nothing), changed, or deleted (to: nothing).
  Status Moved(const std::string& queue, const std::string& user, const std::optional<Place>& from,
               const std::optional<Place>& to);

  // Puts the user at the end of the round.
  Status Served(const std::string& queue, const std::string& user);

 private:
  Status Add(const std::string& queue, const std::string& user, const Place& place, int by);
  Status AddToLane(const std::string& queue, const std::string& user, const Place& place, int ready,
                   int running);
  StatusOr<int64_t> NextTurn(const std::string& queue);
  StatusOr<int64_t> TurnOf(const std::string& queue, const std::string& user);

  Connection& connection_;
};

}  // namespace mediagen
