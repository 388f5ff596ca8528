// No durable answer to a paid request: only the provider knows. Where it lists its requests, it is asked;
// else the generation rests as unknown, and nothing is ever sent again by itself (pipeline.md step 4).
#include <algorithm>
#include <span>

#include "fmt/format.h"
#include "pipeline/documents.h"
#include "pipeline/run.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

constexpr int64_t kClockSkewMs = 60'000;  // between us and the provider, either way
constexpr int64_t kRoundsMs[] = {
    0, 1'500, 6'000};  // a request that was in flight when we looked shows up a little later
constexpr int kMaxPages = 10;
constexpr AttemptState kUnanswered[] = {AttemptState::kIntent, AttemptState::kUnknown};
constexpr AttemptState kTaken[] = {
    AttemptState::kSubmitted};  // by a worker of the host's that did not end it

}  // namespace

void Run::ResolveUnknown(PartRun& part, std::string why) {
  // First of all it is said, durably, that there is no answer: from here on nobody takes this intent for
  // unsent.
  if (part.attempt->state == AttemptState::kIntent) {
    part.attempt->state = AttemptState::kUnknown;
    part.attempt->updated_ms = parts_.clock->WallMs();
    bool moved = false;
    Status stored = Update([&](Transaction& transaction, Generation&) -> Status {
      ASSIGN_OR_RETURN(moved, transaction.records().MoveAttempt(*part.attempt, kUnanswered));
      return OkStatus();
    });
    if (!stored.ok()) return Trouble(stored);
    if (!moved) return Adopt(part);
  }
  if (abandoned_) return;
  if (!part.adapter->reconcilable()) return RestUnknown(part, why);
  part.reconcile_round = 0;
  // Its own request is compared with those that the provider lists.
  Resolve(part, 0, [this, &part, why](const Status& status) {
    if (status.ok()) return ReconcileLater(part, why);
    RestUnknown(part, InfoOf(status).message);
  });
}

void Run::ReconcileLater(PartRun& part, const std::string& why) {
  if (static_cast<size_t>(part.reconcile_round) >= std::size(kRoundsMs)) return RestUnknown(part, why);
  After(kRoundsMs[part.reconcile_round++], [this, &part] {
    if (!abandoned_ && !ended_ && Unanswered(part))
      ListPage(part, "", std::make_shared<std::vector<RemoteHandle>>(), 0);
  });
}

void Run::ListPage(PartRun& part, std::string next_url, std::shared_ptr<std::vector<RemoteHandle>> found,
                   int pages) {
  auto request = part.adapter->BuildReconcile(part.request, part.attempt->created_ms - kClockSkewMs,
                                              parts_.clock->WallMs() + kClockSkewMs, next_url);
  if (!request.ok()) return RestUnknown(part, InfoOf(request.status()).message);
  parts_.http->Send(std::move(*request),
                    [self = shared_from_this(), &part, found, pages](HttpResponse response) {
                      self->Do([self, &part, found, pages, response = std::move(response)] {
                        if (self->abandoned_ || self->ended_ || !Unanswered(part)) return;
                        ReconcileAnswer answer = part.adapter->ParseReconcile(response, part.request);
                        if (answer.kind == ReconcileAnswer::kTransient)
                          return self->ReconcileLater(part, answer.failure.message);
                        found->insert(found->end(), answer.found.begin(), answer.found.end());
                        if (answer.kind == ReconcileAnswer::kMore && pages + 1 < kMaxPages)
                          return self->ListPage(part, answer.next_url, found, pages + 1);
                        self->Match(part, *found);
                      });
                    });
}

// Requests with equal inputs are interchangeable, so as many free candidates as unanswered attempts with that
// input can be told apart well enough: any pairing is right. Fewer or more cannot.
void Run::Match(PartRun& part, const std::vector<RemoteHandle>& found) {
  std::vector<RemoteHandle> free;
  int rivals = 0;
  Status read = parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    free.clear();
    rivals = 0;
    std::vector<std::string> ids;
    ids.reserve(found.size());
    for (const RemoteHandle& handle : found) ids.push_back(handle.id);
    ASSIGN_OR_RETURN(auto known, snapshot.records().KnownRemoteIds(part.at.provider, ids));
    for (const RemoteHandle& handle : found) {
      if (std::find(known.begin(), known.end(), handle.id) == known.end()) free.push_back(handle);
    }
    const int64_t now = parts_.clock->WallMs();
    ASSIGN_OR_RETURN(auto unanswered, snapshot.records().UnansweredAttempts(
                                          part.at.provider, part.attempt->created_ms - kClockSkewMs, now));
    for (const Attempt& other : unanswered) {
      ASSIGN_OR_RETURN(auto generation, snapshot.records().FindGeneration(other.generation));
      if (generation && other.model == part.at.model &&
          SameInputs(generation->request_json, generation_.request_json))
        ++rivals;
    }
    return OkStatus();
  });
  if (!read.ok()) return Trouble(read);
  if (free.empty()) return ReconcileLater(part, "the provider's list does not show the request");
  if (static_cast<int>(free.size()) != std::max(rivals, 1)) {
    return RestUnknown(part, fmt::format("the provider's list shows {} requests that fit {} of ours",
                                         free.size(), std::max(rivals, 1)));
  }
  parts_.log->Write(LogLevel::kInfo, "pipeline", "a paid request without an answer was found at the provider",
                    {{"generation", generation_.id.text()}, {"remoteId", free.front().id}});
  Submitted(part, free.front());
}

void Run::RestUnknown(PartRun& part, const std::string& why) {
  part.place.reset();
  Failure failure;
  failure.error_class = ErrorClass::kUnknownOutcome;
  failure.message = fmt::format("The request may have been accepted and paid for: {}.",
                                why.empty() ? "no answer came" : why);
  part.row.state = "unknown";
  part.row.error_json = FailureJson(failure, false);
  part.attempt->state = AttemptState::kUnknown;
  part.attempt->error_json = part.row.error_json;
  part.attempt->updated_ms = parts_.clock->WallMs();
  std::span<const AttemptState> from = kUnanswered;
  if (hosted(part)) from = kTaken;
  bool concluded = false, moved = false;
  Status stored = Update([&](Transaction& transaction, Generation& row) -> Status {
    ASSIGN_OR_RETURN(moved, transaction.records().MoveAttempt(*part.attempt, from));
    if (!moved) return OkStatus();
    RETURN_IF_ERROR(transaction.records().UpdatePart(part.row));
    ASSIGN_OR_RETURN(concluded, Conclude(parts_, transaction, &row));
    if (concluded)
      RETURN_IF_ERROR(parts_.queues->Finish(transaction, claim_.id(), claim_.fence(), Outcome::Done()));
    transaction.Mark(LandmarkOf("settle", claim_));
    return OkStatus();
  });
  if (!stored.ok()) {
    part.row.state = "pending";
    return Trouble(stored);
  }
  if (!moved) {  // its webhook came in this moment
    part.row.state = "pending";
    part.row.error_json.clear();
    return Adopt(part);
  }
  pipeline_->unknown_.Add();
  if (concluded) return End();
  if (OnlyPending(part)) EndWith(Outcome::Defer(0));  // a late answer has opened a part again
}

}  // namespace mediagen
