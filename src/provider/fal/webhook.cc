#include "provider/fal/webhook.h"

#include "base/base64.h"
#include "provider/webhook_signature.h"
#include "provider/wire_adapter.h"

namespace mediagen::fal {
namespace {

constexpr size_t kMaxKeys = 16;
constexpr size_t kKeyBytes = 32;  // of Ed25519

// A set may hold keys of other kinds; one that tells no kind is judged by its length.
bool IsUsable(const Json& key) {
  const std::string type = TextOf(key, "kty"), curve = TextOf(key, "crv");
  if ((!type.empty() && type != "OKP") || (!curve.empty() && curve != "Ed25519")) return false;
  StatusOr<std::string> raw = Base64UrlDecode(TextOf(key, "x"));
  return raw.ok() && raw->size() == kKeyBytes;
}

}  // namespace

StatusOr<std::vector<std::string>> ReadWebhookKeys(std::string_view key_set) {
  StatusOr<Json> json = ParseJson(key_set, "fal's set of webhook keys");
  const Json document = json.ok() ? std::move(*json) : Json();
  std::vector<std::string> keys;
  for (const Json& key : ListOf(document, "keys")) {
    if (IsUsable(key) && keys.size() < kMaxKeys) keys.push_back(TextOf(key, "x"));
  }
  if (!keys.empty()) return keys;
  return Error(Code::kUnavailable, "fal's set of webhook keys holds none that can be used.");
}

// The id is the body's, which the signature covers; the header's may be that of an internal repetition.
StatusOr<Webhook> ReadWebhook(const WebhookRequest& request) {
  Webhook webhook;
  ASSIGN_OR_RETURN(webhook.delivery, CheckFalWebhook(request));
  ASSIGN_OR_RETURN(Json body, ParseJson(request.body, "the webhook", kAnswerLimits));
  webhook.remote_id = TextOf(body, "request_id");
  if (IsPathSegment(webhook.remote_id)) return webhook;
  return Error(Code::kInvalid, "The webhook names no request of fal's.");
}

}  // namespace mediagen::fal
