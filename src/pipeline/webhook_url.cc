#include "pipeline/webhook_url.h"

#include "base/base64.h"
#include "base/hash.h"
#include "fmt/format.h"
#include "net/http_client.h"

namespace mediagen {
namespace {

constexpr size_t kMacBytes = 24;  // 192 of HMAC-SHA256's 256 bits: 32 characters

// The length in front keeps a provider's name from running into the id.
std::string MacOf(std::string_view secret, std::string_view provider, const Id& attempt) {
  const Sha256Digest digest = HmacSha256(
      secret, fmt::format("mediagen-webhook-v1\n{}:{}\n{}", provider.size(), provider, attempt.text()));
  return Base64UrlEncode({reinterpret_cast<const char*>(digest.data()), kMacBytes});
}

}  // namespace

std::string WebhookUrlOf(std::string_view base, std::string_view secret, std::string_view provider,
                         const Id& attempt) {
  return fmt::format("{}/v1/webhooks/{}/{}?s={}", base, PercentEncode(provider), attempt.text(),
                     MacOf(secret, provider, attempt));
}

bool IsWebhookMac(std::span<const std::string> secrets, std::string_view provider, const Id& attempt,
                  std::string_view mac) {
  bool fits = false;
  for (const std::string& secret : secrets)
    fits = EqualsInConstantTime(MacOf(secret, provider, attempt), mac) || fits;
  return fits;
}

}  // namespace mediagen
