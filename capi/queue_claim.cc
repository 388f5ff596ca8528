#include "capi/queue_claim.h"

#include <utility>

#include "api/queue_documents.h"

namespace mediagen::capi {
namespace {

using Held = std::vector<std::pair<Id, uint64_t>>;  // id, fence

void HandBack(Store* store, Queues* queues, const Held& held) {
  for (const auto& [id, fence] : held) {
    store->CommitAsync(
        [queues, id = id, fence = fence](Transaction& transaction) {
          return queues->Finish(transaction, id, fence, Outcome::Defer(0, "its claim was given up"));
        },
        // A stale fence, or a closed store: the job has been handed back already.
        [queues, id = id](Status status) {
          if (status.ok()) queues->Released(id);
        });
  }
}

}  // namespace

void StartClaim(const Backend& backend, std::vector<std::string> queues, int max,
                std::shared_ptr<Call> call) {
  auto done = [call, store = backend.store, worker = backend.queues,
               owner = std::weak_ptr<void>(backend.owner)](StatusOr<std::vector<Claim>> claims) {
    if (!claims.ok()) {
      call->Complete(claims.status());
      return;
    }
    Held held;
    for (const Claim& claim : *claims) held.emplace_back(claim.id(), claim.fence());
    // Runs when the host frees the call, on its thread: the queue may be gone by then.
    auto unread = [store, worker, owner, held] {
      if (std::shared_ptr<void> alive = owner.lock()) HandBack(store, worker, held);
    };
    if (!call->Complete(OkStatus(), BufferRef::Own(ClaimsDocument(*claims)), std::move(unread)))
      HandBack(store, worker, held);
  };
  uint64_t number = backend.queues->ClaimAsync(std::move(queues), max, std::move(done));
  call->OnCancel([worker = backend.queues, owner = std::weak_ptr<void>(backend.owner), number] {
    if (std::shared_ptr<void> alive = owner.lock()) worker->CancelClaim(number);
  });
}

}  // namespace mediagen::capi
