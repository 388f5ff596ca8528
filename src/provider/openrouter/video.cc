#include "provider/openrouter/video.h"

#include <algorithm>

#include "fmt/format.h"
#include "provider/failure.h"
#include "provider/openrouter/errors.h"
#include "provider/openrouter/media.h"
#include "provider/wire_adapter.h"

namespace mediagen::openrouter {
namespace {

constexpr int64_t kPollMs = 2'000;  // what OpenRouter's own client uses; its guide says 30 s

constexpr size_t kMaxIdBytes = 200;

// Where the download is: what the job says, else where OpenRouter documents it.
void GatherVideos(const Json& document, const Endpoint& endpoint, Gathered* gathered) {
  for (const Json& url : ListOf(document, "unsigned_urls")) {
    if (url.is_string()) GatherUri(url.get_ref<const std::string&>(), endpoint, gathered);
  }
  const std::string id = TextOf(document, "id");
  if (gathered->outputs.empty() && gathered->active == 0 && IsPathSegment(id))
    GatherUri(fmt::format("{}/videos/{}/content?index=0", endpoint.base(), id), endpoint, gathered);
}

void ReadCompleted(const Json& document, const Endpoint& endpoint, PollAnswer* answer) {
  Gathered gathered;
  GatherVideos(document, endpoint, &gathered);
  if (!gathered.outputs.empty()) {
    answer->kind = PollAnswer::kSucceeded;
    answer->outputs = std::move(gathered.outputs);
    return;
  }
  answer->kind = PollAnswer::kFailed;
  answer->charged = true;
  answer->failure = {.error_class = ErrorClass::kServer,
                     .message = "The job is completed and names no video."};
}

// OpenRouter does not say whether a job that failed was billed: only a reported cost tells.
void ReadFailed(const Json& document, ErrorClass error_class, std::string_view otherwise,
                std::string_view secret, PollAnswer* answer) {
  answer->kind = PollAnswer::kFailed;
  answer->charged = answer->cost_micros.value_or(1) > 0;
  const Json* error = ErrorIn(document);
  if (error != nullptr) answer->failure = ReadError(*error, 0, secret);
  if (error == nullptr || answer->failure.message.empty()) answer->failure.message = otherwise;
  if (error_class != ErrorClass::kServer) {
    answer->failure.error_class = error_class;
    answer->failure.retryable = false;
  }
}

}  // namespace

std::optional<RemoteHandle> ReadHandle(const Json& document, const Endpoint& endpoint) {
  if (!document.is_object() || document.contains("choices") || document.contains("data")) return std::nullopt;
  RemoteHandle handle;
  handle.id = TextOf(document, "id");
  handle.status_url = ResolveUrl(TextOf(document, "polling_url"), endpoint);
  if (!endpoint.SameOrigin(handle.status_url)) handle.status_url.clear();
  const bool is_job = !TextOf(document, "polling_url").empty() || !TextOf(document, "status").empty();
  const bool can_be_asked =
      IsPathSegment(handle.id) ||
      (!handle.id.empty() && handle.id.size() <= kMaxIdBytes && !handle.status_url.empty());
  if (!is_job || !can_be_asked) return std::nullopt;
  return handle;
}

PollAnswer ReadJob(const Json& document, const Endpoint& endpoint, std::string_view secret) {
  PollAnswer answer;
  const std::string status = TextOf(document, "status");
  answer.cost_micros = CostOf(document);
  if (status.empty()) {
    const Json* error = ErrorIn(document);
    answer.failure = error != nullptr
                         ? ReadError(*error, 0, secret)
                         : Failure{.message = "The provider's answer is no video job.", .retryable = true};
    return answer;
  }
  if (status == "completed") {
    ReadCompleted(document, endpoint, &answer);
  } else if (status == "failed" || status == "dead") {
    ReadFailed(document, ErrorClass::kServer, "The job failed and gave no reason.", secret, &answer);
  } else if (status == "cancelled") {
    ReadFailed(document, ErrorClass::kCanceled, "The job was cancelled.", secret, &answer);
  } else if (status == "expired") {
    ReadFailed(document, ErrorClass::kExpired, "The job has expired.", secret, &answer);
  } else {
    answer.kind = PollAnswer::kPending;
    answer.next_poll_ms = kPollMs;
    if (status == "pending") {
      answer.progress.message = "The job is waiting.";
    } else if (status != "in_progress") {
      answer.progress.message =
          fmt::format("OpenRouter reports the state \"{}\", which is not known here; waiting.",
                      SafeText(Shorten(status, 40), secret));
    }
  }
  return answer;
}

}  // namespace mediagen::openrouter
