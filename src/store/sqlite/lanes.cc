#include "store/sqlite/lanes.h"

namespace mediagen {
namespace {

constexpr char kCount[] = R"sql(
INSERT INTO queue_state (queue, state, jobs) VALUES (?,?,?)
ON CONFLICT (queue, state) DO UPDATE SET jobs = jobs + excluded.jobs)sql";

// Both seek the primary key (queue, user, provider_key, priority). No RETURNING here: it collects its rows in
// a table of its own, which took longer than the update.
constexpr char kAddToLane[] = R"sql(
UPDATE lane SET ready = ready + ?5, running = running + ?6
WHERE queue = ?1 AND user = ?2 AND provider_key = ?3 AND priority = ?4)sql";
constexpr char kDropEmpty[] =
    "DELETE FROM lane WHERE queue = ? AND user = ? AND provider_key = ? AND priority = ? AND ready + running "
    "= 0";

constexpr char kInsertLane[] =
    "INSERT INTO lane (queue, user, provider_key, priority, ready, running, turn) VALUES (?,?,?,?,?,?,?)";

// Both seek the prefix (queue, user) of the primary key: as many lanes as the user has provider keys and
// priorities.
constexpr char kTurnOf[] = "SELECT turn FROM lane WHERE queue = ? AND user = ? LIMIT 1";
constexpr char kServed[] = "UPDATE lane SET turn = ?3 WHERE queue = ?1 AND user = ?2";

// Both seek the primary key.
constexpr char kNextTurn[] =
    "INSERT INTO queue_turn (queue, last) VALUES (?, 1) ON CONFLICT (queue) DO UPDATE SET last = last + 1";
constexpr char kLastTurn[] = "SELECT last FROM queue_turn WHERE queue = ?";

bool Running(JobState state) { return state == JobState::kRunning || state == JobState::kParked; }

}  // namespace

StatusOr<int64_t> Lanes::NextTurn(const std::string& queue) {
  RETURN_IF_ERROR(Query(connection_, kNextTurn).Bind(queue).Run());
  Query query(connection_, kLastTurn);
  query.Bind(queue);
  int64_t turn = query.Step() ? query.Int() : 0;
  RETURN_IF_ERROR(query.status());
  return turn;
}

// The turn that the user has already in another lane, or the end of the round.
StatusOr<int64_t> Lanes::TurnOf(const std::string& queue, const std::string& user) {
  {
    Query query(connection_, kTurnOf);
    query.Bind(queue, user);
    if (query.Step()) return query.Int();
    RETURN_IF_ERROR(query.status());
  }
  return NextTurn(queue);
}

Status Lanes::AddToLane(const std::string& queue, const std::string& user, const Place& place, int ready,
                        int running) {
  {
    Query query(connection_, kAddToLane);
    RETURN_IF_ERROR(query.Bind(queue, user, place.provider_key, place.priority, ready, running).Run());
    if (query.changes() > 0) {
      if (ready + running > 0) return OkStatus();
      return Query(connection_, kDropEmpty).Bind(queue, user, place.provider_key, place.priority).Run();
    }
  }
  ASSIGN_OR_RETURN(int64_t turn, TurnOf(queue, user));
  return Query(connection_, kInsertLane)
      .Bind(queue, user, place.provider_key, place.priority, ready, running, turn)
      .Run();
}

Status Lanes::Add(const std::string& queue, const std::string& user, const Place& place, int by) {
  RETURN_IF_ERROR(Query(connection_, kCount).Bind(queue, JobStateName(place.state), by).Run());
  if (place.state == JobState::kReady) return AddToLane(queue, user, place, by, 0);
  return Running(place.state) ? AddToLane(queue, user, place, 0, by) : OkStatus();
}

Status Lanes::Moved(const std::string& queue, const std::string& user, const std::optional<Place>& from,
                    const std::optional<Place>& to) {
  if (from && to && from->state == to->state && from->provider_key == to->provider_key &&
      from->priority == to->priority) {
    return OkStatus();
  }
  // First what comes, then what goes: a lane that only changes sides is not dropped, and keeps its turn.
  if (to) RETURN_IF_ERROR(Add(queue, user, *to, +1));
  return from ? Add(queue, user, *from, -1) : OkStatus();
}

Status Lanes::Served(const std::string& queue, const std::string& user) {
  ASSIGN_OR_RETURN(int64_t turn, NextTurn(queue));
  return Query(connection_, kServed).Bind(queue, user, turn).Run();
}

}  // namespace mediagen
