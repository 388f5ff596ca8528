#include "store/sqlite/job_choice.h"

#include <algorithm>
#include <climits>
#include <deque>
#include <tuple>
#include <utility>

#include "store/sqlite/job_columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

// Reads lane_held(queue, …): one entry for each lane that holds jobs.
constexpr char kHeld[] =
    "SELECT provider_key, model_key, user, running FROM lane INDEXED BY lane_held WHERE queue = ? AND "
    "running > 0";

// All three seek lane_next: a skip scan over the keys, which are few, however many lanes each has. (SQLite
// seeks by the first column alone of a row value that it compares.)
constexpr char kFirstKeys[] = R"sql(SELECT provider_key, model_key FROM lane INDEXED BY lane_next
WHERE queue = ? AND ready > 0 ORDER BY provider_key, model_key LIMIT 1)sql";
constexpr char kNextModel[] = R"sql(SELECT provider_key, model_key FROM lane INDEXED BY lane_next
WHERE queue = ? AND provider_key = ? AND model_key > ? AND ready > 0 ORDER BY model_key LIMIT 1)sql";
constexpr char kNextProvider[] = R"sql(SELECT provider_key, model_key FROM lane INDEXED BY lane_next
WHERE queue = ? AND provider_key > ? AND ready > 0 ORDER BY provider_key, model_key LIMIT 1)sql";

// Reads lane_next(queue, provider_key, model_key, priority, turn, user) from its beginning, past the lanes
// that this claim has looked at already.
constexpr char kLanes[] = R"sql(SELECT priority, turn, user FROM lane INDEXED BY lane_next
WHERE queue = ? AND provider_key = ? AND model_key = ? AND ready > 0
ORDER BY priority DESC, turn, user LIMIT ? OFFSET ?)sql";
constexpr int kLanesAtOnce = 64;

// Seeks job_ready(queue, user, provider_key, model_key, priority, sort_ms, id). Whole rows: nearly every head
// is taken, and a statement of its own for each took as long as the update that follows.
constexpr char kHeads[] =
    "SELECT sort_ms, rowid, " JOB_COLUMNS
    " FROM job INDEXED BY job_ready WHERE queue = ? AND user = ? AND provider_key = ? "
    "AND model_key = ? AND priority = ? AND sort_ms IS NOT NULL AND (sort_ms, id) > (?, ?) "
    "ORDER BY sort_ms, id LIMIT ?";

struct Keys {
  std::string provider, model;
};

struct Head {
  int64_t sort_ms = 0;
  Job job;
};

struct Lane {
  std::string user;
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
  StringMap<int64_t> by_provider, by_model, by_user;

  void Add(const Keys& keys, const std::string& user, int64_t count) {
    all += count;
    if (limits.per_provider > 0) by_provider[keys.provider] += count;
    if (limits.per_model > 0) by_model[keys.model] += count;
    if (limits.per_user > 0) by_user[user] += count;
  }
  static bool IsFree(const StringMap<int64_t>& taken, int limit, const std::string& key) {
    if (limit <= 0 || key.empty()) return true;
    auto it = taken.find(key);
    return it == taken.end() || it->second < limit;
  }
  bool KeysAreFree(const Keys& keys) const {
    return IsFree(by_provider, limits.per_provider, keys.provider) &&
           IsFree(by_model, limits.per_model, keys.model);
  }
  bool UserIsFree(const std::string& user) const { return IsFree(by_user, limits.per_user, user); }
};

StatusOr<Slots> CountSlots(Connection& connection, const std::string& queue, const ClaimLimits& limits) {
  Slots slots{.limits = limits};
  Query query(connection, kHeld);
  query.Bind(queue);
  while (query.Step()) {
    Keys keys;
    std::string user;
    query.Take(&keys.provider), query.Take(&keys.model), query.Take(&user);
    slots.Add(keys, user, query.Int());
  }
  RETURN_IF_ERROR(query.status());
  return slots;
}

StatusOr<std::vector<Keys>> KeysWithReady(Connection& connection, const std::string& queue) {
  std::vector<Keys> all;
  auto find = [&](const char* sql, auto&&... keys) -> StatusOr<bool> {
    Query query(connection, sql);
    query.Bind(queue, keys...);
    Keys next;
    const bool found = query.Step();
    if (found) query.Take(&next.provider), query.Take(&next.model);
    RETURN_IF_ERROR(query.status());
    if (found) all.push_back(std::move(next));
    return found;
  };
  ASSIGN_OR_RETURN(bool found, find(kFirstKeys));
  while (found) {
    const Keys last = all.back();
    ASSIGN_OR_RETURN(found, find(kNextModel, last.provider, last.model));
    if (found) continue;
    ASSIGN_OR_RETURN(found, find(kNextProvider, last.provider));
  }
  return all;
}

// The lanes of one provider and model key in the order of their turns. Those that were read and are still
// worth a look stand in memory, sorted; the rest in the table.
class Line {
 public:
  Line(Connection& connection, const std::string& queue, Keys keys)
      : connection_(connection), queue_(queue), keys_(std::move(keys)) {}

  const Keys& keys() const { return keys_; }

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
    query.Bind(queue_, keys_.provider, keys_.model, kLanesAtOnce, read_);
    int rows = 0;
    while (query.Step()) {
      ++rows;
      Lane lane;
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
    query.Bind(queue_, lane->user, keys_.provider, keys_.model, lane->priority, lane->last_sort_ms,
               lane->last_id, limit);
    while (query.Step()) {
      Head& head = lane->heads.emplace_back();
      query.Take(&head.sort_ms), query.Take(&head.job.row);
      kVisitJob(head.job, Taker{query});
      lane->last_sort_ms = head.sort_ms, lane->last_id = head.job.id;
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
  const Keys keys_;
  std::deque<Lane> lanes_;
  std::string last_read_;
  std::tuple<int, int64_t, std::string_view> unread_from_{INT_MIN, 0, {}};
  int read_ = 0;
  bool read_out_ = false;
};

// The lines side by side.
class Chooser {
 public:
  Chooser(Connection& connection, const std::string& queue, Slots slots)
      : connection_(connection), queue_(queue), slots_(std::move(slots)) {}

  Status Choose(int max, int64_t turn, JobChoice* choice) {
    const bool rated = slots_.limits.cost_left >= 0;
    ASSIGN_OR_RETURN(std::vector<Keys> all, KeysWithReady(connection_, queue_));
    choice->jobs.reserve(static_cast<size_t>(std::clamp(max, 0, 1000)));
    for (Keys& keys : all) lines_.emplace_back(connection_, queue_, std::move(keys));
    while (static_cast<int>(choice->jobs.size()) < max && slots_.all < slots_.limits.concurrency) {
      ASSIGN_OR_RETURN(Best best, Next(max - static_cast<int>(choice->jobs.size()), choice->served));
      if (best.lane == nullptr) break;
      Lane& lane = *best.lane;
      if (rated) {
        const int64_t cost = std::min<int64_t>(lane.heads.front().job.cost, slots_.limits.cost_cap);
        if (cost > slots_.limits.cost_left) {
          choice->too_dear = cost;
          break;
        }
        slots_.limits.cost_left -= cost;
      }
      choice->jobs.push_back(std::move(lane.heads.front().job));
      lane.heads.pop_front();
      slots_.Add(best.line->keys(), lane.user, 1);
      choice->served[lane.user] = ++turn;
    }
    return OkStatus();
  }

 private:
  struct Best {
    Line* line = nullptr;
    Lane* lane = nullptr;
  };

  StatusOr<Best> Next(int wanted, const StringMap<int64_t>& served) {
    Best best;
    auto order = [](const Lane& lane) {
      return std::tuple(-lane.priority, lane.turn, lane.heads.front().sort_ms,
                        lane.heads.front().job.id.blob());
    };
    for (Line& line : lines_) {
      if (!slots_.KeysAreFree(line.keys())) continue;
      ASSIGN_OR_RETURN(Lane * lane, line.First(slots_, served, wanted));
      if (lane != nullptr && (best.lane == nullptr || order(*lane) < order(*best.lane))) best = {&line, lane};
    }
    return best;
  }

  Connection& connection_;
  const std::string& queue_;
  Slots slots_;
  std::deque<Line> lines_;
};

}  // namespace

StatusOr<JobChoice> ChooseJobs(Connection& connection, const std::string& queue, const ClaimLimits& limits,
                               int max, int64_t turn) {
  JobChoice choice;
  ASSIGN_OR_RETURN(Slots slots, CountSlots(connection, queue, limits));
  if (slots.all < limits.concurrency) {
    RETURN_IF_ERROR(Chooser(connection, queue, std::move(slots)).Choose(max, turn, &choice));
  }
  return choice;
}

}  // namespace mediagen
