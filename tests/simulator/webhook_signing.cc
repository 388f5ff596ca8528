// How each provider signs: written apart from the library's own reading, so that the two check each other.
#include <openssl/evp.h>

#include <memory>

#include "base/base64.h"
#include "base/hash.h"
#include "fmt/format.h"
#include "simulator/webhooks.h"
#include "simulator/wires.h"

namespace mediagen::simulator {
namespace {

std::string Bytes(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// By the key whose seed is the bytes 0 to 31: FalKeys publishes its other half.
std::string Ed25519(const std::string& message) {
  uint8_t seed[32], signature[64];
  for (size_t i = 0; i < sizeof seed; ++i) seed[i] = static_cast<uint8_t>(i);
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed, sizeof seed), EVP_PKEY_free);
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  size_t size = sizeof signature;
  if (!key || !context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), signature, &size, reinterpret_cast<const uint8_t*>(message.data()),
                     message.size()) != 1)
    return "";
  return {reinterpret_cast<const char*>(signature), size};
}

}  // namespace

HttpHeaders SignWebhook(const std::string& provider, const std::string& id, const std::string& body,
                        int64_t now_s, bool bad) {
  const std::string time = fmt::format("{}", now_s);
  const std::string signed_body = bad ? body + " " : body;
  if (provider == "fal") {
    const std::string message = fmt::format("{}\n{}\n{}\n{}", id, "user-1", time, Hex(Sha256(signed_body)));
    return {{"X-Fal-Webhook-Request-Id", id},
            {"X-Fal-Webhook-User-Id", "user-1"},
            {"X-Fal-Webhook-Timestamp", time},
            {"X-Fal-Webhook-Signature", Hex(Ed25519(message))}};
  }
  if (provider == "openrouter") {
    const std::string mac =
        Hex(HmacSha256(kOpenRouterWebhookSecret, fmt::format("{},{}", time, signed_body)));
    return {{"X-OpenRouter-Signature", fmt::format("t={},v1={}", time, mac)},
            {"X-OpenRouter-Idempotency-Key", "delivery-" + id}};
  }
  const std::string secret = *Base64Decode(std::string_view(kStandardWebhookSecret).substr(6));
  const std::string delivery = "msg_" + id;
  const std::string mac =
      Base64Encode(Bytes(HmacSha256(secret, fmt::format("{}.{}.{}", delivery, time, signed_body))));
  return {{"webhook-id", delivery}, {"webhook-timestamp", time}, {"webhook-signature", "v1," + mac}};
}

}  // namespace mediagen::simulator
