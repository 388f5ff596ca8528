// Store: everything durable, behind transactions that are committed in groups.
//
// Thread-safe. One writer; any number of readers. Nothing (an answer, a wake-up, a cache fill, an event) may
// leave before the commit that it tells of: `done` and OnCommit are called after COMMIT has returned.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/landmarks.h"
#include "store/collections.h"
#include "store/event_log.h"
#include "store/job_store.h"
#include "store/ledger.h"
#include "store/records.h"

namespace mediagen {

// One consistent view. `as_of` is the newest event sequence inside it: snapshot plus tail from one number.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual const Records& records() const = 0;
  virtual const JobStore& jobs() const = 0;
  virtual const EventLog& events() const = 0;
  virtual const Collections& collections() const = 0;
  virtual const Ledger& ledger() const = 0;
  virtual StatusOr<int64_t> AsOf() const = 0;
};

// What an operation writes through. Reads through it see its own writes.
class Transaction {
 public:
  virtual ~Transaction() = default;
  virtual Records& records() = 0;
  virtual JobStore& jobs() = 0;
  virtual EventLog& events() = 0;
  virtual Collections& collections() = 0;
  virtual Ledger& ledger() = 0;
  // Tells this and other processes, after the commit, that jobs became ready or were asked to cancel. Events
  // wake by themselves.
  virtual void WakeQueues() = 0;
  // The same, if jobs are ready in `queue` then: a slot has become free. Looked up once a group.
  virtual void FreedSlot(const std::string& queue) = 0;
  // This operation passes `landmark`: who listens to landmarks is told now, and once more when it is
  // committed.
  virtual void Mark(const Landmark& landmark) = 0;
};

// Runs on the writer thread inside a savepoint: an error undoes this operation alone. It may be run again
// (after a full disk rolled its group back), so it must not change what it captured except by plain
// assignment. Must not wait for anything, least of all for another commit.
using Operation = std::function<Status(Transaction&)>;
using CommitDone = std::function<void(Status)>;

enum class Purpose {
  kSettle,     // the normal case: what was accepted must be able to end
  kSubmit,     // accepts new work: refused with kStorageFull below the reserve of free space
  kHeartbeat,  // goes first in its group
};

class Store {
 public:
  virtual ~Store() = default;

  // `done` is called exactly once, on the writer thread (manual mode: on the thread that drives), and must be
  // quick. Its status is the operation's own error, or the commit's. kUnknownOutcome: a COMMIT or fsync
  // failed; the store reopens itself and reads back before it answers whenever it can. Past 10,000 waiting
  // operations the answer is kOverloaded. Only after Stop (kClosed) and in a forked child (kForked) does it
  // come on the caller's thread, before CommitAsync returns.
  virtual void CommitAsync(Operation operation, CommitDone done, Purpose purpose = Purpose::kSettle) = 0;
  // Waits for it; in manual mode drives the writer. Never from the writer thread or from inside Read.
  virtual Status Commit(Operation operation, Purpose purpose = Purpose::kSettle) = 0;
  // On the caller's thread.
  virtual Status Read(const std::function<Status(const Snapshot&)>& read) = 0;

  // Listeners, called after a commit of this process (on the writer thread) or when another process has
  // committed (on the watcher's thread): must be quick. To be set before the first commit.
  struct Wake {
    bool events = false;   // new events may be read
    bool queues = false;   // jobs may be ready, or asked to cancel
    bool foreign = false;  // another process's commit
  };
  virtual void OnWake(std::function<void(const Wake&)> listener) = 0;

  // Names this history: changes when a backup is restored or the data is migrated to another store. Events'
  // ids are "<epoch>:<sequence>".
  virtual std::string epoch() const = 0;

  // Manual mode: commits what is queued, looks for foreign commits. True when something was done.
  virtual bool RunOnce() = 0;
  // Commits what is queued, ends the threads, closes the files. After it every call answers kClosed.
  virtual void Stop() = 0;
  // In a forked child: closes nothing that is shared, joins nothing.
  virtual void Abandon() = 0;
};

}  // namespace mediagen
