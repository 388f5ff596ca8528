// Adapter: one provider's wire, as pure functions between documents. An adapter builds requests and reads
// answers; it sends nothing, keeps nothing and knows no clock, so every row of its table is a test with wire
// bytes. pipeline/ owns the order of things: intent, send once, answer, poll, download.
//
// Thread-safe: adapters are immutable. No function throws; a hostile answer is a kTransient, kUnknown or
// kFailed, never a crash.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/id.h"
#include "base/json.h"
#include "base/status.h"
#include "net/http_client.h"

namespace mediagen {

struct HostOptions;  // provider/host_options.h

// How a provider is configured ("providers" of the configuration document). `api_key` is the resolved secret.
struct ProviderConfig {
  std::string name;      // the key in the configuration: what requests call it
  std::string type;      // which adapter: "sketch", "replicate"; defaults to the name
  std::string base_url;  // "" : the adapter's own
  std::string api_key;
  std::string api_key_env;       // only to name it in errors
  int64_t timeout_ms = 600'000;  // a request's whole exchange
  int concurrency = 10;          // paid requests on their way or at work there, at once
  bool allow_private_network = false;
  std::string webhook_secret;                // resolved; "" : none, or fetched from the provider
  std::string app_url, app_title;            // OpenRouter: which application asks
  std::map<std::string, int64_t> estimates;  // by model, or "*" for the others: micro-units of USD a picture
  std::shared_ptr<const HostOptions> host;   // type "host"; null: its defaults
};

// The normalised classes of a failure; ErrorClassName gives the documents' words ("rate_limited").
enum class ErrorClass {
  kAuth,
  kBilling,
  kInvalid,
  kSafety,
  kNotFound,
  kRateLimited,
  kOverloaded,
  kServer,
  kTimeout,
  kUnknownOutcome,
  kCanceled,
  kExpired
};
std::string_view ErrorClassName(ErrorClass value);

struct Failure {
  ErrorClass error_class = ErrorClass::kServer;
  std::string message;          // for the reader; never holds a key, a signed URL or a data URI
  std::string provider_code;    // the provider's own word, if any
  int64_t retry_after_ms = -1;  // the provider's hint
  bool retryable = false;       // trying the same again later may work
};

// The code that a failure has outside (documents.md).
Code CodeOf(const Failure& failure);

// What a model of a provider can do: data, checked before any money is spent.
struct Capabilities {
  std::vector<std::string> models;  // empty: any name is passed through
  std::vector<std::string> kinds = {"image"};
  int max_n_per_request = 1;  // more is split into parts
  int max_n = 16;
  int max_references = 16;                   // where references are taken at all
  bool reference_bytes = false;              // a reference has to come as bytes, not as a URL
  std::vector<std::string> reference_roles;  // besides "": "mask", "firstFrame", "lastFrame"
  bool seed = true, negative_prompt = false, references = false, size = true, aspect_ratio = false;
  uint32_t max_width = 0, max_height = 0;  // 0: the provider decides
};

// A picture that a request starts from or keeps to.
struct Reference {
  std::string url;         // http or https, for the provider to fetch; "" where `bytes` hold it
  BufferRef bytes;         // of the picture itself
  std::string media_type;  // of the bytes: "image/png"
  std::string role;        // "" | "mask" | "firstFrame" | "lastFrame"
  Id output;  // a stored output whose bytes the pipeline still has to read; adapters never see it
};

// One provider request's share of a generation.
struct PartRequest {
  std::string model, kind = "image", prompt, negative_prompt, size, aspect_ratio;  // "" where absent
  std::optional<uint64_t> seed;
  int n = 1;
  std::vector<Reference> references;
  Json options = Json::object();  // provider-specific inputs, passed through
};

// kInvalid or kUnsupported, naming the field and what the provider takes instead.
Status CheckRequest(std::string_view provider, const Capabilities& capabilities, const PartRequest& request,
                    int n);

// "1024x768" → both numbers; kInvalid otherwise.
Status ParseSize(std::string_view text, uint32_t* width, uint32_t* height);

struct Progress {
  std::optional<double> fraction;  // 0–1; absent: honestly indeterminate
  std::optional<int64_t> current, total;
  std::string message;
  std::optional<int64_t> queue_position;
};

// What a provider needs to be asked about a request again. Stored with the attempt.
struct RemoteHandle {
  std::string id;
  std::string status_url, result_url, cancel_url;  // as the provider gave them; "" : built from the id
};

// One picture or video that a request made: a URL to download, or its bytes.
struct RemoteOutput {
  std::string url;
  BufferRef bytes;
  std::string media_type;          // a claim; the bytes are sniffed
  std::string safety = "ok";       // "ok" | "flagged"
  bool needs_credentials = false;  // the download carries the key (same origin only)
};

struct PollAnswer {
  enum Kind {
    kPending,    // still at work; ask again after next_poll_ms
    kSucceeded,  // outputs are there
    kReady,      // the work is done; its result has to be asked for by BuildResult
    kFailed,     // over, without outputs
    kTransient,  // this answer says nothing: ask again later
  } kind = kTransient;
  Progress progress;
  int64_t next_poll_ms = 0;  // 0: the caller's own schedule
  std::vector<RemoteOutput> outputs;
  Failure failure;                     // kFailed, kTransient
  bool charged = false;                // kFailed: whether it was billed
  std::optional<int64_t> cost_micros;  // USD, when the provider reports it
  std::optional<uint64_t> seed;
};

struct SubmitAnswer {
  enum Kind {
    kRejected,   // for certain: not accepted, not billed
    kSubmitted,  // accepted: `remote` is readable
    kReceived,   // a synchronous result: `result` holds it
    kUnknown,    // may have been accepted: never sent again by itself
  } kind = kUnknown;
  Failure failure;      // kRejected, kUnknown
  RemoteHandle remote;  // kSubmitted
  PollAnswer result;    // kReceived; for kSubmitted what the answer said already
};

// One page of the provider's own list of requests, searched for one that was sent without an answer.
struct ReconcileAnswer {
  enum Kind { kFound, kNone, kMore, kTransient } kind = kTransient;
  std::vector<RemoteHandle> found;  // every candidate of this page
  std::string next_url;             // kMore, also with candidates
  Failure failure;                  // kTransient
};

// What a provider sent to a webhook, with the names of its headers in lower case.
struct WebhookRequest {
  HttpHeaders headers;
  std::string_view body;          // the raw bytes, which the signature is of
  int64_t now_s = 0;              // Unix time
  std::vector<std::string> keys;  // what ParseWebhookKeys gave, or the configured secret
  // The URL that it came to has proved who sent it, and no key is known: no signature is asked for.
  bool authenticated = false;
};
// A webhook is a hint that something has happened: the request is asked about again before anything is
// believed.
struct Webhook {
  std::string delivery;   // of this delivery: a second one with the same is a repetition
  std::string remote_id;  // which request it is about; "" when only the URL tells
};

class Adapter {
 public:
  virtual ~Adapter() = default;

  virtual const ProviderConfig& config() const = 0;
  virtual Capabilities CapabilitiesOf(std::string_view model) const = 0;
  // Whether requests cost money. Where not, an interrupted request simply runs again.
  virtual bool billed() const = 0;
  // Whether the work is done in this process by Run (then none of the wire functions is called), or over the
  // wire.
  virtual bool local() const { return false; }
  // The queue whose workers, the host's own, do the work; then none of the wire functions is called either.
  // "" where there is none.
  virtual std::string host_queue() const { return ""; }
  // What the whole request will cost, in micro-units of USD; 0 when unknown. The configured estimate of its
  // model unless an adapter knows better.
  virtual int64_t EstimateMicros(const PartRequest& request) const;
  // The seed that is used where the request names none, when that is known before; else the answer may tell.
  virtual std::optional<uint64_t> DefaultSeed(const PartRequest&) const { return std::nullopt; }

  // kUnauthorized when a key is needed and missing.
  virtual Status CheckReady() const { return OkStatus(); }

  // The paid request. `once`, Idempotency-Key (the attempt id) and the guard are set.
  virtual StatusOr<HttpRequest> BuildSubmit(const PartRequest&, const Id& attempt,
                                            const std::string& webhook_url) const;
  // `response` in any state of progress; pipeline.md step 3.
  virtual SubmitAnswer ParseSubmit(const HttpResponse& response) const;
  // The handle of a request of this part's when only its id is known, as from a webhook.
  virtual RemoteHandle HandleFor(const PartRequest&, const std::string& id) const { return {.id = id}; }
  virtual StatusOr<HttpRequest> BuildPoll(const RemoteHandle&) const;
  virtual PollAnswer ParsePoll(const HttpResponse& response) const;
  // After kReady.
  virtual StatusOr<HttpRequest> BuildResult(const RemoteHandle&) const;
  virtual PollAnswer ParseResult(const HttpResponse& response) const;
  // kUnsupported where the provider cannot cancel.
  virtual StatusOr<HttpRequest> BuildCancel(const RemoteHandle&) const;

  // Whether an unanswered submit can be searched for.
  virtual bool reconcilable() const { return false; }
  // The first page (next_url empty) or a following one. Times are wall ms, the window widened by the caller
  // for clock skew.
  virtual StatusOr<HttpRequest> BuildReconcile(const PartRequest&, int64_t after_ms, int64_t before_ms,
                                               const std::string& next_url) const;
  virtual ReconcileAnswer ParseReconcile(const HttpResponse& response, const PartRequest&) const;

  // Whether a paid request may name the URL to be told at (BuildSubmit's `webhook_url`).
  virtual bool takes_webhook_url() const { return false; }
  // Where the keys are had that webhooks are signed with; kUnsupported: the configured webhook secret is it.
  virtual StatusOr<HttpRequest> BuildWebhookKeys() const;
  virtual StatusOr<std::vector<std::string>> ParseWebhookKeys(const HttpResponse& response) const;
  // kUnauthorized for a signature that is wrong, missing or more than 300 s off; kInvalid for a body that is
  // none of the provider's; kUnsupported where it sends no webhooks.
  virtual StatusOr<Webhook> ReadWebhook(const WebhookRequest&) const;

  // A guarded download of an output, credentials attached only when needed and the origin is the configured
  // one.
  virtual StatusOr<HttpRequest> BuildDownload(const RemoteOutput&) const;

  // Local work. `progress` may be called at any rate; `canceled` is asked between steps: true ends the run
  // with kCanceled. Runs on the caller's thread.
  virtual StatusOr<std::vector<RemoteOutput>> Run(const PartRequest&,
                                                  const std::function<void(const Progress&)>& progress,
                                                  const std::function<bool()>& canceled) const;
};

// The environment variables that an adapter's key is looked for in, the first one first; none for a type that
// needs no key or does not exist.
std::vector<std::string> KeyNamesOf(std::string_view type);

// The names of all types, in the order of NewAdapter's hint.
std::vector<std::string> AdapterTypes();

// The adapter for `config.type`; kNotFound names the types that exist, kInvalid a bad base URL.
StatusOr<std::unique_ptr<Adapter>> NewAdapter(ProviderConfig config);

}  // namespace mediagen
