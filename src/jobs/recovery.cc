#include "jobs/recovery.h"

#include <algorithm>
#include <set>
#include <utility>

#include "fmt/format.h"
#include "jobs/transition.h"
#include "jobs/worker_file.h"

namespace mediagen {
namespace {

Counter ReturnedCounter(Metrics* metrics, const char* reason) {
  return metrics->AddCounter("mediagen_jobs_returned_total", "Jobs taken away from their holder.",
                             {{"reason", reason}});
}

const Worker* FindRow(const std::vector<Worker>& rows, const Id& id) {
  auto it = std::find_if(rows.begin(), rows.end(), [&](const Worker& row) { return row.id == id; });
  return it == rows.end() ? nullptr : &*it;
}

}  // namespace

Recovery::Recovery(Store* store, Clock* clock, FileSystem* files, Metrics* metrics, LogSink* log,
                   const SettingsTable* settings, const Moves* moves, std::string dir, Id self)
    : store_(store),
      clock_(clock),
      files_(files),
      log_(log),
      settings_(settings),
      moves_(moves),
      dir_(std::move(dir)),
      self_(self),
      dead_(ReturnedCounter(metrics, "dead_worker")),
      frozen_(ReturnedCounter(metrics, "frozen_worker")) {}

bool Recovery::Scan() {
  StatusOr<bool> recovered = RecoverAll();
  if (recovered.ok()) {
    last_error_.clear();
    return *recovered;
  }
  // The same trouble twice a second is said once.
  std::string error = InfoOf(recovered.status()).message;
  if (CodeOf(recovered.status()) != Code::kClosed && error != last_error_) {
    log_->Write(LogLevel::kWarning, "jobs", fmt::format("The scan for dead workers failed: {}", error));
  }
  last_error_ = std::move(error);
  return false;
}

StatusOr<bool> Recovery::RecoverAll() {
  std::vector<Worker> rows;
  RETURN_IF_ERROR(store_->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(rows, snapshot.jobs().Workers());
    return OkStatus();
  }));
  ASSIGN_OR_RETURN(std::vector<std::string> names, files_->List(WorkersDir(dir_)));

  bool recovered = false;
  std::set<Id> with_file;
  for (const std::string& name : names) {
    StatusOr<Id> worker = Id::Parse(name);
    if (!worker.ok() || *worker == self_) continue;
    with_file.insert(*worker);
    ASSIGN_OR_RETURN(bool done, RecoverFile(*worker, FindRow(rows, *worker)));
    recovered |= done;
  }
  for (const Worker& row : rows) {
    if (row.id == self_ || (with_file.contains(row.id) && row.boot_id == BootId())) continue;
    RETURN_IF_ERROR(Return(row.id, Cause::kDead));
    recovered = true;
  }
  return recovered;
}

StatusOr<bool> Recovery::RecoverFile(const Id& worker, const Worker* row) {
  ASSIGN_OR_RETURN(std::unique_ptr<WorkerFile> file, WorkerFile::TakeOver(dir_, worker));
  if (file) {
    // The row may have been written after `rows` was read; a worker that ended well took its row with it.
    RETURN_IF_ERROR(Return(worker, Cause::kDead));
    RETURN_IF_ERROR(file->Remove(files_));
    return true;
  }
  if (!row || row->boot_id != BootId() || row->lease_until_mono > clock_->MonotonicMs()) return false;
  RETURN_IF_ERROR(Return(worker, Cause::kFrozen));
  return true;
}

Status Recovery::Return(const Id& worker, Cause cause) {
  int running = 0, parked = 0;
  std::string host;
  RETURN_IF_ERROR(store_->Commit([&](Transaction& transaction) -> Status {
    running = parked = 0;
    host.clear();
    JobStore& jobs = transaction.jobs();
    Moment now = Moment::Of(clock_);
    ASSIGN_OR_RETURN(std::vector<Worker> rows, jobs.Workers());
    const Worker* row = FindRow(rows, worker);
    // Thawed and renewed since it was looked at.
    if (cause == Cause::kFrozen && (!row || row->lease_until_mono > now.mono_ms)) return OkStatus();
    if (row) host = row->host;
    ASSIGN_OR_RETURN(std::vector<Job> held, jobs.HeldBy(worker));
    Status why =
        Error(Code::kUnavailable, fmt::format("Worker {} ended while it ran this job.", worker.text()),
              {.hint = "Look for a crash or a kill of that process; the job itself may cause it."});
    for (Job& job : held) {
      const JobState before = job.state;
      if (job.state == JobState::kRunning) {
        ApplyCrash(why, settings_->Of(job.queue).retry, now, &job);
        ++running;
      } else {
        ApplyReturn(&job);
        ++parked;
      }
      RETURN_IF_ERROR(moves_->Write(transaction, job, job.fence, before));
    }
    if (row) RETURN_IF_ERROR(jobs.RemoveWorker(worker));
    if (!held.empty()) transaction.WakeQueues();
    return OkStatus();
  }));
  (cause == Cause::kDead ? dead_ : frozen_).Add(running + parked);
  if (!host.empty()) {
    log_->Write(LogLevel::kWarning, "jobs",
                cause == Cause::kDead ? "A dead worker was found; its jobs run again."
                                      : "A worker does not renew its lease (frozen?); its jobs run again.",
                {{"worker", worker.text()},
                 {"host", host},
                 {"running", fmt::format("{}", running)},
                 {"parked", fmt::format("{}", parked)}});
  }
  return OkStatus();
}

}  // namespace mediagen
