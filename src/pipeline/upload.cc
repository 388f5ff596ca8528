// Uploads: pictures and videos that somebody brings. Durable as a blob before the row that names it.
#include "base/json.h"
#include "fmt/format.h"
#include "pipeline/documents.h"
#include "pipeline/pipeline.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

Output OutputOf(const PipelineParts& parts, const NewUpload& upload, const Inspected& found, size_t bytes) {
  Output output;
  output.id = parts.ids->Next();
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

}  // namespace

StatusOr<NewUpload> ParseUpload(std::string_view metadata_json, const std::optional<std::string>& user) {
  Json json = Json::object();
  if (!Trim(metadata_json).empty()) {
    ASSIGN_OR_RETURN(json, ParseJson(metadata_json, "upload", {.max_bytes = 16 << 10}));
  }
  NewUpload upload;
  FieldReader fields(json, "upload");
  fields.String("user", &upload.user, {.max_bytes = 128});
  fields.String("visibility", &upload.visibility, {.one_of = {"private", "group", "public"}});
  RETURN_IF_ERROR(fields.Finish());
  if (user && !upload.user.empty() && upload.user != *user) {
    return Error(Code::kForbidden, "\"user\" of the upload is another than who brings it.",
                 {.hint = "Leave it out.", .object = "user"});
  }
  if (user) upload.user = *user;
  return upload;
}

void Pipeline::Upload(const NewUpload& upload, const BufferRef& bytes, std::string_view mount,
                      RecordDone done) {
  if (bytes.size() == 0) return done(Error(Code::kInvalid, "The upload is empty."));
  auto found = parts_.media->Inspect(bytes.view());
  if (!found.ok()) return done(found.status());
  Output output = OutputOf(parts_, upload, *found, bytes.size());
  if (Status put = parts_.media->blobs()->Put(output.blob_key, bytes.view()); !put.ok()) return done(put);
  parts_.store->CommitAsync(
      [this, output](Transaction& transaction) -> Status {
        RETURN_IF_ERROR(transaction.records().PutOutput(output));
        return AppendOutputEvent(parts_, transaction, output);
      },
      [this, output, mount = std::string(mount), done = std::move(done)](Status committed) {
        if (committed.ok()) return done(BufferRef::Own(OutputRecord(output, mount)));
        // Refused for certain: no row names the blob. What is not certain is left for the row that may be
        // there.
        const bool refused = CodeOf(committed) != Code::kUnknownOutcome;
        if (refused)
          parts_.executor->Post([this, key = output.blob_key] { (void)parts_.media->blobs()->Remove(key); });
        done(committed);
      },
      Purpose::kSubmit);
}

}  // namespace mediagen
