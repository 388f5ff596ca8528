// The columns of job, for the files that read whole rows.
#pragma once

#include "store/sqlite/columns.h"

#define JOB_IDENTITY "id, queue, kind, user, parent, created_ms, cost, max_tries, units, unique_states"
#define JOB_MUTABLE                                                                                    \
  "state, provider_key, model_key, payload, priority, run_at_ms, due_mono, fence, tries, timeout_ms, " \
  "progress, result, result_blob, units_done, error, checkpoint, unique_key, worker, alive_mono, "     \
  "cancel_requested, finished_ms"
#define JOB_COLUMNS JOB_IDENTITY ", " JOB_MUTABLE

namespace mediagen {

// The id that a page begins behind: the empty one stands before every id and would be bound as NULL.
inline Id AfterId(const Id& after) {
  return after.empty() ? Id{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}} : after;
}

template <typename Row, typename Visitor>
void VisitJobMutable(Row& j, const Visitor& visit) {
  visit(j.state), visit(j.provider_key), visit(j.model_key), visit(j.payload_json), visit(j.priority);
  visit(j.run_at_ms), visit(j.due_mono), visit(j.fence), visit(j.tries), visit(j.timeout_ms);
  visit(OrNull{j.progress_json}), visit(OrNull{j.result_json}), visit(OrNull{j.result_blob});
  visit(j.units_done), visit(OrNull{j.error_json}), visit(OrNull{j.checkpoint_json});
  visit(OrNull{j.unique_key}), visit(j.worker);
  visit(j.alive_mono), visit(j.cancel_requested), visit(j.finished_ms);
}

constexpr auto kVisitJob = [](auto& j, const auto& visit) {
  visit(j.id), visit(j.queue), visit(j.kind), visit(j.user), visit(j.parent), visit(j.created_ms);
  visit(j.cost), visit(j.max_tries), visit(j.units), visit(j.unique_states);
  VisitJobMutable(j, visit);
};

}  // namespace mediagen
