// Where a Redis is, as a configuration says it.
#include "fmt/format.h"
#include "fuzz/input.h"
#include "redis/url.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  const std::string text(fuzz::Text(data, size));
  // The same with a password that can be told from all else.
  const std::string secret = "q9zXsecretXz9q";
  for (const std::string& url :
       {text, fmt::format("redis://:{}@{}", secret, text), fmt::format("unix://u:{}@{}", secret, text)}) {
    const auto parsed = ParseRedisUrl(url);
    const bool hides = url != text && text.find(secret) == std::string::npos;
    if (!parsed.ok()) {
      if (hides)
        fuzz::Require(parsed.status().ToString().find(secret) == std::string::npos, "an error keeps secrets");
      continue;
    }
    fuzz::Require(parsed->port > 0 && parsed->port < 65'536, "a port");
    fuzz::Require(parsed->host.empty() != parsed->path.empty(), "a host or a socket");
    if (hides && parsed->password == secret)
      fuzz::Require(parsed->Where().find(secret) == std::string::npos, "a message keeps secrets");
  }
  return 0;
}
