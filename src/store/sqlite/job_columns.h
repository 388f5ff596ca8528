// The columns of job, for the files that read whole rows.
#pragma once

#include "store/sqlite/columns.h"

#define JOB_IDENTITY "id, queue, kind, user, parent, created_ms"
#define JOB_MUTABLE                                                                                   \
  "state, provider_key, payload, priority, run_at_ms, due_mono, fence, tries, timeout_ms, progress, " \
  "result, error, "                                                                                   \
  "checkpoint, unique_key, worker, alive_mono, cancel_requested, finished_ms"
#define JOB_COLUMNS JOB_IDENTITY ", " JOB_MUTABLE

namespace mediagen {

template <typename Row, typename Visitor>
void VisitJobMutable(Row& j, const Visitor& visit) {
  visit(j.state), visit(j.provider_key), visit(j.payload_json), visit(j.priority), visit(j.run_at_ms);
  visit(j.due_mono), visit(j.fence), visit(j.tries), visit(j.timeout_ms), visit(j.progress_json);
  visit(j.result_json), visit(j.error_json), visit(j.checkpoint_json), visit(j.unique_key), visit(j.worker);
  visit(j.alive_mono), visit(j.cancel_requested), visit(j.finished_ms);
}

constexpr auto kVisitJob = [](auto& j, const auto& visit) {
  visit(j.id), visit(j.queue), visit(j.kind), visit(j.user), visit(j.parent), visit(j.created_ms);
  VisitJobMutable(j, visit);
};

}  // namespace mediagen
