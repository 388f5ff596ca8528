// A claim looks first and writes then: which jobs are to be taken is found out over lanes and indexes that
// nothing changes meanwhile; each job is one row read and written, and the lanes are written once.
#include <algorithm>
#include <deque>
#include <map>
#include <tuple>

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

// Reads lane_next(queue, provider_key, priority, turn, user) from its beginning, past the lanes that this
// claim has looked at already.
constexpr char kLanes[] = R"sql(SELECT priority, turn, user FROM lane INDEXED BY lane_next
WHERE queue = ? AND provider_key = ? AND ready > 0 ORDER BY priority DESC, turn, user LIMIT ? OFFSET ?)sql";
constexpr int kLanesAtOnce = 64;

// Seeks job_ready(queue, user, provider_key, priority, sort_ms, id).
constexpr char kHeads[] = R"sql(SELECT sort_ms, id, rowid FROM job INDEXED BY job_ready
WHERE queue = ? AND user = ? AND provider_key = ? AND priority = ? AND sort_ms IS NOT NULL AND (sort_ms, id) > (?, ?)
ORDER BY sort_ms, id LIMIT ?)sql";

// Both seek the row itself.
constexpr char kClaim[] = R"sql(
UPDATE job SET state = 'running', fence = ?2, worker = ?3, alive_mono = ?4, sort_ms = NULL WHERE rowid = ?1)sql";
constexpr char kReadyJob[] = "SELECT " JOB_COLUMNS " FROM job WHERE rowid = ? AND state = 'ready'";

struct Head {
  int64_t sort_ms = 0, rowid = 0;
  Id id;
};

struct Lane {
  std::string provider_key, user;
  int priority = 0;
  int64_t turn = 0;
  // Its next jobs in order, and from where to read on.
  std::deque<Head> heads;
  int64_t last_sort_ms = INT64_MIN;
  Id last_id{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};  // before every id, and not NULL
  int next_read = 1;
  bool read_out = false;

  auto Order() const { return std::tuple(-priority, turn, std::string_view(user)); }
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

// The lanes of one provider key in the order of their turns. Those that were read and are still worth a look
// stand in memory, sorted; the rest in the table.
class Line {
 public:
  Line(Connection& connection, const std::string& queue, std::string provider_key)
      : connection_(connection), queue_(queue), provider_key_(std::move(provider_key)) {}

  const std::string& provider_key() const { return provider_key_; }

  // The first lane whose user has a free slot and a job; null when there is none. `served` holds the turns
  // that users were given by this claim, which the table does not know yet.
  StatusOr<Lane*> First(const Slots& slots, const StringMap<int64_t>& served, int wanted) {
    while (true) {
      if (lanes_.empty() && read_out_) return nullptr;
      if (lanes_.empty() || (!read_out_ && !(lanes_.front().Order() < unread_from_))) {
        RETURN_IF_ERROR(ReadLanes());
        continue;
      }
      Lane& lane = lanes_.front();
      auto turn = served.find(lane.user);
      if (turn != served.end() && turn->second != lane.turn) {  // served by way of another lane
        lane.turn = turn->second;
        Sink();
        continue;
      }
      if (slots.UserIsFree(lane.user)) {
        RETURN_IF_ERROR(ReadHeads(&lane, wanted));
        if (!lane.heads.empty()) return &lane;
      }
      lanes_.pop_front();  // within one claim slots are only taken, and jobs only leave
    }
  }

 private:
  // The first lane has another turn: it takes its place among the others.
  void Sink() {
    Lane lane = std::move(lanes_.front());
    lanes_.pop_front();
    auto place = std::lower_bound(lanes_.begin(), lanes_.end(), lane,
                                  [](const Lane& a, const Lane& b) { return a.Order() < b.Order(); });
    lanes_.insert(place, std::move(lane));
  }

  Status ReadLanes() {
    Query query(connection_, kLanes);
    query.Bind(queue_, provider_key_, kLanesAtOnce, read_);
    int rows = 0;
    while (query.Step()) {
      ++rows;
      Lane lane{.provider_key = provider_key_};
      query.Take(&lane.priority), query.Take(&lane.turn), query.Take(&lane.user);
      last_read_ = lane.user;
      unread_from_ = {-lane.priority, lane.turn, last_read_};
      auto place = std::lower_bound(lanes_.begin(), lanes_.end(), lane,
                                    [](const Lane& a, const Lane& b) { return a.Order() < b.Order(); });
      lanes_.insert(place, std::move(lane));
    }
    RETURN_IF_ERROR(query.status());
    read_ += rows;
    // Turns are the users' own, so no two lanes of a line share a priority and a turn: what is unread begins
    // behind the last one that was read.
    ++std::get<1>(unread_from_);
    read_out_ = rows < kLanesAtOnce;
    return OkStatus();
  }

  // One job at first, more for a lane that is asked again.
  Status ReadHeads(Lane* lane, int wanted) {
    if (!lane->heads.empty() || lane->read_out) return OkStatus();
    const int limit = std::min(lane->next_read, wanted);
    Query query(connection_, kHeads);
    query.Bind(queue_, lane->user, provider_key_, lane->priority, lane->last_sort_ms, lane->last_id, limit);
    while (query.Step()) {
      Head head;
      query.Take(&head.sort_ms), query.Take(&head.id), query.Take(&head.rowid);
      lane->last_sort_ms = head.sort_ms, lane->last_id = head.id;
      lane->heads.push_back(head);
    }
    RETURN_IF_ERROR(query.status());
    if (lane->heads.empty() && lane->next_read == 1)
      return Error(Code::kCorrupt, "a lane counts ready jobs and there are none.", {.object = queue_});
    lane->read_out = static_cast<int>(lane->heads.size()) < limit;
    lane->next_read *= 4;
    return OkStatus();
  }

  Connection& connection_;
  const std::string& queue_;
  const std::string provider_key_;
  std::deque<Lane> lanes_;
  std::string last_read_;
  std::tuple<int, int64_t, std::string_view> unread_from_{INT_MIN, 0, {}};
  int read_ = 0;
  bool read_out_ = false;
};

struct Pick {
  int64_t rowid = 0;
  std::string user;
  Lanes::Place place;
};

// What a claim is to take, in order; `served` are the users' turns afterwards, from `turn` on.
class Choice {
 public:
  Choice(Connection& connection, const std::string& queue, Slots slots, int64_t turn)
      : connection_(connection), queue_(queue), slots_(std::move(slots)), turn_(turn) {}

  Status Make(int max) {
    ASSIGN_OR_RETURN(std::vector<std::string> providers, ProvidersWithReady(connection_, queue_));
    for (std::string& provider : providers) lines_.emplace_back(connection_, queue_, std::move(provider));
    while (static_cast<int>(picks_.size()) < max && slots_.all < slots_.limits.concurrency) {
      ASSIGN_OR_RETURN(Lane * lane, Next(max - static_cast<int>(picks_.size())));
      if (lane == nullptr) break;
      picks_.push_back({lane->heads.front().rowid, lane->user, {lane->provider_key, lane->priority}});
      lane->heads.pop_front();
      slots_.Add(lane->provider_key, lane->user, 1);
      served_[lane->user] = ++turn_;
    }
    return OkStatus();
  }

  const std::vector<Pick>& picks() const { return picks_; }
  const StringMap<int64_t>& served() const { return served_; }

 private:
  StatusOr<Lane*> Next(int wanted) {
    Lane* best = nullptr;
    auto order = [](const Lane& lane) {
      return std::tuple(-lane.priority, lane.turn, lane.heads.front().sort_ms, lane.heads.front().id.blob());
    };
    for (Line& line : lines_) {
      if (!slots_.ProviderIsFree(line.provider_key())) continue;
      ASSIGN_OR_RETURN(Lane * lane, line.First(slots_, served_, wanted));
      if (lane != nullptr && (best == nullptr || order(*lane) < order(*best))) best = lane;
    }
    return best;
  }

  Connection& connection_;
  const std::string& queue_;
  Slots slots_;
  int64_t turn_;
  std::deque<Line> lines_;
  std::vector<Pick> picks_;
  StringMap<int64_t> served_;
};

StatusOr<Job> TakeReady(Connection& connection, int64_t rowid, const Id& worker, int64_t now_mono) {
  Query ready(connection, kReadyJob);
  ready.Bind(rowid);
  ASSIGN_OR_RETURN(std::optional<Job> job, FirstRow<Job>(ready, kVisitJob));
  if (!job) return Error(Code::kCorrupt, "an index holds a ready job that is not there.");
  job->state = JobState::kRunning;
  ++job->fence;
  job->worker = worker;
  job->alive_mono = now_mono;
  RETURN_IF_ERROR(Query(connection, kClaim).Bind(rowid, job->fence, worker, now_mono).Run());
  return *std::move(job);
}

}  // namespace

StatusOr<bool> SqliteJobs::HasReady(std::string_view queue) const {
  RETURN_IF_ERROR(lanes_.Flush());
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
  RETURN_IF_ERROR(lanes_.Flush());
  ASSIGN_OR_RETURN(Slots slots, CountSlots(connection_, queue, limits));
  if (slots.all >= limits.concurrency) return claimed;
  ASSIGN_OR_RETURN(const int64_t turn, lanes_.LastTurn(queue));
  Choice choice(connection_, queue, std::move(slots), turn);
  RETURN_IF_ERROR(choice.Make(max));
  found_.reset();
  claimed.reserve(choice.picks().size());
  for (const Pick& pick : choice.picks()) {
    ASSIGN_OR_RETURN(Job job, TakeReady(connection_, pick.rowid, worker, now_mono));
    claimed.push_back(std::move(job));
    Lanes::Place running = pick.place;
    running.state = JobState::kRunning;
    lanes_.Moved(queue, pick.user, pick.place, running);
  }
  if (claimed.empty()) return claimed;
  RETURN_IF_ERROR(lanes_.SetLastTurn(queue, turn + static_cast<int64_t>(claimed.size())));
  for (const auto& [user, last] : choice.served()) RETURN_IF_ERROR(lanes_.WriteTurn(queue, user, last));
  return claimed;
}

}  // namespace mediagen
