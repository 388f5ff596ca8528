// Which jobs a claim takes: found out over lanes and indexes that nothing changes meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/text.h"
#include "store/job_store.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/lanes.h"

namespace mediagen {

struct JobChoice {
  std::vector<Job> jobs;      // in order, as they stand: ready; `row` is the rowid
  StringMap<int64_t> served;  // the turns that users were given
  int64_t too_dear = 0;       // the cost of the job at which limits.cost_left ended the choice; 0 none
};

// Up to `max` ready jobs of `queue` in the order of claims (priority descending, lane turn, time, id) within
// `limits`; turns go on from `turn`. Not thread-safe; writes nothing.
StatusOr<JobChoice> ChooseJobs(Connection& connection, const std::string& queue, const ClaimLimits& limits,
                               int max, int64_t turn);

}  // namespace mediagen
