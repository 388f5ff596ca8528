// Webhooks: a provider says that something has happened. It is a hint, and believed in one thing alone: which
// request of the provider's is whose. What became of it is asked of the provider.
#include <algorithm>

#include "fmt/format.h"
#include "pipeline/run.h"
#include "pipeline/transition.h"
#include "pipeline/webhook_keys.h"
#include "pipeline/webhook_url.h"

namespace mediagen {
namespace {

constexpr int kMaxWebhooks = 64;                  // being worked on at once
constexpr uint64_t kMaxWaitingBytes = 64u << 20;  // of their bodies
constexpr int64_t kBusyMs = 5'000;

Status Nothing() { return Error(Code::kNotFound, "There is nothing here that a webhook could be about."); }

Status Unproven() {
  return Error(Code::kUnauthorized, "The webhook does not prove that it comes from the provider.");
}

bool IsAnswerable(AttemptState state) {
  return std::find(std::begin(kAnswerable), std::end(kAnswerable), state) != std::end(kAnswerable);
}

// The attempt has been accepted by the provider under this id: by attempt id and nonce, whoever holds the
// lease. False: somebody else stored an answer first.
StatusOr<bool> Accept(Transaction& transaction, const Adapter& adapter, const Generation& generation,
                      const std::string& remote_id, int64_t now_ms, Attempt* attempt) {
  if (attempt->remote_id.empty()) {
    if (remote_id.empty())
      return Error(Code::kInvalid, "The webhook does not say which request it is about.");
    ASSIGN_OR_RETURN(GenerationRequest request, RequestFromJson(generation.request_json));
    const RemoteHandle handle = adapter.HandleFor(PartOf(request, 0, 1), remote_id);
    attempt->remote_id = handle.id;
    attempt->status_url = handle.status_url;
    attempt->result_url = handle.result_url;
    attempt->cancel_url = handle.cancel_url;
  }
  attempt->state = AttemptState::kSubmitted;
  attempt->updated_ms = now_ms;
  return transaction.records().MoveAttempt(*attempt, kAnswerable);
}

}  // namespace

// One webhook on its way through.
struct Pipeline::WebhookVisit {
  WebhookCall call;
  WebhookDone done;
  std::shared_ptr<const Adapter> adapter;
  std::optional<Id> attempt;  // of the URL, whose MAC fits
};

// A provider refuses URLs that are not https, and with them the request; one of one's own may take them.
std::string Pipeline::WebhookUrl(const Adapter& adapter, const Id& attempt) const {
  const bool reachable = parts_.public_base_url.starts_with("https://") ||
                         (!parts_.public_base_url.empty() && adapter.config().allow_private_network);
  if (!reachable || parts_.secrets.empty() || !adapter.takes_webhook_url()) return "";
  return WebhookUrlOf(parts_.public_base_url, parts_.secrets.front(), adapter.config().name, attempt);
}

void Pipeline::Webhook(WebhookCall call, WebhookDone done) {
  auto visit = std::make_shared<WebhookVisit>();
  visit->call = std::move(call);
  visit->done = std::move(done);
  auto refuse = [&](const Status& status) {
    webhooks_refused_.Add();
    visit->done(status);
  };
  auto provider = parts_.providers.find(visit->call.provider);
  if (provider == parts_.providers.end() || provider->second->local()) return refuse(Nothing());
  visit->adapter = provider->second;
  if (!visit->call.attempt.empty()) {
    auto attempt = Id::Parse(visit->call.attempt);
    if (!attempt.ok()) return refuse(Nothing());
    if (!IsWebhookMac(parts_.secrets, visit->call.provider, *attempt, visit->call.mac))
      return refuse(Unproven());
    visit->attempt = *attempt;
  }
  if (Status admitted = Admit(*visit); !admitted.ok()) return refuse(admitted);
  ReadVisit(std::move(visit), false);
}

Status Pipeline::Admit(const WebhookVisit& visit) {
  const uint64_t bytes = visit.call.body.size();
  if (bytes > kMaxWebhookBytes) {
    return Error(Code::kTooLarge,
                 fmt::format("The webhook has {} bytes; at most {} are taken.", bytes, kMaxWebhookBytes));
  }
  std::lock_guard lock(webhooks_mutex_);
  if (webhooks_ >= kMaxWebhooks || webhook_bytes_ + bytes > kMaxWaitingBytes) {
    return Error(Code::kOverloaded, "Too many webhooks have come at once.",
                 {.hint = "Send it again later.", .retry_after_ms = kBusyMs});
  }
  ++webhooks_;
  webhook_bytes_ += bytes;
  return OkStatus();
}

void Pipeline::Leave(const WebhookVisit& visit, const Status& status) {
  {
    std::lock_guard lock(webhooks_mutex_);
    --webhooks_;
    webhook_bytes_ -= visit.call.body.size();
  }
  (status.ok() ? webhooks_taken_ : webhooks_refused_).Add();
  visit.done(status);
}

void Pipeline::ReadVisit(std::shared_ptr<WebhookVisit> visit, bool fresh_keys) {
  const std::shared_ptr<const Adapter> adapter = visit->adapter;
  webhook_keys_->Get(adapter, fresh_keys, [this, visit](StatusOr<WebhookKeys::Keys> keys) {
    if (!keys.ok()) return Leave(*visit, keys.status());
    const bool by_url = keys->keys.empty();
    if (by_url && !visit->attempt) return Leave(*visit, Unproven());
    StatusOr<mediagen::Webhook> webhook = visit->adapter->ReadWebhook({.headers = visit->call.headers,
                                                                       .body = visit->call.body.view(),
                                                                       .now_s = parts_.clock->WallMs() / 1000,
                                                                       .keys = keys->keys,
                                                                       .authenticated = by_url});
    if (CodeOf(webhook.status()) == Code::kUnauthorized && keys->may_be_old) return ReadVisit(visit, true);
    if (CodeOf(webhook.status()) == Code::kUnsupported) return Leave(*visit, Nothing());
    if (!webhook.ok()) return Leave(*visit, webhook.status());
    Leave(*visit, Heed(*visit, webhook->remote_id));
  });
}

// By the state of the attempt. Without an answer: it has one now, and its generation rises when it rests. At
// work: it is asked about now, by the run that waits for it in this process; one of another process finds it
// by its next poll. Over: this is a repetition.
Status Pipeline::Heed(const WebhookVisit& visit, const std::string& remote_id) {
  if (!visit.attempt && remote_id.empty()) return OkStatus();  // an event about something else
  std::optional<Attempt> attempt;
  std::optional<Generation> row;
  auto look = [&](const Records& records) -> Status {
    ASSIGN_OR_RETURN(attempt, visit.attempt ? records.FindAttempt(*visit.attempt)
                                            : records.FindAttemptByRemoteId(visit.call.provider, remote_id));
    if (!attempt || attempt->provider != visit.call.provider) return Nothing();
    ASSIGN_OR_RETURN(row, records.FindGeneration(attempt->generation));
    return row ? OkStatus() : Nothing();
  };
  RETURN_IF_ERROR(parts_.store->Read([&](const Snapshot& snapshot) { return look(snapshot.records()); }));
  const bool answer = IsAnswerable(attempt->state);
  if (!answer && attempt->state != AttemptState::kSubmitted) return OkStatus();
  if (answer || IsResting(row->status)) {
    bool moved = false;
    RETURN_IF_ERROR(parts_.store->Commit([&](Transaction& transaction) -> Status {
      RETURN_IF_ERROR(look(transaction.records()));
      moved = false;
      if (IsAnswerable(attempt->state)) {
        ASSIGN_OR_RETURN(
            moved, Accept(transaction, *visit.adapter, *row, remote_id, parts_.clock->WallMs(), &*attempt));
      }
      if (attempt->state != AttemptState::kSubmitted) return OkStatus();
      return Reopen(parts_, transaction, *attempt, &*row);
    }));
    if (moved) {
      parts_.log->Write(LogLevel::kInfo, "pipeline",
                        "a paid request without an answer was found by its webhook",
                        {{"generation", row->id.text()}, {"remoteId", attempt->remote_id}});
    }
  }
  std::shared_ptr<Run> run;
  {
    std::lock_guard lock(mutex_);
    auto found = runs_.find(row->job);
    if (found != runs_.end()) run = found->second;
  }
  if (run) run->Hint(attempt->id);
  return OkStatus();
}

}  // namespace mediagen
