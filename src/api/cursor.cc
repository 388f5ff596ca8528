#include "api/cursor.h"

#include "base/base64.h"
#include "base/hash.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr std::string_view kVersion = "c1.";
constexpr size_t kMacBytes = 16;
constexpr size_t kBodyBytes = 8 + 16;  // created_ms big-endian, id

std::string Mac(std::string_view body, std::string_view binding, std::string_view secret) {
  // Length-prefixed, so that body and binding cannot be shifted against each other.
  Sha256Digest digest = HmacSha256(secret, fmt::format("cursor\n{}\n{}\n{}", body.size(), body, binding));
  return std::string(reinterpret_cast<const char*>(digest.data()), kMacBytes);
}

}  // namespace

std::string EncodeCursor(const PageKey& key, std::string_view binding, std::string_view secret) {
  std::string body;
  for (int shift = 56; shift >= 0; shift -= 8)
    body.push_back(static_cast<char>(static_cast<uint64_t>(key.created_ms) >> shift));
  body += key.id.blob();
  return fmt::format("{}{}.{}", kVersion, Base64UrlEncode(body), Base64UrlEncode(Mac(body, binding, secret)));
}

StatusOr<PageKey> DecodeCursor(std::string_view cursor, std::string_view binding, std::string_view secret) {
  Status bad =
      Error(Code::kInvalid, "The cursor does not belong to this list.",
            {.hint = "Use nextCursor as it was given, with the same filters; or start again without one.",
             .object = "cursor"});
  if (cursor.size() > 256 || cursor.substr(0, kVersion.size()) != kVersion) return bad;
  cursor.remove_prefix(kVersion.size());
  size_t dot = cursor.find('.');
  if (dot == std::string_view::npos) return bad;
  auto body = Base64UrlDecode(cursor.substr(0, dot));
  auto mac = Base64UrlDecode(cursor.substr(dot + 1));
  if (!body.ok() || !mac.ok() || body->size() != kBodyBytes) return bad;
  if (!EqualsInConstantTime(*mac, Mac(*body, binding, secret))) return bad;
  PageKey key;
  uint64_t created = 0;
  for (size_t i = 0; i < 8; ++i) created = created << 8 | static_cast<unsigned char>((*body)[i]);
  key.created_ms = static_cast<int64_t>(created);
  key.id = Id::FromBlob(std::string_view(*body).substr(8));
  return key;
}

}  // namespace mediagen
