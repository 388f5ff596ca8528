// What a request refers to: stored outputs are read, and where a provider takes no URLs, URLs are fetched
// under the same guard as downloads. All before the intent: a reference that cannot be had costs nothing.
#include "fmt/format.h"
#include "pipeline/run.h"
#include "provider/failure.h"

namespace mediagen {
namespace {

constexpr uint64_t kMaxReferenceBytes = 50u << 20;  // what the providers take at most
constexpr int64_t kFetchTimeoutMs = 60'000;
constexpr int kFetchRedirects = 5;

}  // namespace

Status Run::ReadOutput(const Id& id, Reference* reference) {
  std::optional<Output> output;
  RETURN_IF_ERROR(parts_.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(output, snapshot.records().FindOutput(id));
    return OkStatus();
  }));
  if (!output || output->user != generation_.user)
    return Error(Code::kNotFound, fmt::format("There is no output {} of this user.", id.text()),
                 {.object = id.text()});
  ASSIGN_OR_RETURN(reference->bytes, parts_.media->blobs()->Get(output->blob_key, kMaxReferenceBytes));
  reference->media_type = output->media_type;
  return OkStatus();
}

void Run::Resolve(PartRun& part, size_t index, Resolved next) {
  const bool bytes = part.adapter->CapabilitiesOf(part.request.model).reference_bytes;
  for (; index < part.request.references.size(); ++index) {
    Reference& reference = part.request.references[index];
    if (reference.bytes) continue;
    if (!reference.output.empty()) {
      Status read = ReadOutput(reference.output, &reference);
      if (read.ok()) continue;
      return next(read);
    }
    if (bytes) return FetchReference(part, index, std::move(next));
  }
  part.resolved = true;
  next(OkStatus());
}

void Run::FetchReference(PartRun& part, size_t index, Resolved next) {
  HttpRequest request;
  request.url = part.request.references[index].url;
  request.timeout_ms = kFetchTimeoutMs;
  request.max_body_bytes = kMaxReferenceBytes;
  request.max_redirects = kFetchRedirects;
  request.guard_address = request.https_only = !part.adapter->config().allow_private_network;
  parts_.http->Send(std::move(request), [self = shared_from_this(), &part, index,
                                         next = std::move(next)](HttpResponse response) {
    self->Do([self, &part, index, next, response = std::move(response)] {
      if (self->abandoned_ || self->ended_) return;
      auto refuse = [&](std::string why) {
        next(Error(Code::kInvalid, fmt::format("A reference could not be fetched: {}", why)));
      };
      if (response.progress != HttpProgress::kAnswered) return refuse(InfoOf(response.transport).message);
      if (response.status != 200)
        return refuse(fmt::format("it was answered with status {}.", response.status));
      auto inspected = self->parts_.media->Inspect(response.body);
      if (!inspected.ok()) return refuse(InfoOf(inspected.status()).message);
      Reference& reference = part.request.references[index];
      reference.media_type = MediaType(inspected->format);
      reference.bytes = BufferRef::Own(response.body);
      reference.url.clear();
      self->Resolve(part, index + 1, next);
    });
  });
}

}  // namespace mediagen
