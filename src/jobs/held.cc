#include "jobs/held.h"

#include <set>

#include "jobs/provider_jobs.h"
#include "jobs/transition.h"

namespace mediagen {

HeldJobs::Series& HeldJobs::SeriesOf(const std::string& queue) {
  auto it = series_.find(queue);
  if (it != series_.end()) return it->second;
  Labels labels{{"queue", queue}};
  Series series;
  series.held =
      metrics_->AddGauge("mediagen_jobs_held", "Jobs held by this worker, running or parked.", labels);
  series.claimed = metrics_->AddCounter("mediagen_jobs_claimed_total", "Claims of this worker.", labels);
  for (size_t kind = 0; kind < series.finished.size(); ++kind) {
    Labels of_outcome{{"queue", queue},
                      {"outcome", std::string(OutcomeName(static_cast<Outcome::Kind>(kind)))}};
    series.finished[kind] = metrics_->AddCounter("mediagen_jobs_finished_total",
                                                 "Jobs that this worker finished, by outcome.", of_outcome);
  }
  return series_.emplace(queue, series).first->second;
}

HeldJobs::Entries::iterator HeldJobs::Erase(Entries::iterator entry, bool count_as_finished) {
  const Entry& held = entry->second;
  Series& series = SeriesOf(held.claim.queue);
  series.held.Set(--series.count);
  if (count_as_finished && held.finished) series.finished[static_cast<size_t>(*held.finished)].Add();
  return entries_.erase(entry);
}

void HeldJobs::Insert(const Job& job) {
  std::lock_guard lock(mutex_);
  auto old = entries_.find(job.id);
  if (old != entries_.end()) Erase(old, true);
  Series& series = SeriesOf(job.queue);
  series.held.Set(++series.count);
  series.claimed.Add();
  const bool plain = job.row != 0 && job.parent.empty() && job.unique_key.empty() && !IsAwaited(job);
  entries_[job.id] = {.claim = {.id = job.id,
                                .worker = job.worker,
                                .fence = job.fence,
                                .queue = job.queue,
                                .user = job.user,
                                .provider_key = job.provider_key,
                                .model_key = job.model_key,
                                .priority = job.priority,
                                .row = job.row},
                      .plain = plain};
}

void HeldJobs::MarkFinished(const Id& id, uint64_t fence, Outcome::Kind kind) {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it != entries_.end() && it->second.claim.fence == fence) it->second.finished = kind;
}

void HeldJobs::Release(const Id& id) {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it != entries_.end() && it->second.finished) Erase(it, true);
}

void HeldJobs::Drop(const Id& id, uint64_t fence) {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it != entries_.end() && it->second.claim.fence == fence) Erase(it, false);
}

void HeldJobs::Clear() {
  std::lock_guard lock(mutex_);
  for (auto it = entries_.begin(); it != entries_.end();) it = Erase(it, false);
}

void HeldJobs::Reconcile(const Claims& before, const std::vector<Job>& rows) {
  std::set<std::pair<Id, uint64_t>> standing;
  for (const Job& job : rows) standing.emplace(job.id, job.fence);
  std::lock_guard lock(mutex_);
  for (const auto& claim : before) {
    auto it = entries_.find(claim.first);
    if (it != entries_.end() && it->second.claim.fence == claim.second && !standing.contains(claim))
      Erase(it, true);
  }
}

HeldJobs::Claims HeldJobs::All() const {
  std::lock_guard lock(mutex_);
  Claims all;
  for (const auto& [id, entry] : entries_) all.emplace_back(id, entry.claim.fence);
  return all;
}

std::optional<ClaimedJob> HeldJobs::Plain(const Id& id, uint64_t fence) const {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it == entries_.end() || !it->second.plain || it->second.claim.fence != fence) return std::nullopt;
  return it->second.claim;
}

bool HeldJobs::Has(const Id& id, uint64_t fence) const {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  return it != entries_.end() && it->second.claim.fence == fence;
}

int HeldJobs::CountOf(std::string_view queue) const {
  std::lock_guard lock(mutex_);
  auto it = series_.find(queue);
  return it == series_.end() ? 0 : it->second.count;
}

size_t HeldJobs::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

std::optional<std::string> HeldJobs::TellCancel(const Id& id) {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it == entries_.end() || it->second.cancel_told) return std::nullopt;
  it->second.cancel_told = true;
  return it->second.claim.queue;
}

}  // namespace mediagen
