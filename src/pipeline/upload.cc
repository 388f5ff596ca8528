// Uploads: pictures and videos that somebody brings. Durable as a blob before the row that names it; what the
// same user has brought before is found by its SHA-256, and not looked at again.
#include "pipeline/upload.h"

#include "base/hash.h"
#include "base/json.h"
#include "fmt/format.h"
#include "pipeline/pipeline.h"
#include "pipeline/transition.h"

namespace mediagen {
StatusOr<NewUpload> ParseUpload(std::string_view metadata_json, const std::optional<std::string>& user) {
  Json json = Json::object();
  if (!Trim(metadata_json).empty()) {
    ASSIGN_OR_RETURN(json, ParseJson(metadata_json, "upload", {.max_bytes = 16 << 10}));
  }
  NewUpload upload;
  upload.reuse = user.has_value();
  FieldReader fields(json, "upload");
  fields.String("user", &upload.user, {.max_bytes = 128});
  fields.String("visibility", &upload.visibility, {.one_of = {"private", "group", "public"}});
  fields.Bool("reuse", &upload.reuse);
  RETURN_IF_ERROR(fields.Finish());
  if (user && !upload.user.empty() && upload.user != *user) {
    return Error(Code::kForbidden, "\"user\" of the upload is another than who brings it.",
                 {.hint = "Leave it out.", .object = "user"});
  }
  if (user) upload.user = *user;
  return upload;
}

Output UploadedOutput(const PipelineParts& parts, const NewUpload& upload, const Id& id,
                      const Inspected& found, uint64_t bytes) {
  Output output;
  output.id = id;
  output.user = upload.user;
  output.source = "uploaded";
  output.kind = IsVideo(found.format) ? "video" : "image";
  output.media_type = MediaType(found.format);
  output.width = found.width;
  output.height = found.height;
  output.bytes = static_cast<int64_t>(bytes);
  output.sha256 = found.sha256;
  output.thumb_hash = found.thumb_hash;
  output.c2pa = found.c2pa;
  output.embedded_prompt = found.prompt;
  output.visibility = upload.visibility;
  output.created_ms = parts.clock->WallMs();
  output.blob_key = UploadKey(output.user, output.id, found.format);
  return output;
}

StatusOr<std::optional<Output>> SameUpload(const Records& records, const NewUpload& upload,
                                           std::string_view sha256) {
  std::optional<Output> same;
  if (!upload.reuse) return same;
  ASSIGN_OR_RETURN(std::vector<Output> rows, records.UploadsOf(upload.user, sha256));
  for (Output& row : rows) {
    if (!same && row.visibility == upload.visibility) same = std::move(row);
  }
  return same;
}

Status AcceptUpload(const PipelineParts& parts, Transaction& transaction, const Output& output) {
  RETURN_IF_ERROR(transaction.records().PutOutput(output));
  RETURN_IF_ERROR(AppendOutputEvent(parts, transaction, output));
  return EnqueueDerive(parts, transaction, output);
}

void Pipeline::Upload(const NewUpload& upload, const BufferRef& bytes, std::string_view mount,
                      UploadDone done) {
  if (bytes.size() == 0) return done(Error(Code::kInvalid, "The upload is empty."));
  BlobStore* const blobs = parts_.media->blobs();
  std::optional<Output> same;
  if (upload.reuse) {
    const std::string sha256 = Hex(Sha256(bytes.view()));
    Status read = parts_.store->Read([&](const Snapshot& snapshot) -> Status {
      ASSIGN_OR_RETURN(same, SameUpload(snapshot.records(), upload, sha256));
      return OkStatus();
    });
    if (!read.ok()) return done(read);
  }
  if (same) {
    // A file that was lost meanwhile is here again.
    auto stored = blobs->Stat(same->blob_key);
    Status there = CodeOf(stored.status()) == Code::kNotFound ? blobs->Put(same->blob_key, bytes.view())
                                                              : stored.status();
    if (!there.ok()) return done(there);
    return done(Uploaded{same->id, BufferRef::Own(OutputRecord(*same, mount)), false});
  }
  auto found = parts_.media->Inspect(bytes.view());
  if (!found.ok()) return done(found.status());
  Output output = UploadedOutput(parts_, upload, parts_.ids->Next(), *found, bytes.size());
  if (Status put = blobs->Put(output.blob_key, bytes.view()); !put.ok()) {
    (void)blobs->Remove(output.blob_key);  // it may stand there all the same, and no row will name it
    return done(put);
  }
  StoreUpload(upload, std::move(output), mount, std::move(done));
}

void Pipeline::StoreUpload(const NewUpload& upload, Output output, std::string_view mount, UploadDone done) {
  auto same = std::make_shared<std::optional<Output>>();
  parts_.store->CommitAsync(
      [this, upload, output, same](Transaction& transaction) -> Status {
        // Two of the same at once: the first to get here is the one.
        ASSIGN_OR_RETURN(*same, SameUpload(transaction.records(), upload, output.sha256));
        if (*same) return transaction.records().AddTombstone(output.blob_key, parts_.clock->WallMs());
        return AcceptUpload(parts_, transaction, output);
      },
      [this, output, same, mount = std::string(mount), done = std::move(done)](Status committed) {
        if (committed.ok()) {
          const Output& row = *same ? **same : output;
          return done(Uploaded{row.id, BufferRef::Own(OutputRecord(row, mount)), !*same});
        }
        // Refused for certain: no row names the blob. What is not certain is left for the row that may be
        // there.
        if (CodeOf(committed) != Code::kUnknownOutcome) DropUpload(output.blob_key);
        done(committed);
      },
      Purpose::kSubmit);
}

void Pipeline::DropUpload(const std::string& blob_key) {
  parts_.executor->Post([this, blob_key] { (void)parts_.media->blobs()->Remove(blob_key); });
}

}  // namespace mediagen
