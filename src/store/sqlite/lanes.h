// Lanes: who waits in a queue and who runs, counted in the transaction that moves a job.
//
// A lane is one user's jobs in one queue for one provider and model key at one priority. A claim seeks the
// next lane that is not saturated instead of wading through the jobs of those that are. `turn` is the user's
// place in the round: whoever was served last goes to its end, a newcomer joins there; so one user's 1,000
// jobs delay another's one by at most one turn of the active users.
//
// A group of operations moves many jobs of the same lanes, so the counts are gathered and written once:
// before they are read, and before the transaction commits. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "store/job_store.h"
#include "store/sqlite/connection.h"

namespace mediagen {

class Lanes {
 public:
  explicit Lanes(Connection& connection) : connection_(connection) {}

  // What of a job decides in which lane and in which count it stands.
  struct Place {
    std::string provider_key, model_key;
    int priority = 0;
    JobState state = JobState::kReady;
  };
  // A job of `queue` and `user` was inserted (from: nothing), changed, or deleted (to: nothing).
  void Moved(const std::string& queue, const std::string& user, const std::optional<Place>& from,
             const std::optional<Place>& to);

  // Writes what was gathered. To be called before a lane or a count is read, and before COMMIT or RELEASE.
  Status Flush();
  // Forgets it: the rows that it counts were rolled back.
  void Drop();

  // The turn that was given last in the queue's round, and its new value after a claim has given more.
  StatusOr<int64_t> LastTurn(const std::string& queue);
  Status SetLastTurn(const std::string& queue, int64_t turn);
  // The user's place in the round, in all of its lanes.
  Status WriteTurn(const std::string& queue, const std::string& user, int64_t turn);

 private:
  struct LaneChange {
    std::string queue, user, provider_key, model_key;
    int priority = 0, ready = 0, running = 0;
  };
  struct CountChange {
    std::string queue;
    JobState state = JobState::kReady;
    int jobs = 0;
  };
  void Add(const std::string& queue, const std::string& user, const Place& place, int by);
  LaneChange& ChangeOf(const std::string& queue, const std::string& user, const Place& place);
  Status Write(const LaneChange& change);
  // The user's turn where it has a lane already, else a new one at the end of the round.
  StatusOr<int64_t> TurnOf(const std::string& queue, const std::string& user);

  Connection& connection_;
  std::vector<LaneChange> lanes_;  // in the order of their first change, which is the order of newcomers
  std::unordered_map<std::string, size_t> by_key_;
  std::vector<CountChange> counts_;
};

}  // namespace mediagen
