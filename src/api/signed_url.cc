#include "api/signed_url.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "base/hash.h"
#include "fmt/format.h"
#include "net/http_client.h"

namespace mediagen {
namespace {

constexpr size_t kMacBytes = 24;  // 192 of HMAC-SHA256's 256 bits: 32 characters
constexpr std::string_view kExpires = "expires", kSignature = "signature";

// A length in front of every text: no two requests have one form.
void Add(std::string_view text, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "{}:{}\n", text.size(), text);
}

std::string MacOf(std::string_view secret, std::string_view method, std::string_view path,
                  TargetQuery::Pairs pairs, int64_t expires_s) {
  std::sort(pairs.begin(), pairs.end());
  std::string signed_text = "mediagen-url-v1\n";
  Add(method == "HEAD" ? "GET" : method, &signed_text);
  Add(path, &signed_text);
  fmt::format_to(std::back_inserter(signed_text), "{}\n", expires_s);
  for (const auto& [name, value] : pairs) {
    Add(name, &signed_text);
    Add(value, &signed_text);
  }
  const Sha256Digest digest = HmacSha256(secret, signed_text);
  return Base64UrlEncode({reinterpret_cast<const char*>(digest.data()), kMacBytes});
}

Status Refused(std::string_view why) {
  return Error(Code::kForbidden, fmt::format("This signed URL {}.", why),
               {.hint = "Ask whoever gave it to you for a new one; a signed URL can't be changed by hand."});
}

}  // namespace

StatusOr<int64_t> SignedUrlExpiry(int64_t now_ms, int64_t ttl_ms) {
  if (ttl_ms < 1 || ttl_ms > kLongestSignedUrlMs) {
    return Error(Code::kInvalid, fmt::format("A signed URL may live from 1 ms to {} days.",
                                             kLongestSignedUrlMs / 86'400'000));
  }
  return (now_ms + ttl_ms + kSignedUrlStepMs - 1) / kSignedUrlStepMs * kSignedUrlStepMs;
}

StatusOr<std::string> SignUrl(std::string_view secret, std::string_view method, std::string_view path,
                              std::string_view query, int64_t expires_ms) {
  ASSIGN_OR_RETURN(TargetQuery parsed, TargetQuery::Parse(query));
  const TargetQuery::Pairs& pairs = parsed.pairs();
  std::string url(path);
  char separator = '?';
  for (const auto& [name, value] : pairs) {
    if (name == kExpires || name == kSignature) {
      return Error(Code::kInvalid, fmt::format("The parameter \"{}\" belongs to the signature.", name),
                   {.hint = "Sign the URL without it."});
    }
    fmt::format_to(std::back_inserter(url), "{}{}={}", separator, PercentEncode(name), PercentEncode(value));
    separator = '&';
  }
  const int64_t expires_s = expires_ms / 1000;
  fmt::format_to(std::back_inserter(url), "{}{}={}&{}={}", separator, kExpires, expires_s, kSignature,
                 MacOf(secret, method, path, pairs, expires_s));
  return url;
}

StatusOr<int64_t> VerifySignedUrl(std::span<const std::string> secrets, std::string_view method,
                                  std::string_view path, TargetQuery* query, int64_t now_ms) {
  auto expires = query->Take(kExpires), signature = query->Take(kSignature);
  if (!expires && !signature) return 0;
  if (!expires || !signature) return Refused(expires ? "has no signature" : "has no expiry");
  int64_t expires_s = 0;
  auto [end, error] = std::from_chars(expires->data(), expires->data() + expires->size(), expires_s);
  // Only the form that SignUrl writes: "+5" or "05" would be a second name of the same moment.
  if (error != std::errc() || end != expires->data() + expires->size() || expires_s < 1 ||
      expires_s > INT64_MAX / 1000 || std::to_string(expires_s) != *expires) {
    return Refused("has an expiry that is no time");
  }
  bool fits = false;
  for (const std::string& secret : secrets)
    fits = EqualsInConstantTime(MacOf(secret, method, path, query->pairs(), expires_s), *signature) || fits;
  if (!fits) return Refused("was changed, or signed with a key that is no longer in use");
  if (now_ms >= expires_s * 1000) return Refused("has expired");
  return expires_s * 1000;
}

}  // namespace mediagen
