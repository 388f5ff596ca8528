// Records: the rows of generations, their parts, attempts, outputs and variants.
//
// A Records is a view into one transaction or one snapshot: const methods read, the others write. Not
// thread-safe; valid only inside the function that it was given to. Text that is a document ("…_json") is
// written as it is, never parsed here. "" stands for null in optional text, -1 in optional times (ms).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/status.h"

namespace mediagen {

enum class GenerationStatus { kPending, kProcessing, kCompleted, kFailed, kCanceled, kUnknown };
std::string_view StatusName(GenerationStatus status);            // "pending", …
StatusOr<GenerationStatus> StatusByName(std::string_view name);  // kInvalid lists the names

struct Generation {
  Id id;
  std::string user;
  GenerationStatus status = GenerationStatus::kPending;
  std::string stage =
      "queued";  // queued submitting waiting running downloading storing deriving; "" when it rests
  std::string provider, model, kind, prompt;
  int n = 1;
  std::string seed;          // decimal uint64
  std::string request_json;  // the normalised request, for the steps that follow
  std::string progress_json, error_json;
  int64_t cost_micros = -1;  // USD
  std::string cost_source;   // reported estimated unknown
  int attempts = 0;
  std::string visibility = "private";
  Id project, session;  // empty: none
  std::string external_id;
  std::string metadata_json = "{}";
  int64_t likes = 0, shares = 0;
  int64_t created_ms = 0, started_ms = -1, completed_ms = -1, deadline_ms = -1;  // wall
  bool cancel_requested = false;
  Id job;
  int64_t version = 1;  // +1 by every update
};

// One provider request's share of n.
struct Part {
  Id generation;
  int part = 0;  // 0-based
  int n = 1;
  std::string state = "pending";  // pending | done | failed | unknown
  std::string error_json;
  int choice = 0;  // which provider it is at: 0 the request's own, n the request's n-th fallback
};

enum class AttemptState {
  kIntent,
  kUnsent,
  kRejected,
  kSubmitted,
  kReceived,
  kUnknown,
  kSucceeded,
  kFailed,
  kCanceled,
  kAbandoned
};
std::string_view AttemptStateName(AttemptState state);
StatusOr<AttemptState> AttemptStateByName(std::string_view name);  // kInvalid lists the names

// One paid request.
struct Attempt {
  Id id;
  Id generation;
  int part = 0, attempt_try = 1;  // columns part, try
  std::string provider, model;
  std::string nonce;  // of its making; compare-and-set goes by (id, nonce)
  AttemptState state = AttemptState::kIntent;
  std::string remote_id, status_url, result_url, cancel_url;
  std::string spool_key;     // blob that holds a received answer
  std::string outputs_json;  // what the remote side made, once it ended: a list of {url, mediaType, safety,
                             // needsCredentials}
  std::string error_json;
  int64_t cost_micros = -1;
  int64_t created_ms = 0, updated_ms = 0;
};

struct Output {
  Id id;
  Id generation;  // empty: uploaded
  std::string user;
  int index = 0;
  int part = 0, attempt_try = 1;  // where it came from
  std::string source = "generated", kind = "image", media_type;
  uint32_t width = 0, height = 0;
  int64_t bytes = 0;
  std::string sha256;  // hex, 64
  std::string blob_key;
  std::string thumb_hash;  // base64
  std::string safety = "ok";
  bool c2pa = false;
  std::string embedded_prompt;
  std::string visibility = "private";
  int64_t likes = 0;
  int64_t created_ms = 0;
};

struct Variant {
  Id output;
  std::string recipe;  // canonical name, e.g. "w300,h300,cover,jpeg,q85"
  int version = 1;
  std::string blob_key, media_type, sha256;
  uint32_t width = 0, height = 0;
  int64_t bytes = 0;
  int effort = 0;  // of the encoder, where it has one (WebP: its method, 0–6)
};

// A public link to one output; an output has one at most.
struct ShareLink {
  std::string token;
  Id output;
  std::string user;  // who made it
  int64_t created_ms = 0;
};

// An upload that a signed URL allows: its limits, what was brought, and what it has become.
struct PendingUpload {
  Id id;  // the output's, unless the bytes were there already
  std::string user, visibility = "private";
  bool reuse = false;
  std::string media_type;  // that it must have; "" any
  int64_t max_bytes = 0;
  int64_t expires_ms = 0;    // wall: until then it may be brought
  int tries = 0;             // how often somebody began to bring it
  std::string blob_key;      // "" until the bytes are there
  std::string brought_json;  // what they are
  Id output;                 // empty until it is complete
};

// A listing by (created_ms, id) descending. Unset fields do not filter.
struct GenerationFilter {
  std::optional<std::string> user;  // absent: everybody's (the host itself)
  std::optional<Id> session, project;
  std::vector<GenerationStatus> statuses;  // any of
};
struct PageKey {
  int64_t created_ms = 0;
  Id id;
};

class Records {
 public:
  virtual ~Records() = default;

  // kConflict when (user, external_id) is taken; the error's object is the holder's id.
  virtual Status InsertGeneration(const Generation& generation) = 0;
  // Every mutable column, version + 1. kNotFound.
  virtual Status UpdateGeneration(const Generation& generation) = 0;
  virtual StatusOr<std::optional<Generation>> FindGeneration(const Id& id) const = 0;
  virtual StatusOr<std::optional<Generation>> FindGenerationByExternalId(
      std::string_view user, std::string_view external_id) const = 0;
  // Up to `limit` rows after `after` (absent: from the newest). Seeks an index of the filter; flat at any
  // depth.
  virtual StatusOr<std::vector<Generation>> ListGenerations(const GenerationFilter& filter,
                                                            const std::optional<PageKey>& after,
                                                            int limit) const = 0;

  // idempotencyKey: unique per user for 24 h. Returns the generation that holds the key already (and its
  // body's hash), or nothing and takes it.
  struct IdempotencyHolder {
    Id generation;
    std::string body_sha256;
  };
  virtual StatusOr<std::optional<IdempotencyHolder>> TakeIdempotencyKey(std::string_view user,
                                                                        std::string_view key,
                                                                        std::string_view body_sha256,
                                                                        const Id& generation,
                                                                        int64_t now_ms) = 0;

  virtual Status InsertPart(const Part& part) = 0;
  virtual Status UpdatePart(const Part& part) = 0;
  virtual StatusOr<std::vector<Part>> PartsOf(const Id& generation) const = 0;

  virtual Status InsertAttempt(const Attempt& attempt) = 0;
  // Compare-and-set by (id, nonce) and the states it may leave; everything but identity is written. False:
  // the row is in another state by now. kConflict when (provider, remote_id) is another attempt's.
  virtual StatusOr<bool> MoveAttempt(const Attempt& attempt, std::span<const AttemptState> from) = 0;
  virtual StatusOr<std::vector<Attempt>> AttemptsOf(const Id& generation) const = 0;  // by part, try
  virtual StatusOr<std::optional<Attempt>> FindAttempt(const Id& id) const = 0;
  // The attempt of `provider` that holds this remote id; "" finds nothing.
  virtual StatusOr<std::optional<Attempt>> FindAttemptByRemoteId(std::string_view provider,
                                                                 std::string_view remote_id) const = 0;
  // Which of these remote ids some attempt of `provider` holds already.
  virtual StatusOr<std::vector<std::string>> KnownRemoteIds(
      std::string_view provider, std::span<const std::string> remote_ids) const = 0;
  // Attempts of `provider` that rest without an answer (intent or unknown), made within [after_ms,
  // before_ms].
  virtual StatusOr<std::vector<Attempt>> UnansweredAttempts(std::string_view provider, int64_t after_ms,
                                                            int64_t before_ms) const = 0;
  // How many attempts of any provider stand at `state`.
  virtual StatusOr<int64_t> CountAttempts(AttemptState state) const = 0;

  // Replaces a row of the same (generation, part, try, index): a settle that runs twice writes once.
  virtual Status PutOutput(const Output& output) = 0;
  virtual StatusOr<std::optional<Output>> FindOutput(const Id& id) const = 0;
  virtual StatusOr<std::vector<Output>> OutputsOf(
      std::span<const Id> generations) const = 0;  // grouped by generation, by index

  // What `user` has uploaded of exactly these bytes, oldest first, 100 at most.
  virtual StatusOr<std::vector<Output>> UploadsOf(std::string_view user, std::string_view sha256) const = 0;

  virtual Status PutVariant(const Variant& variant) = 0;
  virtual StatusOr<std::optional<Variant>> FindVariant(const Id& output, std::string_view recipe) const = 0;
  virtual StatusOr<std::vector<Variant>> VariantsOf(const Id& output) const = 0;

  // kConflict when the output has a share already; kNotFound without the output.
  virtual Status InsertShare(const ShareLink& share) = 0;
  virtual StatusOr<std::optional<ShareLink>> FindShare(std::string_view token) const = 0;
  virtual StatusOr<std::optional<ShareLink>> ShareOf(const Id& output) const = 0;
  // Whether there was one.
  virtual StatusOr<bool> RemoveShare(const Id& output) = 0;

  // Of a row that stands, only what became of it is changed.
  virtual Status PutPendingUpload(const PendingUpload& upload) = 0;
  virtual StatusOr<std::optional<PendingUpload>> FindPendingUpload(const Id& id) const = 0;
  virtual Status RemovePendingUpload(const Id& id) = 0;
  // Those whose time ended before `before_ms`, the oldest first.
  virtual StatusOr<std::vector<PendingUpload>> ExpiredUploads(int64_t before_ms, int limit) const = 0;

  // A blob to be deleted once this transaction is durable; and the queue of those.
  virtual Status AddTombstone(std::string_view blob_key, int64_t now_ms) = 0;
  virtual StatusOr<std::vector<std::string>> Tombstones(int limit) const = 0;
  virtual Status RemoveTombstone(std::string_view blob_key) = 0;
};

}  // namespace mediagen
