#include <openssl/sha.h>

#include "base/hash.h"
#include "redis/client.h"

namespace mediagen {

RedisScript::RedisScript(std::string text) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string sha1 = Hex(std::string_view(reinterpret_cast<const char*>(digest), sizeof digest));
  known_ = std::make_shared<const std::pair<std::string, std::string>>(std::move(text), std::move(sha1));
}

}  // namespace mediagen
