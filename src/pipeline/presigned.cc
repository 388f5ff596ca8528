// Uploads by a signed URL: allowed by a user, brought by whoever has the URL, completed by the user.
//
// A row stands from the first step on, so that a restart between two steps loses nothing, what was allowed
// can be looked up without being told again, and what is never completed is found and swept. What is brought
// is looked at then, while who brings it can still be told what is wrong with it; completing it is rows
// alone.
#include <algorithm>

#include "base/json.h"
#include "fmt/format.h"
#include "pipeline/pipeline.h"
#include "pipeline/upload.h"

namespace mediagen {
namespace {

constexpr int64_t kSweepAfterMs = 3'600'000;  // behind the end: time to complete what came at the last moment
constexpr int kSweepBatch = 500;
constexpr int kMaxTries = 20;
constexpr size_t kListed = 1000;  // blobs of one upload: its tries, and its variants

Status NoSuchUpload(const Id& id) {
  return Error(Code::kNotFound,
               fmt::format("There is no upload {} that could be brought or completed.", id.text()),
               {.hint = "Its time may have ended: ask for a new URL.", .object = id.text()});
}

Status OtherBytes(const Id& id) {
  return Error(Code::kConflict, fmt::format("Upload {} holds other bytes already.", id.text()),
               {.hint = "Ask for a new URL to upload something else.", .object = id.text()});
}

// What was brought, as the pending row keeps it.
std::string BroughtJson(const Output& output) {
  return Dump(Json{{"kind", output.kind},
                   {"mediaType", output.media_type},
                   {"width", output.width},
                   {"height", output.height},
                   {"bytes", output.bytes},
                   {"sha256", output.sha256},
                   {"thumbHash", output.thumb_hash},
                   {"c2pa", output.c2pa},
                   {"prompt", output.embedded_prompt}});
}

// The row that it becomes.
Output OutputOf(const PendingUpload& pending, int64_t now_ms) {
  const Json brought = Json::parse(pending.brought_json, nullptr, false);
  Output output;
  output.id = pending.id;
  output.user = pending.user;
  output.source = "uploaded";
  output.visibility = pending.visibility;
  output.blob_key = pending.blob_key;
  output.created_ms = now_ms;
  if (!brought.is_object()) return output;
  output.kind = brought.value("kind", "image");
  output.media_type = brought.value("mediaType", "");
  output.width = brought.value("width", 0u);
  output.height = brought.value("height", 0u);
  output.bytes = brought.value("bytes", int64_t{0});
  output.sha256 = brought.value("sha256", "");
  output.thumb_hash = brought.value("thumbHash", "");
  output.c2pa = brought.value("c2pa", false);
  output.embedded_prompt = brought.value("prompt", "");
  return output;
}

NewUpload UploadOf(const PendingUpload& pending) {
  return {.user = pending.user, .visibility = pending.visibility, .reuse = pending.reuse};
}

StatusOr<PendingUpload> FindPending(const Records& records, const Id& id) {
  ASSIGN_OR_RETURN(auto row, records.FindPendingUpload(id));
  if (!row) return NoSuchUpload(id);
  return *std::move(row);
}

// Whether these bytes have been brought already; kConflict when others have.
StatusOr<bool> IsBrought(const PendingUpload& pending, std::string_view sha256) {
  if (pending.blob_key.empty()) return false;
  if (OutputOf(pending, 0).sha256 != sha256) return OtherBytes(pending.id);
  return true;
}

}  // namespace

void Pipeline::AllowUpload(const PendingUpload& pending, std::function<void(Status)> done) {
  parts_.store->CommitAsync(
      [pending](Transaction& transaction) { return transaction.records().PutPendingUpload(pending); },
      std::move(done), Purpose::kSubmit);
}

// The row to be, or nothing when these bytes are there already. Every try has a key of its own, which is
// taken in a transaction: two at once never write the same blob, and the one that is not taken removes its
// own.
StatusOr<std::optional<Output>> Pipeline::LookAtBrought(const Id& id, const BufferRef& bytes) {
  PendingUpload pending;
  RETURN_IF_ERROR(parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(pending, FindPending(snapshot.records(), id));
    return OkStatus();
  }));
  if (bytes.size() == 0) return Error(Code::kInvalid, "The upload is empty.");
  if (bytes.size() > static_cast<uint64_t>(pending.max_bytes)) {
    return Error(Code::kTooLarge, fmt::format("The upload has {} bytes; at most {} were allowed.",
                                              bytes.size(), pending.max_bytes));
  }
  ASSIGN_OR_RETURN(const Inspected found, parts_.media->Inspect(bytes.view()));
  if (!pending.media_type.empty() && MediaType(found.format) != pending.media_type) {
    return Error(Code::kUnsupported, fmt::format("The upload is {}, and {} was allowed.",
                                                 MediaType(found.format), pending.media_type));
  }
  ASSIGN_OR_RETURN(const bool brought, IsBrought(pending, found.sha256));
  if (brought) return std::nullopt;
  RETURN_IF_ERROR(parts_.store->Commit([&](Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(pending, FindPending(transaction.records(), id));
    if (pending.tries >= kMaxTries) {
      return Error(Code::kConflict, fmt::format("Upload {} was tried {} times.", id.text(), kMaxTries),
                   {.hint = "Ask for a new URL.", .object = id.text()});
    }
    ++pending.tries;
    return transaction.records().PutPendingUpload(pending);
  }));
  Output output = UploadedOutput(parts_, UploadOf(pending), id, found, bytes.size());
  output.blob_key = UploadKey(pending.user, id, found.format, pending.tries);
  return std::optional(std::move(output));
}

void Pipeline::BringUpload(const Id& id, const BufferRef& bytes, std::function<void(Status)> done) {
  auto looked = LookAtBrought(id, bytes);
  if (!looked.ok() || !*looked) return done(looked.status());  // nothing: the same is there already
  const Output output = **std::move(looked);
  if (Status put = parts_.media->blobs()->Put(output.blob_key, bytes.view()); !put.ok()) {
    (void)parts_.media->blobs()->Remove(output.blob_key);
    return done(put);
  }
  parts_.store->CommitAsync(
      [this, output](Transaction& transaction) -> Status {
        ASSIGN_OR_RETURN(PendingUpload pending, FindPending(transaction.records(), output.id));
        ASSIGN_OR_RETURN(const bool brought, IsBrought(pending, output.sha256));
        if (brought) return transaction.records().AddTombstone(output.blob_key, parts_.clock->WallMs());
        pending.blob_key = output.blob_key;
        pending.brought_json = BroughtJson(output);
        return transaction.records().PutPendingUpload(pending);
      },
      [this, key = output.blob_key, done = std::move(done)](const Status& committed) {
        if (!committed.ok() && CodeOf(committed) != Code::kUnknownOutcome) DropUpload(key);
        done(committed);
      },
      Purpose::kSubmit);
}

void Pipeline::CompleteUpload(const Viewer& viewer, const Id& id, std::string_view mount, UploadDone done) {
  struct Completed {
    Output output;
    bool created = false;
  };
  auto completed = std::make_shared<Completed>();
  parts_.store->CommitAsync(
      [this, viewer, id, completed](Transaction& transaction) -> Status {
        *completed = {};
        Records& records = transaction.records();
        ASSIGN_OR_RETURN(auto pending, records.FindPendingUpload(id));
        if (pending && !viewer.all && viewer.user != pending->user) return NoSuchUpload(id);
        if (!pending || !pending->output.empty()) {  // asked again
          ASSIGN_OR_RETURN(auto row, records.FindOutput(pending ? pending->output : id));
          const bool theirs = row && (viewer.all || viewer.user == row->user);
          if (!theirs || (!pending && row->source != "uploaded")) return NoSuchUpload(id);
          completed->output = *std::move(row);
          return OkStatus();
        }
        if (pending->blob_key.empty()) {
          return Error(Code::kConflict, fmt::format("Nothing has been brought to upload {}.", id.text()),
                       {.hint = "PUT the bytes to its URL first.", .object = id.text()});
        }
        const int64_t now_ms = parts_.clock->WallMs();
        Output output = OutputOf(*pending, now_ms);
        ASSIGN_OR_RETURN(auto same, SameUpload(records, UploadOf(*pending), output.sha256));
        if (same) {
          RETURN_IF_ERROR(records.AddTombstone(pending->blob_key, now_ms));
          output = *std::move(same);
        } else {
          RETURN_IF_ERROR(AcceptUpload(parts_, transaction, output));
          completed->created = true;
        }
        pending->output = output.id;
        completed->output = std::move(output);
        return records.PutPendingUpload(*pending);
      },
      [this, completed, mount = std::string(mount), done = std::move(done)](Status committed) {
        if (!committed.ok()) return done(std::move(committed));
        const Output& output = completed->output;
        done(Uploaded{output.id, BufferRef::Own(OutputRecord(output, mount)), completed->created});
      },
      Purpose::kSubmit);
}

// Every blob of an upload stands in one folder: what its output does not name goes with the row.
Status Pipeline::SweepUpload(const PendingUpload& upload) {
  const std::string any = UploadKey(upload.user, upload.id, Format::kPng);
  ASSIGN_OR_RETURN(const std::vector<BlobInfo> blobs,
                   parts_.media->blobs()->List(any.substr(0, any.rfind('/') + 1), "", kListed));
  return parts_.store->Commit([&](Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto row, transaction.records().FindPendingUpload(upload.id));
    if (!row) return OkStatus();
    const bool kept = row->output == row->id;
    const std::string stem = row->blob_key.substr(0, row->blob_key.rfind('.'));
    for (const BlobInfo& blob : blobs) {
      if (kept && blob.key.starts_with(stem)) continue;  // the original, and the variants beside it
      RETURN_IF_ERROR(transaction.records().AddTombstone(blob.key, parts_.clock->WallMs()));
    }
    return transaction.records().RemovePendingUpload(upload.id);
  });
}

Status Pipeline::SweepUploads() {
  const int64_t before_ms = parts_.clock->WallMs() - kSweepAfterMs;
  std::vector<PendingUpload> expired;
  RETURN_IF_ERROR(parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(expired, snapshot.records().ExpiredUploads(before_ms, kSweepBatch));
    return OkStatus();
  }));
  // Most of them were never begun, and have no blobs.
  const auto begun = std::partition(expired.begin(), expired.end(),
                                    [](const PendingUpload& upload) { return upload.tries == 0; });
  if (begun != expired.begin()) {
    RETURN_IF_ERROR(parts_.store->Commit([&](Transaction& transaction) -> Status {
      for (auto upload = expired.begin(); upload != begun; ++upload)
        RETURN_IF_ERROR(transaction.records().RemovePendingUpload(upload->id));
      return OkStatus();
    }));
  }
  for (auto upload = begun; upload != expired.end(); ++upload) RETURN_IF_ERROR(SweepUpload(*upload));
  return OkStatus();
}

}  // namespace mediagen
