#include "capi/backend.h"

#include <utility>

#include "capi/guard.h"

namespace mediagen::capi {

StatusOr<int32_t> Commit(const Backend& backend, mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                         Purpose purpose, CommitOperation operation, std::function<void()> committed) {
  return Begin(inbox, tag, DriveOf(backend), out, [&](std::shared_ptr<Call> call) -> Status {
    auto result = std::make_shared<std::string>();
    backend.store->CommitAsync(
        [operation = std::move(operation), result](Transaction& transaction) {
          return operation(transaction, result.get());
        },
        [call, result, committed = std::move(committed)](Status status) {
          if (status.ok() && committed) committed();
          BufferRef document = status.ok() && !result->empty() ? BufferRef::Own(std::move(*result)) : nullptr;
          call->Complete(std::move(status), std::move(document));
        },
        purpose);
    if (!backend.threaded) backend.store->RunOnce();  // the caller's thread is the writer
    return OkStatus();
  });
}

StatusOr<int32_t> Read(const Backend& backend, mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                       ReadOperation operation) {
  return Begin(inbox, tag, DriveOf(backend), out, [&](std::shared_ptr<Call> call) -> Status {
    auto task = [call, store = backend.store, operation = std::move(operation)] {
      std::string document;
      Status status = store->Read([&](const Snapshot& snapshot) -> Status {
        ASSIGN_OR_RETURN(document, operation(snapshot));
        return OkStatus();
      });
      BufferRef result = status.ok() ? BufferRef::Own(std::move(document)) : nullptr;
      call->Complete(std::move(status), std::move(result));
    };
    if (!backend.threaded) {
      task();
    } else if (!backend.executor->Post(std::move(task))) {
      return ClosedError();
    }
    return OkStatus();
  });
}

}  // namespace mediagen::capi
