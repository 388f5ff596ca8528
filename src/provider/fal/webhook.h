// fal's webhooks: the keys that they are signed with, and which request one is about.
//
// Thread-safe: pure functions over hostile input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "provider/provider.h"

namespace mediagen::fal {

// The Ed25519 keys of a JWK set, as their base64url "x", at most 16. kUnavailable when there is none.
StatusOr<std::vector<std::string>> ReadWebhookKeys(std::string_view key_set);

// kUnauthorized for a bad signature, kInvalid for a body that names no request.
StatusOr<Webhook> ReadWebhook(const WebhookRequest& request);

}  // namespace mediagen::fal
