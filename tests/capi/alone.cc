#include "capi/alone.h"

#include <memory>
#include <utility>

#include "store/sqlite/open.h"
#include "support/temp_dir.h"

namespace mediagen::testing {
namespace {

struct Alone {
  TempDir dir;
  Metrics metrics;
  LogSink log{SystemClock()};
  IdSource ids{SystemClock(), SystemRandom()};
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Store> store;
  std::unique_ptr<Queues> queues;

  ~Alone() {
    if (queues) queues->StopClaiming();
    if (queues) queues->HandBack();
    if (executor) executor->Stop();
    if (store) store->Stop();
    queues.reset();
  }

  Status Open(bool threaded) {
    executor = threaded ? NewThreadExecutor(SystemClock(), 1, "test") : NewManualExecutor(SystemClock());
    SqliteOptions sqlite;
    sqlite.dir = dir.path();
    sqlite.threaded = threaded;
    sqlite.relaxed = true;
    ASSIGN_OR_RETURN(store, OpenSqliteStore(SystemClock(), SystemFiles(), &metrics, &log, sqlite));
    QueuesOptions options;
    options.dir = dir.path();
    options.threaded = threaded;
    ASSIGN_OR_RETURN(queues, OpenQueues(store.get(), executor.get(), SystemClock(), SystemRandom(), &ids,
                                        SystemFiles(), &metrics, &log, options));
    return queues->Start();
  }

  bool DriveOnce() { return store->RunOnce() | queues->RunOnce() | executor->RunOne(); }
};

}  // namespace

StatusOr<Backend> OpenAlone(std::string_view config) {
  if (config == "fail") return Error(Code::kInvalid, "The configuration has unknown fields: \"x\".");
  auto alone = std::make_shared<Alone>();
  const bool threaded = config != "manual";
  RETURN_IF_ERROR(alone->Open(threaded));
  Backend backend;
  backend.store = alone->store.get();
  backend.queues = alone->queues.get();
  backend.executor = alone->executor.get();
  backend.ids = &alone->ids;
  backend.clock = SystemClock();
  backend.threaded = threaded;
  if (!threaded) {
    backend.drive = [weak = std::weak_ptr<Alone>(alone)](int64_t) {
      auto self = weak.lock();
      return self != nullptr && (self->DriveOnce(), true);
    };
  }
  backend.owner = std::move(alone);
  return backend;
}

}  // namespace mediagen::testing
