// The three ways in which providers sign their webhooks. All sign the raw body and a time.
//
// Thread-safe: pure functions over hostile input. Each answers the id of the delivery, by which a repetition
// is known; or kUnauthorized when no signature fits any of the keys, or the time is more than 300 s off
// `now_s`. A request that is `authenticated` already is not looked at.
#pragma once

#include <string>
#include <string_view>

#include "provider/provider.h"

namespace mediagen {

// Standard Webhooks (Replicate, OpenAI, Gemini's static ones): HMAC-SHA256 over "id.timestamp.body", keys
// "whsec_<base64>", signatures "v1,<base64>" separated by spaces.
StatusOr<std::string> CheckStandardWebhook(const WebhookRequest& request);

// OpenRouter: HMAC-SHA256 over "timestamp,body", hex, the key as it is; X-OpenRouter-Signature: t=…,v1=….
StatusOr<std::string> CheckOpenRouterWebhook(const WebhookRequest& request);

// fal: Ed25519 over "request id \n user id \n timestamp \n hex(SHA-256(body))", hex; keys are the base64url
// "x" of its JWK set.
StatusOr<std::string> CheckFalWebhook(const WebhookRequest& request);

}  // namespace mediagen
