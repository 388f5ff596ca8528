// The store's interfaces over one Connection: every class holds a reference to it and nothing else, so making
// one is free.
//
// Not thread-safe, like the connection. Errors beside those of the interfaces: kStorageFull, kCorrupt,
// kUnavailable from SQLite.
#pragma once

#include <functional>
#include <set>

#include "store/sqlite/connection.h"
#include "store/sqlite/lanes.h"
#include "store/store.h"

namespace mediagen {

class SqliteRecords final : public Records {
 public:
  explicit SqliteRecords(Connection& connection) : connection_(connection) {}

  // generations.cc
  Status InsertGeneration(const Generation& generation) override;
  Status UpdateGeneration(const Generation& generation) override;
  StatusOr<std::optional<Generation>> FindGeneration(const Id& id) const override;
  StatusOr<std::optional<Generation>> FindGenerationByExternalId(std::string_view user,
                                                                 std::string_view external_id) const override;
  StatusOr<std::vector<Generation>> ListGenerations(const GenerationFilter& filter,
                                                    const std::optional<PageKey>& after,
                                                    int limit) const override;
  StatusOr<std::optional<IdempotencyHolder>> TakeIdempotencyKey(std::string_view user, std::string_view key,
                                                                std::string_view body_sha256,
                                                                const Id& generation,
                                                                int64_t now_ms) override;

  // attempts.cc
  Status InsertPart(const Part& part) override;
  Status UpdatePart(const Part& part) override;
  StatusOr<std::vector<Part>> PartsOf(const Id& generation) const override;
  Status InsertAttempt(const Attempt& attempt) override;
  StatusOr<bool> MoveAttempt(const Attempt& attempt, std::span<const AttemptState> from) override;
  StatusOr<std::vector<Attempt>> AttemptsOf(const Id& generation) const override;
  StatusOr<std::optional<Attempt>> FindAttempt(const Id& id) const override;
  StatusOr<std::optional<Attempt>> FindAttemptByRemoteId(std::string_view provider,
                                                         std::string_view remote_id) const override;
  StatusOr<std::vector<std::string>> KnownRemoteIds(std::string_view provider,
                                                    std::span<const std::string> remote_ids) const override;
  StatusOr<std::vector<Attempt>> UnansweredAttempts(std::string_view provider, int64_t after_ms,
                                                    int64_t before_ms) const override;
  StatusOr<int64_t> CountAttempts(AttemptState state) const override;

  // outputs.cc
  Status PutOutput(const Output& output) override;
  StatusOr<std::optional<Output>> FindOutput(const Id& id) const override;
  StatusOr<std::vector<Output>> OutputsOf(std::span<const Id> generations) const override;
  StatusOr<std::vector<Output>> UploadsOf(std::string_view user, std::string_view sha256) const override;
  Status PutVariant(const Variant& variant) override;
  StatusOr<std::optional<Variant>> FindVariant(const Id& output, std::string_view recipe) const override;
  StatusOr<std::vector<Variant>> VariantsOf(const Id& output) const override;
  Status AddTombstone(std::string_view blob_key, int64_t now_ms) override;
  StatusOr<std::vector<std::string>> Tombstones(int limit) const override;
  Status RemoveTombstone(std::string_view blob_key) override;

  // shares.cc
  Status InsertShare(const ShareLink& share) override;
  StatusOr<std::optional<ShareLink>> FindShare(std::string_view token) const override;
  StatusOr<std::optional<ShareLink>> ShareOf(const Id& output) const override;
  StatusOr<bool> RemoveShare(const Id& output) override;

  // pending_uploads.cc
  Status PutPendingUpload(const PendingUpload& upload) override;
  StatusOr<std::optional<PendingUpload>> FindPendingUpload(const Id& id) const override;
  Status RemovePendingUpload(const Id& id) override;
  StatusOr<std::vector<PendingUpload>> ExpiredUploads(int64_t before_ms, int limit) const override;

 private:
  Connection& connection_;
};

class SqliteJobs final : public JobStore {
 public:
  explicit SqliteJobs(Connection& connection) : connection_(connection), lanes_(connection) {}

  // jobs.cc
  StatusOr<Id> Insert(const Job& job) override;
  StatusOr<std::optional<Job>> Find(const Id& id) const override;
  Status Update(const Job& job, uint64_t fence) override;
  StatusOr<bool> EndClaimed(const ClaimedJob& claimed, const std::string& result_json,
                            int64_t finished_ms) override;
  StatusOr<std::vector<Job>> HeldBy(const Id& worker) const override;
  StatusOr<std::vector<Id>> CancelRequested(const Id& worker) const override;

  // job_lists.cc
  StatusOr<std::vector<Job>> List(const std::optional<std::string>& queue,
                                  const std::optional<JobState>& state, const Id& after,
                                  int limit) const override;
  StatusOr<std::map<JobState, int64_t>> CountByState(std::string_view queue) const override;
  StatusOr<std::map<std::string, std::map<JobState, int64_t>>> Counts() const override;
  StatusOr<int> Prune(std::string_view queue, JobState state, int64_t before_ms, int limit, Id* after,
                      std::vector<std::string>* blobs) override;
  Status PutWorker(const Worker& worker) override;
  StatusOr<std::vector<Worker>> Workers() const override;
  Status RemoveWorker(const Id& worker) override;

  // job_claim.cc
  StatusOr<std::vector<Job>> Claim(std::string_view queue, int max, const ClaimLimits& limits,
                                   const Id& worker, int64_t now_mono, int64_t* too_dear) override;
  StatusOr<bool> HasReady(std::string_view queue) const override;

  // job_position.cc
  StatusOr<int64_t> PositionOf(const Id& id, int64_t most_ready) const override;

  // job_due.cc
  StatusOr<int> PromoteDue(int64_t now_ms, int64_t now_mono, std::string_view boot_id, int limit) override;
  StatusOr<int64_t> NextDueIn(int64_t now_ms, int64_t now_mono) const override;

  // job_family.cc
  Status PutFamily(const Family& family) override;
  StatusOr<std::optional<Family>> FindFamily(const Id& parent) const override;
  StatusOr<std::vector<Job>> ChildrenOf(const Id& parent, const Id& after, int limit) const override;
  Status AppendLog(const Id& job, int64_t at_ms, std::string_view level, std::string_view message,
                   int keep) override;
  StatusOr<std::vector<JobLogLine>> LogOf(const Id& job, int64_t after, int limit) const override;

  // queue_rows.cc
  StatusOr<Pace> PaceOf(std::string_view queue) const override;
  Status PutPace(std::string_view queue, const Pace& pace) override;
  Status PutSettings(const StoredSettings& settings) override;
  StatusOr<std::vector<StoredSettings>> Settings() const override;
  StatusOr<int64_t> SettingsVersion() const override;

  // What was counted since the last one: to be written before COMMIT and RELEASE, forgotten after ROLLBACK.
  Status WriteCounts() { return lanes_.Flush(); }
  void DropCounts() {
    lanes_.Drop();
    found_.reset();
  }

 private:
  StatusOr<std::vector<Id>> Prunable(std::string_view queue, JobState state, int64_t before_ms, int limit,
                                     Id* after) const;
  struct Stands {  // what an update has to know of the row as it is
    std::string queue, user;
    int64_t created_ms = 0;
    uint64_t fence = 0;
    Lanes::Place place;
  };
  StatusOr<std::optional<Id>> HolderOf(const std::string& queue, const std::string& unique_key) const;
  StatusOr<Stands> StandsOf(const Id& id) const;
  Status WriteRow(const Job& job, int64_t created_ms, bool end_only);

  Connection& connection_;
  mutable Lanes lanes_;  // a reading flushes what was gathered; in a snapshot nothing ever is
  // The row that was read last and not written since: an update of it need not read it again.
  mutable std::optional<Job> found_;
};

class SqliteEvents final : public EventLog {
 public:
  explicit SqliteEvents(Connection& connection) : connection_(connection) {}

  StatusOr<int64_t> Append(const Event& event) override;
  StatusOr<std::vector<Event>> After(int64_t after, int limit) const override;
  StatusOr<int64_t> Newest() const override;
  StatusOr<int64_t> Oldest() const override;
  StatusOr<int> Prune(int64_t before_ms, int limit) override;

  // Whether Append was called since the last ForgetAppended.
  bool appended() const { return appended_; }
  void ForgetAppended() { appended_ = false; }

 private:
  Connection& connection_;
  bool appended_ = false;
};

class SqliteLedger final : public Ledger {
 public:
  explicit SqliteLedger(Connection& connection) : connection_(connection) {}

  Status Reserve(const Reservation& reservation) override;
  Status Inherit(const Id& generation, int part, const Id& attempt) override;
  Status Spend(const Id& attempt, std::optional<int64_t> reported, int64_t at_ms) override;
  Status Refund(const Id& attempt, int64_t at_ms) override;
  Status Release(const Id& generation, int part, int64_t at_ms) override;
  StatusOr<int64_t> Anonymise(std::string_view user) override;
  StatusOr<LedgerTotal> Total(std::string_view scope, Period period, int64_t wall_ms) const override;
  StatusOr<std::vector<LedgerEntry>> EntriesOf(const Id& generation) const override;
  StatusOr<std::vector<LedgerEntry>> List(const std::optional<std::string>& user,
                                          std::optional<int64_t> before, int limit) const override;

 private:
  Status Append(const LedgerEntry& entry);
  Status Count(const LedgerEntry& entry, int64_t spent, int64_t reserved);
  Status Close(const LedgerEntry& reservation, const LedgerEntry& entry);

  Connection& connection_;
};

class SqliteCollections final : public Collections {
 public:
  explicit SqliteCollections(Connection& connection) : connection_(connection) {}

  Status Define(const CollectionDefinition& definition) override;
  Status Put(std::string_view collection, std::string_view id, std::string_view value_json) override;
  Status Remove(std::string_view collection, std::string_view id) override;
  StatusOr<std::vector<std::optional<std::string>>> GetMany(std::string_view collection,
                                                            std::span<const std::string> ids) const override;
  StatusOr<std::vector<CollectionRow>> List(std::string_view collection,
                                            const CollectionQuery& query) const override;

 private:
  Status RequireDefined(std::string_view collection) const;

  Connection& connection_;
};

// A Landmark that outlives its operation.
struct PassedMark {
  std::string point, user;
  Id job;
  uint64_t fence = 0;
};

class SqliteTransaction final : public Transaction {
 public:
  SqliteTransaction(Connection& connection, Landmarks* landmarks)
      : records_(connection),
        jobs_(connection),
        events_(connection),
        collections_(connection),
        ledger_(connection),
        landmarks_(landmarks) {}

  Records& records() override { return records_; }
  JobStore& jobs() override { return jobs_; }
  EventLog& events() override { return events_; }
  Collections& collections() override { return collections_; }
  Ledger& ledger() override { return ledger_; }
  void WakeQueues() override { wake_queues_ = true; }
  void FreedSlot(const std::string& queue) override { freed_.insert(queue); }
  void Mark(const Landmark& landmark) override {
    if (landmarks_ == nullptr) return;
    marks_.push_back({std::string(landmark.point), std::string(landmark.user), landmark.job, landmark.fence});
    landmarks_->Pass(landmark, Landmarks::kBefore);
  }

  // What the operations since the last one left to be done once: the counts of jobs, and whether somebody is
  // to be woken for the slots that became free. Before COMMIT and RELEASE; dropped after a ROLLBACK.
  Status EndOperations() {
    RETURN_IF_ERROR(jobs_.WriteCounts());
    for (const std::string& queue : freed_) {
      if (wake_queues_) break;
      ASSIGN_OR_RETURN(wake_queues_, jobs_.HasReady(queue));
    }
    freed_.clear();
    return OkStatus();
  }
  void DropOperations() {
    jobs_.DropCounts();
    freed_.clear();
  }

  // What this transaction's current operation wants to be woken; and a new operation's begin.
  bool wakes_queues() const { return wake_queues_; }
  bool wakes_events() const { return events_.appended(); }
  // What it has marked.
  std::vector<PassedMark> TakeMarks() { return std::exchange(marks_, {}); }
  void BeginOperation() {
    wake_queues_ = false;
    marks_.clear();
    events_.ForgetAppended();
  }

 private:
  SqliteRecords records_;
  SqliteJobs jobs_;
  SqliteEvents events_;
  SqliteCollections collections_;
  SqliteLedger ledger_;
  Landmarks* const landmarks_;
  bool wake_queues_ = false;
  std::set<std::string> freed_;
  std::vector<PassedMark> marks_;
};

class SqliteSnapshot final : public Snapshot {
 public:
  explicit SqliteSnapshot(Connection& connection)
      : records_(connection),
        jobs_(connection),
        events_(connection),
        collections_(connection),
        ledger_(connection) {}

  const Records& records() const override { return records_; }
  const JobStore& jobs() const override { return jobs_; }
  const EventLog& events() const override { return events_; }
  const Collections& collections() const override { return collections_; }
  const Ledger& ledger() const override { return ledger_; }
  StatusOr<int64_t> AsOf() const override { return events_.Newest(); }

 private:
  SqliteRecords records_;
  SqliteJobs jobs_;
  SqliteEvents events_;
  SqliteCollections collections_;
  SqliteLedger ledger_;
};

}  // namespace mediagen
