// Engine: configuration → wiring → lifecycle. What the C ABI calls.
//
// Thread-safe. Every verb answers through a Reply, which is called exactly once: inline when memory or
// validation answers, else later from a thread of the engine. After Close every verb answers kClosed. An
// Engine is held by shared_ptr: what is under way keeps it alive.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/http.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/landmarks.h"
#include "base/status.h"
#include "blob/blob.h"
#include "cache/cache.h"
#include "jobs/queue.h"
#include "limit/limiter.h"
#include "store/store.h"

namespace mediagen {

using Reply = std::function<void(StatusOr<BufferRef>)>;

// Ends a subscription or a wait; safe to call at any time, also after the engine is gone.
using Unsubscribe = std::function<void()>;

struct EngineEnvironment {
  Clock* clock = nullptr;  // null: the machine's
  FileSystem* files = nullptr;
  Random* random = nullptr;
  std::string sqlite_vfs;          // "": SQLite's own
  Landmarks* landmarks = nullptr;  // null: nobody is told of them
};

// A store with what its jobs need, opened without an engine or shared with one (record.h, queue.h of the C
// ABI).
struct Backend {
  std::shared_ptr<void> owner;  // keeps everything below alive
  Store* store = nullptr;
  Queues* queues = nullptr;    // null: jobs in a batch are refused
  BlobStore* blobs = nullptr;  // null without an engine
  Executor* executor = nullptr;
  IdSource* ids = nullptr;
  Clock* clock = nullptr;
  bool threaded = true;
  std::function<bool(int64_t ms)> drive;  // manual mode; null otherwise
};

class Engine : public std::enable_shared_from_this<Engine> {
 public:
  static StatusOr<std::shared_ptr<Engine>> Open(std::string_view config_json,
                                                const EngineEnvironment& environment = {});
  virtual ~Engine() = default;

  virtual void Submit(std::string_view request_json, Reply reply) = 0;
  virtual void Cancel(std::string_view principal, std::string_view id, Reply reply) = 0;
  virtual void Retry(std::string_view principal, std::string_view id, Reply reply) = 0;
  virtual void AbandonUnknown(std::string_view principal, std::string_view id, Reply reply) = 0;
  // Replies when the generation rests. The returned function gives up waiting (no reply then).
  virtual Unsubscribe Await(std::string_view principal, std::string_view id, Reply reply) = 0;
  // Reads are run by the engine's threads. What is returned runs the read on the caller's thread instead,
  // when none of them has begun it; null when it has been answered.
  virtual Task Get(std::string_view principal, std::string_view resource, std::string_view id,
                   Reply reply) = 0;
  virtual Task List(std::string_view principal, std::string_view resource, std::string_view query,
                    Reply reply) = 0;
  virtual void Publish(std::string_view topic, std::string_view user, std::string_view data, Reply reply) = 0;

  // `metadata_json` is "" or {"user", "visibility", "reuse"}. The reply is the output's record.
  // `bytes` are copied.
  virtual void Upload(std::string_view principal, std::string_view metadata_json, std::string_view bytes,
                      Reply reply) = 0;

  // `deliver` gets one event document at a time, in order, from a thread of the engine; `ended` is called at
  // most once, when the engine closes.
  virtual StatusOr<Unsubscribe> Subscribe(std::string_view principal, std::string_view filter,
                                          std::function<void(BufferRef)> deliver,
                                          std::function<void(Status)> ended) = 0;

  // `headers` is the header block; the body (null for GET and HEAD) is complete.
  virtual void Handle(std::string_view method, std::string_view target, std::string_view headers,
                      std::string_view principal, std::string_view mount, BufferRef body,
                      ResponseDone done) = 0;
  // `target` (a path below `mount`, with its query) as a signed URL that holds for ttl_ms, rounded up to the
  // hour. kInvalid for what cannot be signed.
  virtual StatusOr<std::string> SignUrl(std::string_view method, std::string_view target,
                                        std::string_view mount, int64_t ttl_ms) = 0;
  // How many bytes of request body Handle takes for this method and target at most.
  virtual uint64_t MaxBodyBytes() const = 0;

  virtual void Close(int64_t grace_ms, std::function<void(Status)> done) = 0;
  virtual bool closed() const = 0;
  // "workers": "manual" only. next_due_ms: -1 when nothing is scheduled.
  virtual Status Run(int64_t budget_ms, int64_t* next_due_ms) = 0;
  virtual bool threaded() const = 0;
  // One slice of Run for waiting calls; false when the engine is closed.
  virtual bool Drive(int64_t ms) = 0;

  virtual Backend backend() = 0;
  // In a forked child: leaks everything, joins nothing.
  virtual void Abandon() = 0;
};

// The components alone. `config_json` is {"dataDir", "store", "durability", "workers"} and, for a queue,
// "queues".
StatusOr<Backend> OpenStoreAlone(std::string_view config_json);
StatusOr<Backend> OpenQueueAlone(std::string_view config_json);
// {"bytes": 52428800}
StatusOr<std::shared_ptr<Cache>> OpenCacheAlone(std::string_view config_json);
// {"rules": {"name": "5/min"}, "url": "memory:", "maxKeys": 1048576}
StatusOr<std::shared_ptr<Limiter>> OpenLimiterAlone(std::string_view config_json);

}  // namespace mediagen
