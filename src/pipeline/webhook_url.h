// The URL that a provider is told at: it names the attempt, and carries a MAC that only this engine can make.
// Where a provider signs nothing, or no key is known, the MAC is what proves who was given the URL.
//
// Thread-safe: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/id.h"

namespace mediagen {

// "{base}/v1/webhooks/{provider}/{attempt}?s={mac}". The URL is a secret: it is never logged.
std::string WebhookUrlOf(std::string_view base, std::string_view secret, std::string_view provider,
                         const Id& attempt);

// Whether `mac` is the one of that URL under any of the secrets; in constant time for each.
bool IsWebhookMac(std::span<const std::string> secrets, std::string_view provider, const Id& attempt,
                  std::string_view mac);

}  // namespace mediagen
