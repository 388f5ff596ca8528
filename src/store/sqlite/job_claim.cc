#include <algorithm>

#include "store/sqlite/job_columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

// Seeks lane_next(queue, provider_key, …): one entry read for an empty queue.
constexpr char kHasReady[] = "SELECT 1 FROM lane INDEXED BY lane_next WHERE queue = ? AND ready > 0 LIMIT 1";

// Reads lane_held(queue, …): one entry for each lane that holds jobs.
constexpr char kHeld[] =
    "SELECT provider_key, user, running FROM lane INDEXED BY lane_held WHERE queue = ? AND running > 0";

// Both seek lane_next: a skip scan over the provider keys, which are few, however many lanes each has.
constexpr char kFirstProvider[] = R"sql(SELECT provider_key FROM lane INDEXED BY lane_next
WHERE queue = ? AND ready > 0 ORDER BY provider_key LIMIT 1)sql";
constexpr char kNextProvider[] = R"sql(SELECT provider_key FROM lane INDEXED BY lane_next
WHERE queue = ? AND provider_key > ? AND ready > 0 ORDER BY provider_key LIMIT 1)sql";

// Reads lane_next(queue, provider_key, priority, turn, user) from its beginning; the claim stops at the first
// user with a free slot.
constexpr char kLanes[] = R"sql(SELECT priority, turn, user FROM lane INDEXED BY lane_next
WHERE queue = ? AND provider_key = ? AND ready > 0 ORDER BY priority DESC, turn, user)sql";

// Seeks job_ready(queue, user, provider_key, priority, sort_ms, id).
constexpr char kHead[] = R"sql(SELECT sort_ms, id FROM job INDEXED BY job_ready
WHERE queue = ? AND user = ? AND provider_key = ? AND priority = ? AND state = 'ready' ORDER BY sort_ms, id LIMIT 1)sql";

// Both seek the primary key.
constexpr char kClaim[] =
    "UPDATE job SET state = 'running', fence = ?2, worker = ?3, alive_mono = ?4 WHERE id = ?1";
constexpr char kReadyJob[] = "SELECT " JOB_COLUMNS " FROM job WHERE id = ? AND state = 'ready'";

// Seeks the primary key: one row a queue and state.
constexpr char kReadyJobs[] = "SELECT jobs FROM queue_state WHERE queue = ? AND state = 'ready'";
// Seeks the primary key.
constexpr char kPlace[] = "SELECT queue, user, priority, sort_ms FROM job WHERE id = ? AND state = 'ready'";
// Reads the entries of lane_priority(queue, priority, …) above this priority.
constexpr char kAhead[] =
    "SELECT coalesce(sum(ready), 0) FROM lane INDEXED BY lane_priority WHERE queue = ? AND priority > ? AND "
    "ready > 0";
// Reads the user's entries of job_ready.
constexpr char kRank[] = R"sql(SELECT count(*) FROM job INDEXED BY job_ready WHERE queue = ? AND user = ?
AND state = 'ready' AND priority = ? AND (sort_ms, id) < (?, ?))sql";
// Reads the entries of lane_priority at this priority. Who stands before us in the round (an earlier turn) is
// served once more than we.
constexpr char kOthers[] = R"sql(
SELECT coalesce(sum(min(waiting, ?4 + (turn < ?5))), 0) FROM
  (SELECT sum(ready) AS waiting, min(turn) AS turn FROM lane INDEXED BY lane_priority
   WHERE queue = ?1 AND priority = ?2 AND ready > 0 AND user <> ?3 GROUP BY user))sql";
constexpr char kTurn[] = "SELECT turn FROM lane WHERE queue = ? AND user = ? LIMIT 1";

struct Candidate {
  std::string provider_key, user;
  int priority = 0;
  int64_t turn = 0, sort_ms = 0;
  Id id;

  bool Before(const Candidate& other) const {
    if (priority != other.priority) return priority > other.priority;
    return std::tie(turn, sort_ms, id) < std::tie(other.turn, other.sort_ms, other.id);
  }
};

// Slots in use by what is running or parked, counted from the lanes; and the limits that they are held
// against.
struct Slots {
  ClaimLimits limits;
  int64_t all = 0;
  StringMap<int64_t> by_provider, by_user;

  void Add(const std::string& provider_key, const std::string& user, int64_t count) {
    all += count;
    by_provider[provider_key] += count;
    by_user[user] += count;
  }
  bool ProviderIsFree(const std::string& provider_key) const {
    if (limits.per_provider <= 0 || provider_key.empty()) return true;
    auto it = by_provider.find(provider_key);
    return it == by_provider.end() || it->second < limits.per_provider;
  }
  bool UserIsFree(const std::string& user) const {
    if (limits.per_user <= 0 || user.empty()) return true;
    auto it = by_user.find(user);
    return it == by_user.end() || it->second < limits.per_user;
  }
};

StatusOr<Slots> CountSlots(Connection& connection, const std::string& queue, const ClaimLimits& limits) {
  Slots slots{.limits = limits};
  Query query(connection, kHeld);
  query.Bind(queue);
  while (query.Step()) {
    std::string provider_key = query.Text(), user = query.Text();
    slots.Add(provider_key, user, query.Int());
  }
  RETURN_IF_ERROR(query.status());
  return slots;
}

StatusOr<std::vector<std::string>> ProvidersWithReady(Connection& connection, const std::string& queue) {
  std::vector<std::string> providers;
  while (true) {
    Query query(connection, providers.empty() ? kFirstProvider : kNextProvider);
    query.Bind(queue);
    if (!providers.empty()) query.Add(providers.back());
    bool found = query.Step();
    std::string next = found ? query.Text() : "";
    RETURN_IF_ERROR(query.status());
    if (!found) return providers;
    providers.push_back(std::move(next));
  }
}

// The first lane of the provider key whose user has a free slot, with its first job.
StatusOr<std::optional<Candidate>> FirstOf(Connection& connection, const std::string& queue,
                                           const std::string& provider_key, const Slots& slots) {
  std::optional<Candidate> found;
  Query lanes(connection, kLanes);
  lanes.Bind(queue, provider_key);
  while (!found && lanes.Step()) {
    Candidate lane{.provider_key = provider_key};
    lanes.Take(&lane.priority), lanes.Take(&lane.turn), lanes.Take(&lane.user);
    if (slots.UserIsFree(lane.user)) found = std::move(lane);
  }
  RETURN_IF_ERROR(lanes.status());
  if (!found) return found;
  Query head(connection, kHead);
  head.Bind(queue, found->user, provider_key, found->priority);
  if (!head.Step()) {
    RETURN_IF_ERROR(head.status());
    return Error(Code::kCorrupt, "a lane counts ready jobs and there are none.", {.object = queue});
  }
  head.Take(&found->sort_ms), head.Take(&found->id);
  RETURN_IF_ERROR(head.status());
  return found;
}

StatusOr<std::optional<Candidate>> NextCandidate(Connection& connection, const std::string& queue,
                                                 const std::vector<std::string>& providers,
                                                 const Slots& slots) {
  std::optional<Candidate> best;
  for (const std::string& provider_key : providers) {
    if (!slots.ProviderIsFree(provider_key)) continue;
    ASSIGN_OR_RETURN(std::optional<Candidate> candidate, FirstOf(connection, queue, provider_key, slots));
    if (candidate && (!best || candidate->Before(*best))) best = std::move(candidate);
  }
  return best;
}

StatusOr<Job> TakeReady(Connection& connection, const Id& id, const Id& worker, int64_t now_mono) {
  Query ready(connection, kReadyJob);
  ready.Bind(id);
  ASSIGN_OR_RETURN(std::optional<Job> job, FirstRow<Job>(ready, kVisitJob));
  if (!job)
    return Error(Code::kCorrupt, "an index holds a ready job that is not there.", {.object = id.text()});
  job->state = JobState::kRunning;
  ++job->fence;
  job->worker = worker;
  job->alive_mono = now_mono;
  RETURN_IF_ERROR(Query(connection, kClaim).Bind(id, job->fence, worker, now_mono).Run());
  return *std::move(job);
}

}  // namespace

StatusOr<bool> SqliteJobs::HasReady(std::string_view queue) const {
  Query query(connection_, kHasReady);
  query.Bind(queue);
  bool ready = query.Step();
  RETURN_IF_ERROR(query.status());
  return ready;
}

StatusOr<std::vector<Job>> SqliteJobs::Claim(std::string_view queue_name, int max, const ClaimLimits& limits,
                                             const Id& worker, int64_t now_mono) {
  const std::string queue(queue_name);
  std::vector<Job> claimed;
  ASSIGN_OR_RETURN(Slots slots, CountSlots(connection_, queue, limits));
  if (slots.all >= limits.concurrency) return claimed;
  ASSIGN_OR_RETURN(std::vector<std::string> providers, ProvidersWithReady(connection_, queue));
  while (static_cast<int>(claimed.size()) < max && slots.all < limits.concurrency) {
    ASSIGN_OR_RETURN(std::optional<Candidate> next, NextCandidate(connection_, queue, providers, slots));
    if (!next) break;
    ASSIGN_OR_RETURN(Job job, TakeReady(connection_, next->id, worker, now_mono));
    claimed.push_back(std::move(job));
    Lanes::Place ready{next->provider_key, next->priority, JobState::kReady}, running = ready;
    running.state = JobState::kRunning;
    RETURN_IF_ERROR(lanes_.Moved(queue, next->user, ready, running));
    RETURN_IF_ERROR(lanes_.Served(queue, next->user));
    slots.Add(next->provider_key, next->user, 1);
  }
  return claimed;
}

StatusOr<int64_t> SqliteJobs::PositionOf(const Id& id, int64_t most_ready) const {
  Query place(connection_, kPlace);
  place.Bind(id);
  if (!place.Step()) {
    RETURN_IF_ERROR(place.status());
    return -1;
  }
  std::string queue = place.Text(), user = place.Text();
  int64_t priority = place.Int(), sort_ms = place.Int();
  RETURN_IF_ERROR(place.status());

  auto count = [&](Query& query) -> StatusOr<int64_t> {
    int64_t value = query.Step() ? query.Int() : 0;
    RETURN_IF_ERROR(query.status());
    return value;
  };
  Query ready(connection_, kReadyJobs);
  ASSIGN_OR_RETURN(int64_t ready_jobs, count(ready.Bind(queue)));
  if (ready_jobs > most_ready) return -1;
  Query ahead(connection_, kAhead), rank(connection_, kRank), turn(connection_, kTurn),
      others(connection_, kOthers);
  ASSIGN_OR_RETURN(int64_t above, count(ahead.Bind(queue, priority)));
  ASSIGN_OR_RETURN(int64_t own, count(rank.Bind(queue, user, priority, sort_ms, id)));
  ASSIGN_OR_RETURN(int64_t turn_value, count(turn.Bind(queue, user)));
  ASSIGN_OR_RETURN(int64_t beside, count(others.Bind(queue, priority, user, own, turn_value)));
  return above + own + beside;
}

}  // namespace mediagen
