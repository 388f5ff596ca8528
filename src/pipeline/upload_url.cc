// Uploads by URL: fetched under the guard of downloads, by the net thread alone.
#include "fmt/format.h"
#include "pipeline/landing.h"
#include "pipeline/pipeline.h"
#include "pipeline/upload.h"

namespace mediagen {
namespace {

constexpr int64_t kFetchTimeoutMs = 60'000;
constexpr int kFetchRedirects = 5;
constexpr uint64_t kInMemoryBytes = 4 << 20;  // what is larger goes to the blob store as it comes
constexpr int kFetches = 16;                  // at once: 64 MB of memory
constexpr int kFetchesOfUser = 4;             // of them: one user's slow servers leave room for others

// What the client is told of a fetch. Not the transport's own words where they would tell of this network.
Status FetchedStatus(const HttpResponse& response, uint64_t max_bytes) {
  if (response.progress == HttpProgress::kAnswered && response.status == 200) return OkStatus();
  if (response.progress == HttpProgress::kAnswered) {
    return Error(Code::kUnavailable,
                 fmt::format("The URL was answered with status {} instead of a picture.", response.status));
  }
  const ErrorInfo why = InfoOf(response.transport);
  switch (why.code) {
    case Code::kForbidden:
      return Error(Code::kForbidden, "The URL leads to an address that is not fetched from.",
                   {.hint = "It must be https and lead to a public address, redirects included."});
    case Code::kTooLarge:
      return Error(Code::kTooLarge, fmt::format("What is at the URL has more than {} bytes.", max_bytes));
    case Code::kTimeout:
      return Error(Code::kTimeout, "The server of the URL did not answer in time.",
                   {.hint = "Try again, or send the picture itself."});
    case Code::kInvalid:
    case Code::kStorageFull:
    case Code::kClosed:
    case Code::kCanceled:
      return response.transport;
    default:
      return Error(Code::kUnavailable, "The server of the URL could not be reached, or broke off.",
                   {.hint = "Try again, or send the picture itself."});
  }
}

}  // namespace

// A place among the fetches; given back when the last copy goes. Null: there is none.
std::shared_ptr<void> Pipeline::TakeFetch(const std::string& user) {
  std::lock_guard lock(fetches_mutex_);
  auto of_user = fetches_of_.find(user);
  const bool taken = of_user != fetches_of_.end() && of_user->second >= kFetchesOfUser && !user.empty();
  if (fetches_ >= kFetches || taken) return nullptr;
  ++fetches_;
  ++fetches_of_[user];
  return std::shared_ptr<void>(this, [this, user](void*) {
    std::lock_guard again(fetches_mutex_);
    --fetches_;
    if (--fetches_of_[user] == 0) fetches_of_.erase(user);
  });
}

void Pipeline::UploadFrom(const NewUpload& upload, const std::string& url, std::string_view mount,
                          UploadDone done, std::function<void(Status)> unfetched) {
  if (auto parsed = ParseUrl(url); !parsed.ok()) return unfetched(parsed.status());
  std::shared_ptr<void> place = TakeFetch(upload.user);
  if (place == nullptr) {
    return unfetched(Error(Code::kOverloaded, "Too many uploads are being fetched at this moment.",
                           {.hint = "Try again in a few seconds.", .retry_after_ms = 2000}));
  }
  const Id id = parts_.ids->Next();
  auto landing = std::make_shared<Landing>(
      parts_.media->blobs(), [user = upload.user, id](Format format) { return UploadKey(user, id, format); },
      kInMemoryBytes);
  HttpRequest request;
  request.url = url;
  request.headers = {{"Accept", "image/*, video/*"}};
  request.timeout_ms = kFetchTimeoutMs;
  request.max_body_bytes = parts_.max_upload_bytes;
  request.max_redirects = kFetchRedirects;
  request.guard_address = request.https_only = !parts_.upload_private_network;
  request.sink = [landing](std::string_view piece) { return landing->Append(piece); };
  parts_.http->Send(std::move(request),
                    [this, upload, id, landing, place, mount = std::string(mount), done = std::move(done),
                     unfetched = std::move(unfetched)](const HttpResponse& response) {
                      Status fetched = FetchedStatus(response, parts_.max_upload_bytes);
                      if (!fetched.ok()) return unfetched(fetched);
                      if (landing->spilled()) return LandUpload(upload, id, *landing, mount, done);
                      if (landing->size() == 0)
                        return unfetched(Error(Code::kInvalid, "There is nothing at the URL."));
                      Upload(upload, BufferRef::Copy(landing->bytes()), mount, done);
                    });
}

// What was too large for memory stands as a blob already, once it is committed.
void Pipeline::LandUpload(const NewUpload& upload, const Id& id, Landing& landing, std::string_view mount,
                          UploadDone done) {
  BlobStore* const blobs = parts_.media->blobs();
  auto look = [&]() -> StatusOr<Inspected> {
    RETURN_IF_ERROR(landing.Commit());
    if (IsVideo(landing.format())) {
      Inspected video;
      video.format = landing.format();
      video.sha256 = landing.TakeSha256();
      return video;
    }
    ASSIGN_OR_RETURN(const BufferRef picture, blobs->Get(landing.key(), landing.size()));
    return parts_.media->Inspect(picture.view());
  };
  auto found = look();
  if (!found.ok()) {
    (void)blobs->Remove(landing.key());
    return done(found.status());
  }
  StoreUpload(upload, UploadedOutput(parts_, upload, id, *found, landing.size()), mount, std::move(done));
}

}  // namespace mediagen
