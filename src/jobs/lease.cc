#include "jobs/lease.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kRetryMs = 500;  // after a renewal that failed

std::string HostName() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return fmt::format("{}:{}", name, getpid());
}

}  // namespace

Lease::Lease(Store* store, Clock* clock, FileSystem* files, Metrics* metrics, LogSink* log, Options options,
             Listener listener)
    : store_(store),
      clock_(clock),
      files_(files),
      log_(log),
      options_(std::move(options)),
      listener_(std::move(listener)),
      failures_(metrics->AddCounter("mediagen_lease_renewal_failures_total",
                                    "Renewals of this worker's lease that did not commit.")) {}

Status Lease::Begin() {
  started_ms_ = clock_->WallMs();
  quarantine_until_ = 0;
  RETURN_IF_ERROR(files_->MakeDirs(WorkersDir(options_.dir)));
  RETURN_IF_ERROR(Renew());
  next_due_ = clock_->MonotonicMs() + options_.renew_ms;
  return OkStatus();
}

int64_t Lease::LeftMs() const { return std::max<int64_t>(0, until_ - clock_->MonotonicMs()); }

Status Lease::EnsureFile() {
  if (file_ && file_->Intact()) return OkStatus();
  ASSIGN_OR_RETURN(file_, WorkerFile::Create(options_.dir, options_.worker));
  return OkStatus();
}

Status Lease::Renew() {
  RETURN_IF_ERROR(EnsureFile());
  const bool registering = quarantine_until_ >= 0;
  int64_t until = 0;
  bool declared_dead = false;
  Status status = store_->Commit(
      [&](Transaction& transaction) -> Status {
        declared_dead = false;
        if (!registering) {
          ASSIGN_OR_RETURN(std::vector<Worker> workers, transaction.jobs().Workers());
          declared_dead = std::none_of(workers.begin(), workers.end(),
                                       [&](const Worker& worker) { return worker.id == options_.worker; });
          if (declared_dead) return OkStatus();
        }
        until = clock_->MonotonicMs() + options_.lease_ms;
        return transaction.jobs().PutWorker({.id = options_.worker,
                                             .boot_id = BootId(),
                                             .lease_until_mono = until,
                                             .started_ms = started_ms_,
                                             .host = HostName()});
      },
      Purpose::kHeartbeat);
  RETURN_IF_ERROR(status);
  if (declared_dead) {
    Lose(clock_->MonotonicMs());
    return OkStatus();
  }
  const bool lapsed = LeftMs() == 0;
  quarantine_until_ = -1;
  until_ = until;
  if (lapsed) listener_.regained();
  return OkStatus();
}

void Lease::Lose(int64_t now) {
  until_ = 0;
  size_t held = listener_.lost();
  quarantine_until_ = held == 0 ? now : now + options_.lease_ms;
  log_->Write(LogLevel::kWarning, "jobs", "This worker was declared dead; others run its jobs now.",
              {{"worker", options_.worker.text()}, {"jobs", fmt::format("{}", held)}});
}

int64_t Lease::RenewIfDue() {
  int64_t now = clock_->MonotonicMs();
  if (now < next_due_) return next_due_;
  Status status = quarantine_until_ > now ? OkStatus() : Renew();
  now = clock_->MonotonicMs();
  if (!status.ok()) {
    failures_.Add();
    log_->Write(LogLevel::kWarning, "jobs",
                fmt::format("The lease was not renewed: {}", InfoOf(status).message),
                {{"worker", options_.worker.text()}, {"leftMs", fmt::format("{}", LeftMs())}});
    next_due_ = now + std::min(kRetryMs, options_.renew_ms);
  } else {
    // Counted from the moment that the renewal speaks of: one that took long to commit is followed at once.
    const int64_t renewed = until_ - options_.lease_ms;
    next_due_ = quarantine_until_ >= 0 ? std::max(now + 1, quarantine_until_) : renewed + options_.renew_ms;
  }
  return next_due_;
}

Status Lease::End() {
  until_ = 0;
  if (!file_) return OkStatus();
  Status status = file_->Remove(files_);
  file_.reset();
  return status;
}

void Lease::Abandon() {
  until_ = 0;
  if (file_) file_->Abandon();
}

}  // namespace mediagen
