#include "jobs/held.h"

#include <set>

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
  return series_.emplace(queue, series).first->second;
}

HeldJobs::Entries::iterator HeldJobs::Erase(Entries::iterator entry, bool count_as_finished) {
  const Entry& held = entry->second;
  Series& series = SeriesOf(held.queue);
  series.held.Set(--series.count);
  if (count_as_finished && held.finished) {
    Labels labels{{"queue", held.queue}, {"outcome", std::string(OutcomeName(*held.finished))}};
    metrics_
        ->AddCounter("mediagen_jobs_finished_total", "Jobs that this worker finished, by outcome.", labels)
        .Add();
  }
  return entries_.erase(entry);
}

void HeldJobs::Insert(const Job& job) {
  std::lock_guard lock(mutex_);
  auto old = entries_.find(job.id);
  if (old != entries_.end()) Erase(old, true);
  Series& series = SeriesOf(job.queue);
  series.held.Set(++series.count);
  series.claimed.Add();
  entries_[job.id] = {.fence = job.fence, .queue = job.queue};
}

void HeldJobs::MarkFinished(const Id& id, uint64_t fence, Outcome::Kind kind) {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it != entries_.end() && it->second.fence == fence) it->second.finished = kind;
}

void HeldJobs::Release(const Id& id) {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it != entries_.end() && it->second.finished) Erase(it, true);
}

void HeldJobs::Drop(const Id& id, uint64_t fence) {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it != entries_.end() && it->second.fence == fence) Erase(it, false);
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
    if (it != entries_.end() && it->second.fence == claim.second && !standing.contains(claim))
      Erase(it, true);
  }
}

HeldJobs::Claims HeldJobs::All() const {
  std::lock_guard lock(mutex_);
  Claims all;
  for (const auto& [id, entry] : entries_) all.emplace_back(id, entry.fence);
  return all;
}

bool HeldJobs::Has(const Id& id, uint64_t fence) const {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  return it != entries_.end() && it->second.fence == fence;
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
  return it->second.queue;
}

}  // namespace mediagen
