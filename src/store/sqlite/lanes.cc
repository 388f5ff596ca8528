#include "store/sqlite/lanes.h"

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr char kCount[] = R"sql(
INSERT INTO queue_state (queue, state, jobs) VALUES (?,?,?)
ON CONFLICT (queue, state) DO UPDATE SET jobs = jobs + excluded.jobs)sql";

// Both seek the primary key (queue, user, provider_key, model_key, priority). No RETURNING here: it collects
// its rows in a table of its own, which took longer than the update.
constexpr char kAddToLane[] = R"sql(
UPDATE lane SET ready = ready + ?6, running = running + ?7
WHERE queue = ?1 AND user = ?2 AND provider_key = ?3 AND model_key = ?4 AND priority = ?5)sql";
constexpr char kDropEmpty[] =
    "DELETE FROM lane WHERE queue = ? AND user = ? AND provider_key = ? AND model_key = ? AND priority = ? "
    "AND "
    "ready + running = 0";

constexpr char kInsertLane[] =
    "INSERT INTO lane (queue, user, provider_key, model_key, priority, ready, running, turn) VALUES "
    "(?,?,?,?,?,?,?,?)";

// Both seek the prefix (queue, user) of the primary key: as many lanes as the user has provider keys and
// priorities.
constexpr char kTurnOf[] = "SELECT turn FROM lane WHERE queue = ? AND user = ? LIMIT 1";
constexpr char kServed[] = "UPDATE lane SET turn = ?3 WHERE queue = ?1 AND user = ?2";

// Both seek the primary key.
constexpr char kSetTurn[] =
    "INSERT INTO queue_turn (queue, last) VALUES (?, ?) ON CONFLICT (queue) DO UPDATE SET last = "
    "excluded.last";
constexpr char kLastTurn[] = "SELECT last FROM queue_turn WHERE queue = ?";

bool Running(JobState state) { return state == JobState::kRunning || state == JobState::kParked; }

}  // namespace

StatusOr<int64_t> Lanes::LastTurn(const std::string& queue) {
  Query query(connection_, kLastTurn);
  query.Bind(queue);
  int64_t turn = query.Step() ? query.Int() : 0;
  RETURN_IF_ERROR(query.status());
  return turn;
}

Status Lanes::SetLastTurn(const std::string& queue, int64_t turn) {
  return Query(connection_, kSetTurn).Bind(queue, turn).Run();
}

Status Lanes::WriteTurn(const std::string& queue, const std::string& user, int64_t turn) {
  return Query(connection_, kServed).Bind(queue, user, turn).Run();
}

StatusOr<int64_t> Lanes::TurnOf(const std::string& queue, const std::string& user) {
  {
    Query query(connection_, kTurnOf);
    query.Bind(queue, user);
    if (query.Step()) return query.Int();
    RETURN_IF_ERROR(query.status());
  }
  ASSIGN_OR_RETURN(const int64_t last, LastTurn(queue));
  RETURN_IF_ERROR(SetLastTurn(queue, last + 1));
  return last + 1;
}

Lanes::LaneChange& Lanes::ChangeOf(const std::string& queue, const std::string& user, const Place& place) {
  if (!lanes_.empty()) {  // most often the same one again
    LaneChange& last = lanes_.back();
    if (last.queue == queue && last.user == user && last.provider_key == place.provider_key &&
        last.model_key == place.model_key && last.priority == place.priority)
      return last;
  }
  const std::string key = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", place.priority, queue.size(), queue,
                                      user.size(), user, place.provider_key.size(), place.provider_key) +
                          place.model_key;
  auto [it, is_new] = by_key_.try_emplace(key, lanes_.size());
  if (is_new) {
    lanes_.push_back({queue, user, place.provider_key, place.model_key, place.priority});
  }
  return lanes_[it->second];
}

void Lanes::Add(const std::string& queue, const std::string& user, const Place& place, int by) {
  CountChange* count = nullptr;
  for (CountChange& change : counts_) {
    if (change.state == place.state && change.queue == queue) count = &change;
  }
  if (count == nullptr) count = &counts_.emplace_back(CountChange{.queue = queue, .state = place.state});
  count->jobs += by;
  if (place.state == JobState::kReady) ChangeOf(queue, user, place).ready += by;
  if (Running(place.state)) ChangeOf(queue, user, place).running += by;
}

void Lanes::Moved(const std::string& queue, const std::string& user, const std::optional<Place>& from,
                  const std::optional<Place>& to) {
  if (from && to && from->state == to->state && from->provider_key == to->provider_key &&
      from->model_key == to->model_key && from->priority == to->priority) {
    return;
  }
  if (to) Add(queue, user, *to, +1);
  if (from) Add(queue, user, *from, -1);
}

Status Lanes::Write(const LaneChange& change) {
  if (change.ready == 0 && change.running == 0) return OkStatus();
  {
    Query query(connection_, kAddToLane);
    RETURN_IF_ERROR(query
                        .Bind(change.queue, change.user, change.provider_key, change.model_key,
                              change.priority, change.ready, change.running)
                        .Run());
    if (query.changes() > 0) {
      if (change.ready + change.running > 0) return OkStatus();
      return Query(connection_, kDropEmpty)
          .Bind(change.queue, change.user, change.provider_key, change.model_key, change.priority)
          .Run();
    }
  }
  ASSIGN_OR_RETURN(int64_t turn, TurnOf(change.queue, change.user));
  return Query(connection_, kInsertLane)
      .Bind(change.queue, change.user, change.provider_key, change.model_key, change.priority, change.ready,
            change.running, turn)
      .Run();
}

Status Lanes::Flush() {
  if (lanes_.empty() && counts_.empty()) return OkStatus();
  std::vector<LaneChange> lanes;
  std::vector<CountChange> counts;
  lanes.swap(lanes_), counts.swap(counts_);
  by_key_.clear();
  for (const CountChange& change : counts) {
    if (change.jobs == 0) continue;
    RETURN_IF_ERROR(
        Query(connection_, kCount).Bind(change.queue, JobStateName(change.state), change.jobs).Run());
  }
  for (const LaneChange& change : lanes) RETURN_IF_ERROR(Write(change));
  return OkStatus();
}

void Lanes::Drop() {
  lanes_.clear();
  counts_.clear();
  by_key_.clear();
}

}  // namespace mediagen
