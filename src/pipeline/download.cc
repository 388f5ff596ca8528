// From what the provider made to blobs: at once, since its URLs live an hour or less. A failed download is
// tried again, never the generation.
#include <algorithm>

#include "base/base64.h"
#include "fmt/format.h"
#include "pipeline/documents.h"
#include "pipeline/landing.h"
#include "pipeline/run.h"
#include "pipeline/transition.h"

namespace mediagen {
namespace {

constexpr int kDownloadTries = 8;
constexpr int64_t kStorageRetryMs = 2'000;
constexpr uint64_t kInMemoryBytes = 4 << 20;  // what is larger goes to the blob store as it comes
constexpr AttemptState kAccepted[] = {AttemptState::kSubmitted, AttemptState::kReceived};

// What is kept of the outputs with the attempt, so that a crash goes on from here. Bytes are in the spool.
std::string OutputsJson(const std::vector<RemoteOutput>& outputs) {
  Json list = Json::array();
  for (const RemoteOutput& output : outputs) {
    list.push_back({{"url", output.url},
                    {"mediaType", output.media_type},
                    {"safety", output.safety},
                    {"needsCredentials", output.needs_credentials}});
  }
  return Dump(list);
}

std::vector<RemoteOutput> OutputsFromJson(std::string_view text) {
  std::vector<RemoteOutput> outputs;
  Json list = Json::parse(text, nullptr, false);
  if (!list.is_array()) return outputs;
  for (const Json& item : list) {
    RemoteOutput output;
    output.url = item.value("url", "");
    output.media_type = item.value("mediaType", "");
    output.safety = item.value("safety", "ok");
    output.needs_credentials = item.value("needsCredentials", false);
    outputs.push_back(std::move(output));
  }
  return outputs;
}

// The key of an output, once its type is known. Holds copies: a download asks on the net thread, while the
// run goes on changing its rows.
Landing::KeyOf KeysOf(const Generation& generation, int part, const Attempt& attempt, size_t index) {
  return [user = generation.user, id = generation.id, part, attempt_try = attempt.attempt_try,
          index](Format format) {
    return OriginalKey(IsVideo(format) ? "video" : "image", user, id, part, attempt_try,
                       static_cast<int>(index), format);
  };
}

}  // namespace

void Run::ReadSpool(PartRun& part) {
  auto spool = parts_.media->blobs()->Get(part.attempt->spool_key, uint64_t{256} << 20);
  if (!spool.ok()) return DownloadLater(part, InfoOf(spool.status()).message, 1000);
  std::string_view text = spool->view();
  size_t line = text.find('\n');
  HttpResponse response;
  response.progress = HttpProgress::kAnswered;
  response.status = std::atoi(std::string(text.substr(0, line)).c_str());
  response.body = line == std::string_view::npos ? "" : std::string(text.substr(line + 1));
  SubmitAnswer answer = part.adapter->ParseSubmit(response);
  if (answer.kind != SubmitAnswer::kReceived) {
    return FailPart(
        part,
        {.error_class = ErrorClass::kServer, .message = "The stored answer of the provider cannot be read."},
        true, AttemptState::kFailed);
  }
  Ended(part, answer.result);
}

// The remote side is done. A success is stored before anything is fetched.
void Run::Ended(PartRun& part, const PollAnswer& answer) {
  part.place.reset();
  if (answer.cost_micros) part.attempt->cost_micros = *answer.cost_micros;
  if (answer.kind == PollAnswer::kFailed) {
    const bool canceled = answer.failure.error_class == ErrorClass::kCanceled;
    Failure failure = answer.failure;
    if (canceled && !cancel_ &&
        DeadlinePassed())  // it was we who canceled it there, and nobody had asked us to
      failure = {.error_class = ErrorClass::kTimeout,
                 .message = "The provider was not done before the deadline, and was told to stop."};
    return FailPart(part, failure, answer.charged,
                    canceled ? AttemptState::kCanceled : AttemptState::kFailed);
  }
  Attempt attempt = *part.attempt;
  attempt.state = AttemptState::kSucceeded;
  attempt.outputs_json = OutputsJson(answer.outputs);
  attempt.updated_ms = parts_.clock->WallMs();
  Status stored = Update([&](Transaction& transaction, Generation& row) -> Status {
    RETURN_IF_ERROR(transaction.records().MoveAttempt(attempt, kAccepted).status());
    if (parked_) RETURN_IF_ERROR(parts_.queues->Unpark(transaction, claim_.id(), claim_.fence()));
    row.stage = "downloading";
    if (answer.seed && row.seed.empty()) row.seed = std::to_string(*answer.seed);
    RETURN_IF_ERROR(transaction.records().UpdateGeneration(row));
    transaction.Mark(LandmarkOf("remote-terminal", claim_));
    return OkStatus();
  });
  if (!stored.ok()) return Trouble(stored);
  parked_ = false;
  for (PartRun& other : runs_) {
    if (&other != &part &&
        other.waiting) {  // the siblings still wait: the job's time limit must not run against them
      Status parked = Update([&](Transaction& transaction, Generation&) {
        return parts_.queues->Park(transaction, claim_.id(), claim_.fence());
      });
      if (!parked.ok()) return Trouble(parked);
      parked_ = true;
      break;
    }
  }
  part.attempt = attempt;
  part.outputs = answer.outputs;
  if (!answer.failure.message.empty()) {  // some came, and some did not
    part.some_failed = true;
    part.download_failure = answer.failure;
  }
  DownloadNext(part, 0);
}

void Run::Download(PartRun& part) {
  part.outputs = OutputsFromJson(part.attempt->outputs_json);
  const bool spooled = std::any_of(part.outputs.begin(), part.outputs.end(),
                                   [](const RemoteOutput& output) { return output.url.empty(); });
  if (spooled && !part.attempt->spool_key.empty()) return ReadSpool(part);
  if (spooled) return Wait(part, 0);  // bytes that came with a poll: the provider still has them
  DownloadNext(part, 0);
}

void Run::DownloadNext(PartRun& part, size_t index) {
  if (abandoned_ || ended_) return;
  if (index >= part.outputs.size()) return SettlePart(part);
  const RemoteOutput& output = part.outputs[index];
  if (output.bytes) return Store(part, index, output.bytes.view(), output.safety);
  auto request = part.adapter->BuildDownload(output);
  if (!request.ok()) {
    part.some_failed = true;
    part.download_failure = {.error_class = ErrorClass::kInvalid,
                             .message = InfoOf(request.status()).message};
    return DownloadNext(part, index + 1);
  }
  auto landing = std::make_shared<Landing>(
      parts_.media->blobs(), KeysOf(generation_, part.row.part, *part.attempt, index), kInMemoryBytes);
  request->sink = [landing](std::string_view piece) { return landing->Append(piece); };
  parts_.http->Send(std::move(*request), [self = shared_from_this(), &part, index,
                                          landing](HttpResponse response) {
    self->Do([self, &part, index, landing, response = std::move(response)] {
      if (self->abandoned_ || self->ended_) return;
      const bool answered = response.progress == HttpProgress::kAnswered;
      if (answered && response.status == 200) return self->Land(part, index, *landing);
      const Code code = CodeOf(response.transport);
      const bool final = (answered && response.status >= 400 && response.status < 500 &&
                          response.status != 408 && response.status != 429) ||
                         code == Code::kForbidden || code == Code::kInvalid || code == Code::kTooLarge;
      std::string why = answered ? fmt::format("the download was answered with status {}", response.status)
                                 : InfoOf(response.transport).message;
      if (!final) return self->DownloadLater(part, why, -1);
      part.some_failed = true;
      part.download_failure = {.error_class = answered ? ErrorClass::kExpired : ErrorClass::kInvalid,
                               .message = fmt::format("A finished picture could not be fetched: {}.", why)};
      self->DownloadNext(part, index + 1);
    });
  });
}

void Run::DownloadLater(PartRun& part, const std::string& why, int64_t after_ms) {
  if (++part.download_tries > kDownloadTries) {
    return EndWith(
        Outcome::Retry(why));  // another claim, later, perhaps elsewhere; the dead letter in the end
  }
  int64_t delay_ms =
      after_ms >= 0 ? after_ms : std::min<int64_t>(int64_t{250} << part.download_tries, 15'000);
  After(delay_ms, [this, &part] {
    part.stored.clear();
    part.some_failed = false;
    // What came with the answer, or was drawn, is still here; a received answer that could not be read has
    // told of no outputs yet.
    if (!part.outputs.empty()) return DownloadNext(part, 0);
    part.attempt->state == AttemptState::kReceived ? ReadSpool(part) : Download(part);
  });
}

std::string Run::KeyOf(const PartRun& part, size_t index, Format format) const {
  return KeysOf(generation_, part.row.part, *part.attempt, index)(format);
}

void Run::Land(PartRun& part, size_t index, Landing& landing) {
  const std::string safety = part.outputs[index].safety;
  if (!landing.spilled()) return Store(part, index, landing.bytes(), safety);
  Status landed = landing.Commit();
  if (!landed.ok()) return DownloadLater(part, InfoOf(landed).message, InfoOf(landed).retry_after_ms);
  if (IsVideo(landing.format())) {
    Inspected inspected;
    inspected.format = landing.format();
    inspected.sha256 = landing.TakeSha256();
    return Note(part, index, inspected, landing.size(), landing.key(), safety);
  }
  auto picture = parts_.media->blobs()->Get(landing.key(), landing.size());
  if (!picture.ok()) return DownloadLater(part, InfoOf(picture.status()).message, kStorageRetryMs);
  Store(part, index, picture->view(), safety);  // the same bytes under the same key
}

// Looks at the bytes, puts them under their deterministic key, and notes the row that settle will write.
void Run::Store(PartRun& part, size_t index, std::string_view bytes, const std::string& safety) {
  auto inspected = parts_.media->Inspect(bytes);
  if (!inspected.ok()) {
    if (CodeOf(inspected.status()) == Code::kOverloaded)
      return DownloadLater(part, "the decode budget is taken", InfoOf(inspected.status()).retry_after_ms);
    part.some_failed = true;
    part.download_failure = {
        .error_class = ErrorClass::kServer,
        .message = fmt::format("The provider delivered something that is not a picture: {}",
                               InfoOf(inspected.status()).message)};
    return DownloadNext(part, index + 1);
  }
  BlobStore* blobs = parts_.media->blobs();
  const std::string key = KeyOf(part, index, inspected->format);
  Status put = blobs->Put(key, bytes);
  if (CodeOf(put) == Code::kConflict) {
    // An earlier claim stored other bytes here and died before it settled: no row names them.
    put = blobs->Remove(key);
    if (put.ok()) put = blobs->Put(key, bytes);
  }
  if (!put.ok()) return DownloadLater(part, InfoOf(put).message, kStorageRetryMs);
  Note(part, index, *inspected, bytes.size(), key, safety);
}

void Run::Note(PartRun& part, size_t index, const Inspected& inspected, uint64_t bytes,
               const std::string& key, const std::string& safety) {
  Output output;
  output.id = parts_.ids->Next();
  output.generation = generation_.id;
  output.user = generation_.user;
  output.index = part.first_index + static_cast<int>(index);
  output.part = part.row.part;
  output.attempt_try = part.attempt->attempt_try;
  output.kind = IsVideo(inspected.format) ? "video" : "image";
  output.media_type = MediaType(inspected.format);
  output.width = inspected.width;
  output.height = inspected.height;
  output.bytes = static_cast<int64_t>(bytes);
  output.sha256 = inspected.sha256;
  output.thumb_hash = inspected.thumb_hash;
  output.safety = safety;
  output.c2pa = inspected.c2pa;
  output.embedded_prompt = inspected.prompt;
  output.visibility = generation_.visibility;
  output.created_ms = parts_.clock->WallMs();
  output.blob_key = key;
  part.stored.push_back(std::move(output));
  DownloadNext(part, index + 1);
}

}  // namespace mediagen
