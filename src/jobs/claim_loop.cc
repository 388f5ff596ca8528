#include "jobs/claim_loop.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "jobs/backoff.h"

namespace mediagen {
namespace {

constexpr size_t kWaiterLimit = 10'000;                        // host workers that wait at once
constexpr int64_t kFailureBaseMs = 50, kFailureCapMs = 5'000;  // between rounds while the store refuses

Status Closed() {
  return Error(Code::kClosed, "The queues are closing and claim nothing more.", {.hint = "End this worker."});
}

// Tasks are copied by std::function and an answer's jobs are moved out, so both lie behind one pointer.
Task AnswerTask(Queues::ClaimDone done, StatusOr<std::vector<Claim>> result) {
  struct Answer {
    Queues::ClaimDone done;
    StatusOr<std::vector<Claim>> result;
  };
  auto answer = std::make_shared<Answer>(Answer{std::move(done), std::move(result)});
  return [answer] { answer->done(std::move(answer->result)); };
}

}  // namespace

void ClaimLoop::Serve(const std::string& queue, Queues::Handler handler, Queues::CancelHandler canceled) {
  {
    std::lock_guard lock(mutex_);
    servers_[queue] = {std::move(handler), std::move(canceled)};
  }
  parts_.beat->Kick();
}

uint64_t ClaimLoop::Add(std::vector<std::string> queues, int max, Queues::ClaimDone done) {
  uint64_t number;
  Status refusal;
  {
    std::lock_guard lock(mutex_);
    number = ++last_number_;
    if (stopping_) {
      refusal = Closed();
    } else if (queues.empty() || max < 1) {
      refusal = Error(Code::kInvalid, "A claim names at least one queue and asks for at least one job.");
    } else if (waiters_.size() >= kWaiterLimit) {
      refusal = Error(Code::kOverloaded, fmt::format("{} claims wait already.", kWaiterLimit),
                      {.hint = "Ask for more jobs with fewer claims.", .retry_after_ms = 1000});
    } else {
      waiters_.push_back({number, std::move(queues), max, std::move(done)});
    }
  }
  if (refusal.ok()) {
    parts_.beat->Kick();
  } else {
    Deliver({AnswerTask(std::move(done), refusal), true});
  }
  return number;
}

void ClaimLoop::CancelWaiter(uint64_t number) {
  Queues::ClaimDone done;
  {
    std::lock_guard lock(mutex_);
    auto it =
        std::find_if(waiters_.begin(), waiters_.end(), [&](const Waiter& w) { return w.number == number; });
    if (it == waiters_.end()) return;
    done = std::move(it->done);
    waiters_.erase(it);  // what a round in flight claims for it is swept by the next one
  }
  Deliver({AnswerTask(std::move(done), Error(Code::kCanceled, "The claim was canceled.")), true});
}

void ClaimLoop::Deliver(Delivery delivery) {
  if (!parts_.executor->Post(delivery.task) && delivery.must_come) delivery.task();
}

void ClaimLoop::SweepStrays() {
  {
    std::lock_guard lock(mutex_);
    sweep_ = true;
  }
  parts_.beat->Kick();
}

// Everybody who could take a job now: waiters first, then handlers with the slots that are left.
std::vector<ClaimRequest> ClaimLoop::Wishes(int64_t now) const {
  std::map<std::string, int> free;
  auto free_of = [&](const std::string& queue) -> int& {
    auto [it, is_new] = free.try_emplace(queue, 0);
    if (is_new) {
      QueueSettings settings = parts_.settings->Of(queue);
      auto held_back = held_back_.find(queue);
      const bool closed = settings.paused || (held_back != held_back_.end() && held_back->second > now);
      it->second = closed ? 0 : std::max(0, settings.concurrency - parts_.held->CountOf(queue));
    }
    return it->second;
  };
  std::vector<ClaimRequest> wishes;
  for (const Waiter& waiter : waiters_) {
    ClaimRequest wish{.waiter = waiter.number, .max = waiter.max};
    for (const std::string& queue : waiter.queues) {
      if (free_of(queue) > 0) wish.queues.push_back(queue);
    }
    if (!wish.queues.empty()) wishes.push_back(std::move(wish));
  }
  for (const auto& [queue, server] : servers_) {
    if (server.handler && free_of(queue) > 0) wishes.push_back({.queues = {queue}, .max = free_of(queue)});
  }
  return wishes;
}

// Lock held. When the next queue may go on that its rate holds back; INT64_MAX when there is none.
int64_t ClaimLoop::NextRelease(int64_t now) const {
  int64_t next = INT64_MAX;
  for (const auto& [queue, until] : held_back_) {
    if (until > now) next = std::min(next, until);
  }
  return next;
}

void ClaimLoop::NoteBadSettings(const Status& status) const {
  parts_.log->Write(LogLevel::kWarning, "jobs",
                    fmt::format("The stored settings of a queue are left out: {}", InfoOf(status).message));
}

Status ClaimLoop::ReadStore(const std::vector<ClaimRequest>& wishes, Seen* seen) const {
  std::set<std::string> queues;
  for (const ClaimRequest& wish : wishes) queues.insert(wish.queues.begin(), wish.queues.end());
  return parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    const JobStore& jobs = snapshot.jobs();
    ASSIGN_OR_RETURN(const int64_t version, jobs.SettingsVersion());
    seen->settings_changed = version != parts_.settings->version();
    if (seen->settings_changed) {
      Status loaded = parts_.settings->Load(jobs);
      if (!loaded.ok()) NoteBadSettings(loaded);
    }
    for (const std::string& queue : queues) {
      ASSIGN_OR_RETURN(bool ready, jobs.HasReady(queue));
      if (ready) seen->ready.insert(queue);
    }
    if (parts_.held->size() > 0) {
      ASSIGN_OR_RETURN(seen->cancels, jobs.CancelRequested(parts_.worker));
    }
    ASSIGN_OR_RETURN(seen->next_due_in, jobs.NextDueIn(parts_.clock->WallMs(), parts_.clock->MonotonicMs()));
    return OkStatus();
  });
}

int64_t ClaimLoop::next_due() const {
  std::lock_guard lock(mutex_);
  return next_due_;
}

int64_t ClaimLoop::Look(bool kicked) {
  auto round = std::make_shared<ClaimRound>();
  const int64_t now = parts_.clock->MonotonicMs();
  {
    std::lock_guard lock(mutex_);
    if (in_flight_) {
      again_ |= kicked;
      return INT64_MAX;  // the round's end kicks
    }
    if (!kicked && next_due_ > now) return next_due_;
    if (failures_ > 0 && next_due_ > now) return next_due_;  // the store refuses: no wake makes it better
    if (!stopping_) round->requests = Wishes(now);           // whoever drains is still told to cancel
    round->sweep = sweep_;
  }
  Seen seen;
  Status status = ReadStore(round->requests, &seen);
  if (!status.ok()) {
    std::lock_guard lock(mutex_);
    NoteFailure(status);
    return next_due_;
  }
  TellCancels(seen.cancels);
  if (seen.settings_changed) {  // what was wished for kept to the old ones
    {
      std::lock_guard lock(mutex_);
      held_back_.clear();
    }
    parts_.beat->Kick();
    return now;
  }
  round->ready = std::move(seen.ready);
  round->promote = seen.next_due_in == 0;
  // Without a lease nothing is claimed; its return kicks.
  const bool start = round->worth_running() && parts_.lease->LeftMs() > 0;
  {
    std::lock_guard lock(mutex_);
    const bool timed = seen.next_due_in > 0 && !stopping_;
    next_due_ = timed ? now + std::min(seen.next_due_in, kLongestWaitMs) : INT64_MAX;
    if (!stopping_) next_due_ = std::min(next_due_, NextRelease(now));
    if (!start || stopping_) return next_due_;
    in_flight_ = true;
    next_due_ = INT64_MAX;
  }
  StartRound(std::move(round));
  return INT64_MAX;
}

void ClaimLoop::StartRound(std::shared_ptr<ClaimRound> round) {
  auto run = [this, round](Transaction& transaction) -> Status {
    // Asked again under the write lock: while the lease is good nobody can have removed our row, so a claim
    // is never without one.
    round->lapsed = parts_.lease->LeftMs() == 0;
    if (round->lapsed) {
      return Error(Code::kUnavailable, "The lease of this worker ran out before it could claim.");
    }
    return round->Run(transaction, {parts_.clock, parts_.held, parts_.settings, parts_.moves, parts_.worker});
  };
  parts_.store->CommitAsync(run, [this, round](Status status) { EndRound(round, status); });
}

void ClaimLoop::NoteFailure(const Status& status) {
  ++failures_;
  int64_t wait_ms = std::min(kFailureCapMs, kFailureBaseMs << std::min(failures_, 10));
  next_due_ = CodeOf(status) == Code::kClosed ? INT64_MAX : parts_.clock->MonotonicMs() + wait_ms;
  if (failures_ == 1 && CodeOf(status) != Code::kClosed) {
    parts_.log->Write(LogLevel::kWarning, "jobs",
                      fmt::format("Nothing was claimed: {}", InfoOf(status).message));
  }
}

void ClaimLoop::EndRound(const std::shared_ptr<ClaimRound>& round, const Status& status) {
  std::vector<Delivery> deliveries;
  {
    std::lock_guard lock(mutex_);
    if (status.ok()) {
      failures_ = 0;
      if (round->sweep) sweep_ = false;
      for (const auto& [queue, until] : round->held_back) {
        held_back_[queue] = until;
        again_ = true;  // so that the time is seen
      }
      deliveries = HandOut(round.get());
      again_ |= round->changed();
    } else if (round->lapsed) {
      // Nothing was written, and the lease's return kicks: a wait of our own would only make it longer.
    } else {
      // An unknown outcome may have claimed jobs that nobody here knows of.
      sweep_ = true;
      NoteFailure(status);
      again_ = true;  // so that the new time is seen
    }
  }
  for (Delivery& delivery : deliveries) Deliver(std::move(delivery));
  // The last thing that touches this object: whoever awaits the round may destroy it.
  std::lock_guard lock(mutex_);
  in_flight_ = false;
  if (std::exchange(again_, false)) parts_.beat->Kick();
  idle_.notify_all();
}

// Lock held. The claims are committed: from here on they are held, whether or not somebody still wants them.
std::vector<ClaimLoop::Delivery> ClaimLoop::HandOut(ClaimRound* round) {
  std::vector<Delivery> deliveries;
  for (ClaimRequest& request : round->requests) {
    if (request.claims.empty()) continue;
    auto waiter = std::find_if(waiters_.begin(), waiters_.end(),
                               [&](const Waiter& w) { return w.number == request.waiter; });
    if (request.waiter != 0 && waiter == waiters_.end()) {
      sweep_ = true;  // canceled meanwhile: not held, so the next round gives them back
      continue;
    }
    if (stopping_)
      continue;  // nobody would work on them: HandBack returns what stands under this worker's name
    for (const Claim& claim : request.claims) {
      parts_.held->Insert(claim.job);
      parts_.limits->Note(claim.job.timeout_ms);
    }
    if (request.waiter != 0) {
      deliveries.push_back({AnswerTask(std::move(waiter->done), std::move(request.claims)), true});
      waiters_.erase(waiter);
      continue;
    }
    for (Claim& claim : request.claims) {
      const Queues::Handler& handler = servers_[claim.job.queue].handler;
      deliveries.push_back({[handler, claim = std::move(claim)] { handler(claim); }});
    }
  }
  return deliveries;
}

void ClaimLoop::TellCancels(const std::vector<Id>& cancels) {
  for (const Id& id : cancels) {
    std::optional<std::string> queue = parts_.held->TellCancel(id);
    if (!queue) continue;
    std::lock_guard lock(mutex_);
    auto server = servers_.find(*queue);
    if (server == servers_.end() || !server->second.canceled) continue;
    parts_.executor->Post([canceled = server->second.canceled, id] { canceled(id); });
  }
}

void ClaimLoop::Stop() {
  std::deque<Waiter> waiters;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    waiters.swap(waiters_);
  }
  for (Waiter& waiter : waiters) Deliver({AnswerTask(std::move(waiter.done), Closed()), true});
}

bool ClaimLoop::in_flight() const {
  std::lock_guard lock(mutex_);
  return in_flight_;
}

void ClaimLoop::AwaitRound() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [&] { return !in_flight_; });
}

}  // namespace mediagen
