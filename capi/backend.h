// How the store's and the queue's verbs run on a Backend: a commit, or a read on its executor, whose document
// completes a call.
//
// What is posted holds no owner: the last owner may join the very thread that runs it. A Backend ends all
// that was posted before it goes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "capi/begin.h"
#include "engine/engine.h"
#include "store/store.h"

namespace mediagen::capi {

// Commits `operation`; what it writes to `result` ("": no result) is the call's document. It may be run
// twice, so it only assigns to it. `committed`, when given, runs after the commit and before the call ends.
using CommitOperation = std::function<Status(Transaction& transaction, std::string* result)>;
StatusOr<int32_t> Commit(const Backend& backend, mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                         Purpose purpose, CommitOperation operation,
                         std::function<void()> committed = nullptr);

// Reads the call's document from a snapshot.
using ReadOperation = std::function<StatusOr<std::string>(const Snapshot& snapshot)>;
StatusOr<int32_t> Read(const Backend& backend, mediagen_inbox* inbox, uint64_t tag, mediagen_call** out,
                       ReadOperation operation);

}  // namespace mediagen::capi
