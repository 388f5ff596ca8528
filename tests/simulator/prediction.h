// Predictions: what the simulator has accepted. A prediction's state is a function of the clock, so nothing
// has to run for it, and a restarted simulator goes on where the former one stopped.
//
// Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "simulator/fault.h"
#include "simulator/journal.h"

namespace mediagen::simulator {

struct Prediction {
  std::string id, model, version, deployment;
  Json input, fault;
  std::string webhook;  // the URL that the request names; not in the state file
  int64_t created_ms = 0;
  int64_t work_ms = 0;      // from creation to the end
  int64_t canceled_ms = 0;  // 0: not canceled
};

class Predictions {
 public:
  explicit Predictions(int64_t work_ms) : work_ms_(work_ms) {}
  bool Open(const std::string& state_path);

  // Makes the id, remembers the prediction, writes it to the state file.
  Prediction Add(Prediction prediction);
  std::optional<Prediction> Find(const std::string& id);
  // Marks it canceled unless it has ended.
  std::optional<Prediction> Cancel(const std::string& id, int64_t now_ms);
  // Newest first, from `cursor` on (0: the newest), at most `limit`; created within [after_ms, before_ms].
  // `next` is 0 at the end.
  std::vector<Prediction> List(int64_t after_ms, int64_t before_ms, size_t cursor, size_t limit,
                               size_t* next);
  // Counts uses of `key`: true for the first `times` of them. For faults that pass.
  bool FirstTimes(const std::string& key, int64_t times);

 private:
  const int64_t work_ms_;
  std::mutex mutex_;
  std::map<std::string, Prediction> by_id_;
  std::vector<std::string> in_order_;
  std::map<std::string, int64_t> uses_;
  StateFile state_;
};

// The number of pictures that the input asks for (1 to 4), and each one's sides.
int64_t OutputCount(const Json& input);
void OutputSize(const Json& input, uint32_t* width, uint32_t* height);

// Replicate's document of it at `now_ms`. `base` is where its own URLs begin, `origin` where files are
// served.
Json ToJson(const Prediction& prediction, int64_t now_ms, const std::string& base, const std::string& origin);

// Whether its pictures can be fetched at `now_ms`.
bool HasSucceeded(const Prediction& prediction, int64_t now_ms);

}  // namespace mediagen::simulator
