// Pipeline: a generation's life, from an accepted request to stored pictures. Nothing paid is paid twice;
// nothing accepted is lost.
//
// Thread-safe. The order of steps (pipeline.md): submit → claim → intent → [send once] → answer → park →
// download → settle → derive. Each step is one file; each commit point is one transaction that shows the
// job's fence.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/log.h"
#include "events/hub.h"
#include "jobs/queue.h"
#include "media/media.h"
#include "net/http_client.h"
#include "pipeline/request.h"
#include "provider/provider.h"
#include "store/store.h"

namespace mediagen {

// What a pipeline works with; all of it must outlive the pipeline.
struct PipelineParts {
  Store* store = nullptr;
  Queues* queues = nullptr;
  Media* media = nullptr;
  Hub* hub = nullptr;
  HttpClient* http = nullptr;
  Executor* executor = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  IdSource* ids = nullptr;
  Metrics* metrics = nullptr;
  LogSink* log = nullptr;
  std::map<std::string, std::shared_ptr<const Adapter>> providers;
  std::string public_base_url;  // "" : URLs in records are relative
};

using RecordDone = std::function<void(StatusOr<BufferRef>)>;  // a JSON document
using GenerationDone = std::function<void(StatusOr<Generation>)>;

// One page of generations with all that their documents need, from one snapshot.
struct GenerationPage {
  std::vector<Generation> rows;  // at most `limit`
  std::vector<Output> outputs;   // of all rows, grouped
  bool has_more = false;
  std::string as_of;  // event id
};

class Run;

class Pipeline {
 public:
  explicit Pipeline(PipelineParts parts);
  ~Pipeline();

  // Serves the queues "generate" and "media". Call before Queues::Start.
  void Serve();

  // Accepts the request: durable when `done` is called with the record.
  void Submit(const GenerationRequest& request, std::string_view mount, RecordDone done);
  // The record; kNotFound for an id that is absent or not the viewer's. `id` is an id or "ext:<externalId>".
  StatusOr<BufferRef> Get(const Viewer& viewer, std::string_view id, std::string_view mount);
  // The rows of one page. Filters by the viewer.
  StatusOr<GenerationPage> List(const Viewer& viewer, GenerationFilter filter,
                                const std::optional<PageKey>& after, int limit);
  // Appends the record documents of a page, comma-separated.
  void AppendRecords(const GenerationPage& page, std::string_view mount, std::string* out) const;
  // Asks to cancel; the record as it then is.
  void Cancel(const Viewer& viewer, std::string_view id, std::string_view mount, RecordDone done);
  // What a person decides, once it rests. Retry makes new attempts for the parts that failed, and for those
  // whose outcome is unknown, which may then be paid a second time; kConflict when there are none, or it does
  // not rest. Abandon takes what is unknown for failed and charged; kConflict when nothing is.
  void Retry(const Viewer& viewer, std::string_view id, std::string_view mount, RecordDone done);
  void Abandon(const Viewer& viewer, std::string_view id, std::string_view mount, RecordDone done);
  // The record once the generation rests. The returned function gives up.
  std::function<void()> Await(const Viewer& viewer, std::string_view id, std::string_view mount,
                              RecordDone done);

  StatusOr<Output> FindOutput(const Viewer& viewer, const Id& id);
  std::string OutputRecord(const Output& output, std::string_view mount) const;

  // kNotFound names the configured providers.
  StatusOr<std::shared_ptr<const Adapter>> Provider(std::string_view name) const;

  // Deletes tombstoned blobs, ends generations whose job died. Bounded; for a timer.
  Status Sweep();

  // Ends the waits of what runs (their jobs are handed back by Queues::HandBack).
  void Stop();

  // How many paid requests are on their way: what a close waits for.
  int sending() const { return sending_; }

  const PipelineParts& parts() const { return parts_; }

 private:
  friend class Run;
  // Changes a generation of the viewer's own in one transaction; `done` gets the record as it is then.
  using Amendment = std::function<Status(Transaction&, Generation&)>;
  void Amend(const Viewer& viewer, std::string_view id, std::string_view mount, Amendment amendment,
             RecordDone done);
  StatusOr<Generation> FindVisible(const Records& records, const Viewer& viewer, std::string_view id) const;
  void StartRun(Claim claim);
  void EndRun(const Id& job);
  void CancelRun(const Id& job);
  void DeriveJob(Claim claim);
  void FinishJob(const Claim& claim, const Outcome& outcome);

  PipelineParts parts_;
  std::mutex mutex_;
  bool stopped_ = false;
  std::atomic<int> sending_{0};
  std::map<Id, std::shared_ptr<Run>> runs_;  // by job
  Counter submitted_, completed_, failed_, unknown_;
};

}  // namespace mediagen
