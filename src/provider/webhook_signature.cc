#include "provider/webhook_signature.h"

#include <openssl/evp.h>

#include <charconv>
#include <memory>
#include <optional>

#include "base/base64.h"
#include "base/hash.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kToleranceS = 300;
constexpr size_t kMaxSignatures = 16;

std::string_view HeaderOf(const WebhookRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return {};
}

Status Refused(std::string_view why) {
  return Error(Code::kUnauthorized, fmt::format("The webhook's signature was refused: {}.", why));
}

// A Unix time in digits that is near enough to now.
Status CheckTime(const WebhookRequest& request, std::string_view text) {
  int64_t time = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), time);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || time < 0)
    return Refused("its time is no number");
  if (time > request.now_s + kToleranceS || time < request.now_s - kToleranceS)
    return Refused("its time is more than 300 s off");
  return OkStatus();
}

std::string_view Bytes(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Cuts `text` at the first `separator`: what stands before it.
std::string_view Next(std::string_view* text, char separator) {
  const size_t end = text->find(separator);
  std::string_view piece = text->substr(0, end);
  *text = end == std::string_view::npos ? std::string_view() : text->substr(end + 1);
  return piece;
}

bool Ed25519Fits(std::string_view key, std::string_view message, std::string_view signature) {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, reinterpret_cast<const uint8_t*>(key.data()),
                                  key.size()),
      EVP_PKEY_free);
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!pkey || !context || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) != 1)
    return false;
  return EVP_DigestVerify(context.get(), reinterpret_cast<const uint8_t*>(signature.data()), signature.size(),
                          reinterpret_cast<const uint8_t*>(message.data()), message.size()) == 1;
}

}  // namespace

StatusOr<std::string> CheckStandardWebhook(const WebhookRequest& request) {
  const std::string_view id = HeaderOf(request, "webhook-id"), time = HeaderOf(request, "webhook-timestamp");
  if (request.authenticated) return std::string(id);
  std::string_view signatures = HeaderOf(request, "webhook-signature");
  if (id.empty() || signatures.empty()) return Refused("it has none");
  RETURN_IF_ERROR(CheckTime(request, time));
  const std::string message = fmt::format("{}.{}.{}", id, time, request.body);
  for (const std::string& key : request.keys) {
    std::string_view encoded = key;
    if (encoded.starts_with("whsec_")) encoded.remove_prefix(6);
    StatusOr<std::string> secret = Base64Decode(encoded);
    if (!secret.ok() || secret->empty()) continue;
    const std::string expected = Base64Encode(Bytes(HmacSha256(*secret, message)));
    std::string_view rest = signatures;
    for (size_t i = 0; i < kMaxSignatures && !rest.empty(); ++i) {
      std::string_view signature = Next(&rest, ' ');
      if (Next(&signature, ',') == "v1" && EqualsInConstantTime(signature, expected)) return std::string(id);
    }
  }
  return Refused("no key fits");
}

StatusOr<std::string> CheckOpenRouterWebhook(const WebhookRequest& request) {
  if (request.authenticated) return std::string(HeaderOf(request, "x-openrouter-idempotency-key"));
  std::string_view rest = HeaderOf(request, "x-openrouter-signature"), time, signature;
  if (rest.empty()) return Refused("it has none");
  for (size_t i = 0; i < kMaxSignatures && !rest.empty(); ++i) {
    std::string_view value = Next(&rest, ',');
    while (value.starts_with(' ')) value.remove_prefix(1);
    const std::string_view name = Next(&value, '=');
    if (name == "t") time = value;
    if (name == "v1") signature = value;
  }
  RETURN_IF_ERROR(CheckTime(request, time));
  const std::string message = fmt::format("{},{}", time, request.body);
  for (const std::string& key : request.keys) {
    if (key.empty() || !EqualsInConstantTime(signature, Hex(HmacSha256(key, message)))) continue;
    const std::string_view delivery = HeaderOf(request, "x-openrouter-idempotency-key");
    return std::string(delivery.empty() ? signature : delivery);
  }
  return Refused("no key fits");
}

StatusOr<std::string> CheckFalWebhook(const WebhookRequest& request) {
  const std::string_view id = HeaderOf(request, "x-fal-webhook-request-id");
  const std::string_view time = HeaderOf(request, "x-fal-webhook-timestamp");
  if (request.authenticated) return fmt::format("{} {}", id, time);
  const std::string signature = UnHex(HeaderOf(request, "x-fal-webhook-signature"));
  if (id.empty() || signature.empty()) return Refused("it has none");
  RETURN_IF_ERROR(CheckTime(request, time));
  const std::string message = fmt::format("{}\n{}\n{}\n{}", id, HeaderOf(request, "x-fal-webhook-user-id"),
                                          time, Hex(Sha256(request.body)));
  for (const std::string& key : request.keys) {
    StatusOr<std::string> raw = Base64UrlDecode(key);
    if (raw.ok() && Ed25519Fits(*raw, message, signature)) return fmt::format("{} {}", id, time);
  }
  return Refused("no key fits");
}

}  // namespace mediagen
