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
  uint64_t max_upload_bytes = 52'428'800;
  bool upload_private_network = false;  // uploads by URL may come from private addresses, and by plain http
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
  bool reuse = false;  // what this user has brought already, with this visibility, is not stored again
};
// {"user", "visibility", "reuse"}; `user`, when given, is the principal's, and the document's must not be
// another. Uploads of a principal are reused unless it says otherwise, the host's own only when it says so:
// its workers finish each job with an output of its own, however alike two of them are.
StatusOr<NewUpload> ParseUpload(std::string_view metadata_json, const std::optional<std::string>& user);

struct Uploaded {
  Id id;
  BufferRef record;      // the output's
  bool created = false;  // false: it stood there already
};
using UploadDone = std::function<void(StatusOr<Uploaded>)>;

class Landing;
class Run;
class WebhookKeys;

// Whether a viewer may see an output: the host and admins everything, others what is theirs or public.
bool MayView(const Viewer& viewer, const Output& output);

class Pipeline {
 public:
  explicit Pipeline(PipelineParts parts);
  ~Pipeline();

  // Serves the queues "generate" and "media". Call before Queues::Start.
  void Serve();

  // Accepts the request: durable when `done` is called with the record. `*repeated`, when given, says by then
  // whether it is that of an earlier request with the same idempotency key.
  void Submit(const GenerationRequest& request, std::string_view mount, RecordDone done,
              bool* repeated = nullptr);
  // The record; kNotFound for an id that is absent or not the viewer's. `id` is an id or "ext:<externalId>".
  // `version`, when given, gets the record's.
  StatusOr<BufferRef> Get(const Viewer& viewer, std::string_view id, std::string_view mount,
                          int64_t* version = nullptr);
  StatusOr<Generation> Find(const Viewer& viewer, std::string_view id) const;
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

  // Stores a picture or video that somebody brings, and asks for its thumbnails. `done` is called once it is
  // durable. kUnsupported, kInvalid for what is no whole picture of a type that is stored; nothing of it is
  // left behind. Blocks for as long as the blob is written and looked at.
  void Upload(const NewUpload& upload, const BufferRef& bytes, std::string_view mount, UploadDone done);
  // The same of what stands at `url`, fetched under the guard of downloads; no thread waits for it. One of
  // the two is called: `unfetched` when the bytes could not be had (kForbidden: by plain http, or from an
  // address that is not public; kInvalid: no URL, or no picture; kTooLarge; kTimeout; kOverloaded: too many
  // are on their way; kUnavailable: the other side).
  void UploadFrom(const NewUpload& upload, const std::string& url, std::string_view mount, UploadDone done,
                  std::function<void(Status)> unfetched);
  // The three steps of an upload by signed URL. Allowed: a row says what may be brought until when. Brought:
  // looked at and stored, by whoever has the URL; the same bytes again are OK, others are kConflict; kInvalid
  // and kUnsupported for what is no picture of the allowed type, kTooLarge, kNotFound once it is over; blocks
  // like Upload. Completed: the output, for its user; kConflict before anything was brought.
  void AllowUpload(const PendingUpload& pending, std::function<void(Status)> done);
  void BringUpload(const Id& id, const BufferRef& bytes, std::function<void(Status)> done);
  void CompleteUpload(const Viewer& viewer, const Id& id, std::string_view mount, UploadDone done);
  // Takes a provider's webhook: a hint that an attempt should be asked about now. OK once what it says is
  // durable, also for a repetition; kUnauthorized by a wrong MAC or signature, kNotFound for a provider or an
  // attempt that is not here, kInvalid for a body that says nothing, kTooLarge past kMaxWebhookBytes,
  // kUnavailable or kOverloaded (with a retry hint) when it should be sent again. Answers before the provider
  // is asked.
  static constexpr uint64_t kMaxWebhookBytes = 16u << 20;  // fal's carry the whole result
  void Webhook(WebhookCall call, WebhookDone done);

  StatusOr<Output> FindOutput(const Viewer& viewer, const Id& id);
  // A public link to an output of the viewer's own, the same one until it is taken back. kNotFound also for
  // an output that the viewer may only see. `done` gets {"token", "url", "output", "createdAt"}.
  void Share(const Viewer& viewer, const Id& output, std::string_view mount, RecordDone done);
  // Takes it back; OK when there was none.
  void Unshare(const Viewer& viewer, const Id& output, std::function<void(Status)> done);
  // The output that a link's token stands for; kNotFound.
  StatusOr<Id> FindShared(std::string_view token);
  // Asks for the job that makes the variants of `output` with their final effort; one at a time an output.
  void WantRefined(const Output& output);
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
  void FinishDerive(const Claim& claim, const Outcome& outcome, std::span<const Output> drafts = {});
  // upload.cc, upload_url.cc, presigned.cc
  void StoreUpload(const NewUpload& upload, Output output, std::string_view mount, UploadDone done);
  void DropUpload(const std::string& blob_key);
  std::shared_ptr<void> TakeFetch(const std::string& user);
  StatusOr<std::optional<Output>> LookAtBrought(const Id& id, const BufferRef& bytes);
  Status SweepUpload(const PendingUpload& upload);
  Status SweepUploads();
  void LandUpload(const NewUpload& upload, const Id& id, Landing& landing, std::string_view mount,
                  UploadDone done);
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
  std::mutex fetches_mutex_;
  int fetches_ = 0;                        // uploads by URL on their way
  std::map<std::string, int> fetches_of_;  // of them, by user
};

}  // namespace mediagen
