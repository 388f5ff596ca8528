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
#include "pipeline/budget.h"
#include "pipeline/gate.h"
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
  Landmarks* landmarks = nullptr;  // null: nobody is told
  std::map<std::string, std::shared_ptr<const Adapter>> providers;
  Budgets budgets;
  std::string public_base_url;       // "" : URLs in records are relative, and no webhook is asked for
  std::vector<std::string> secrets;  // what webhook URLs are authenticated with; the current one first
};

// A provider's webhook, as it came.
struct WebhookCall {
  std::string provider;
  std::string attempt;  // of the URL; "": found by the remote id that it names
  std::string mac;      // of the URL
  HttpHeaders headers;  // names in lower case
  BufferRef body;       // the raw bytes
};

using RecordDone = std::function<void(StatusOr<BufferRef>)>;  // a JSON document
using WebhookDone = std::function<void(Status)>;
using GenerationDone = std::function<void(StatusOr<Generation>)>;

// One page of generations with all that their documents need, from one snapshot.
struct GenerationPage {
  std::vector<Generation> rows;  // at most `limit`
  std::vector<Output> outputs;   // of all rows, grouped
  bool has_more = false;
  std::string as_of;  // event id
};

// What is said of an upload.
struct NewUpload {
  std::string user;  // "" : the host's own
  std::string visibility = "private";
};
// {"user", "visibility"}; `user`, when given, is the principal's, and the document's must not be another.
StatusOr<NewUpload> ParseUpload(std::string_view metadata_json, const std::optional<std::string>& user);

class Run;
class WebhookKeys;

class Pipeline {
 public:
  explicit Pipeline(PipelineParts parts);
  ~Pipeline();

  // Serves the queues "generate" and "media". Call before Queues::Start.
  void Serve();

  // Accepts the request: durable when `done` is called with the record.
  void Submit(const GenerationRequest& request, std::string_view mount, RecordDone done);
  // The record; kNotFound for an id that is absent or not the viewer's. `id` is an id or "ext:<externalId>".
  // `version`, when given, gets the record's.
  StatusOr<BufferRef> Get(const Viewer& viewer, std::string_view id, std::string_view mount,
                          int64_t* version = nullptr);
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

  // Stores a picture or video that somebody brings. `done` gets the output's record once it is durable.
  // kUnsupported, kInvalid for what is no whole picture of a type that is stored. Blocks for as long as the
  // blob is written and looked at.
  void Upload(const NewUpload& upload, const BufferRef& bytes, std::string_view mount, RecordDone done);
  // Takes a provider's webhook: a hint that an attempt should be asked about now. OK once what it says is
  // durable, also for a repetition; kUnauthorized by a wrong MAC or signature, kNotFound for a provider or an
  // attempt that is not here, kInvalid for a body that says nothing, kTooLarge past kMaxWebhookBytes,
  // kUnavailable or kOverloaded (with a retry hint) when it should be sent again. Answers before the provider
  // is asked.
  static constexpr uint64_t kMaxWebhookBytes = 16u << 20;  // fal's carry the whole result
  void Webhook(WebhookCall call, WebhookDone done);

  StatusOr<Output> FindOutput(const Viewer& viewer, const Id& id);
  std::string OutputRecord(const Output& output, std::string_view mount) const;

  // kNotFound names the configured providers.
  StatusOr<std::shared_ptr<const Adapter>> Provider(std::string_view name) const;

  // Deletes tombstoned blobs, ends generations whose job died. Bounded; for a timer.
  Status Sweep();

  // Jobs may have ended, here or in another process: those that wait for the host's look at them. Quick.
  void QueuesWoke();

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
  Status HostEndedLate(Transaction& transaction, const Job& job);
  void FinishDerive(const Claim& claim, const Outcome& outcome);
  // webhook.cc
  struct WebhookVisit;
  std::string WebhookUrl(const Adapter& adapter, const Id& attempt) const;
  Status Admit(const WebhookVisit& visit);
  void Leave(const WebhookVisit& visit, const Status& status);
  void ReadVisit(std::shared_ptr<WebhookVisit> visit, bool fresh_keys);
  Status Heed(const WebhookVisit& visit, const std::string& remote_id);

  PipelineParts parts_;
  Gate gate_;
  std::mutex mutex_;
  bool stopped_ = false;
  std::atomic<int> sending_{0};
  std::atomic<bool> hosting_{false};         // some run has waited for the host
  std::map<Id, std::shared_ptr<Run>> runs_;  // by job
  Counter submitted_, completed_, failed_, unknown_, fell_back_;
  std::unique_ptr<WebhookKeys> webhook_keys_;
  std::mutex webhooks_mutex_;
  int webhooks_ = 0;            // being worked on
  uint64_t webhook_bytes_ = 0;  // of their bodies
  Counter webhooks_taken_, webhooks_refused_;
};

}  // namespace mediagen
