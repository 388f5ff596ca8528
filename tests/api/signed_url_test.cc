#include "api/signed_url.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

using namespace mediagen;

namespace {

const std::vector<std::string> kSecrets = {"a secret of this engine"};
constexpr int64_t kNow = 1'763'640'000'123;
constexpr std::string_view kPath = "/v1/images/0198/image";

std::string Signed(std::string_view method, std::string_view path, std::string_view query,
                   std::string_view secret = kSecrets[0]) {
  auto url = SignUrl(secret, method, path, query, *SignedUrlExpiry(kNow, 60'000));
  REQUIRE(url.ok());
  return *url;
}

StatusOr<int64_t> Verify(std::string_view method, const std::string& url, int64_t now_ms = kNow,
                         const std::vector<std::string>& secrets = kSecrets) {
  const size_t question = url.find('?');
  auto query = TargetQuery::Parse(question == std::string::npos ? "" : url.substr(question + 1));
  REQUIRE(query.ok());
  return VerifySignedUrl(secrets, method, url.substr(0, question), &*query, now_ms);
}

}  // namespace

TEST_CASE("a signed URL holds until its expiry, which is rounded up to the hour") {
  const std::string url = Signed("GET", kPath, "w=300&h=300");
  auto until = Verify("GET", url);
  REQUIRE(until.ok());
  CHECK(*until % kSignedUrlStepMs == 0);
  CHECK(*until >= kNow + 60'000);
  CHECK(*until < kNow + 60'000 + kSignedUrlStepMs);
  CHECK(Verify("GET", url, *until - 1).ok());
  CHECK(CodeOf(Verify("GET", url, *until).status()) == Code::kForbidden);
  // Two lists within an hour name one URL.
  CHECK(*SignedUrlExpiry(kNow, 60'000) == *SignedUrlExpiry(kNow + 5'000, 60'000));
}

TEST_CASE("HEAD is allowed where GET is, nothing else") {
  const std::string url = Signed("GET", kPath, "");
  CHECK(Verify("HEAD", url).ok());
  CHECK_FALSE(Verify("PUT", url).ok());
  CHECK_FALSE(Verify("DELETE", url).ok());
}

TEST_CASE("the order and the spelling of the parameters mean nothing, their values everything") {
  const std::string url = Signed("GET", kPath, "w=300&fit=cover");
  const std::string tail = url.substr(url.find("&expires"));
  auto with = [&](std::string_view query) {
    return Verify("GET", std::string(kPath) + "?" + std::string(query) + tail);
  };
  CHECK(with("w=300&fit=cover").ok());
  CHECK(with("fit=cover&w=300").ok());
  CHECK(with("fit=%63over&w=300").ok());
  for (const char* other : {"w=301&fit=cover", "w=300", "w=300&fit=cover&v=1", "w=300f&it=cover",
                            "w=300&fit=", "w=300&fit=cover&", "W=300&fit=cover"}) {
    CAPTURE(other);
    const bool same = std::string_view(other) == "w=300&fit=cover&";  // an empty pair is no parameter
    CHECK(with(other).ok() == same);
  }
}

TEST_CASE("lengths keep parameters apart that would run into each other") {
  const std::string one = Signed("GET", "/v1/a", "a=b%0A1:c"), other = Signed("GET", "/v1/a", "a=b&c=");
  CHECK(one.substr(one.find("signature")) != other.substr(other.find("signature")));
}

TEST_CASE("another path, another expiry and half of the parameters are refused") {
  std::string url = Signed("GET", kPath, "w=300");
  CHECK_FALSE(Verify("GET", "/v1/images/0199/image" + url.substr(kPath.size())).ok());
  std::string later = url;
  const size_t digits = later.find("expires=") + 8;
  later[digits] = '2';
  CHECK_FALSE(Verify("GET", later).ok());
  CHECK_FALSE(Verify("GET", std::string(kPath) + "?w=300&expires=1893456000").ok());
  CHECK_FALSE(Verify("GET", std::string(kPath) + "?w=300&signature=abc").ok());
  for (const char* expires :
       {"", "-1", "+1893456000", "01893456000", "99999999999999999999", "1893456000.0"}) {
    CAPTURE(expires);
    auto refused = Verify("GET", std::string(kPath) + "?expires=" + expires + "&signature=abc");
    CHECK(CodeOf(refused.status()) == Code::kForbidden);
  }
}

TEST_CASE("what is not signed is no error, and says so") {
  auto until = Verify("GET", std::string(kPath) + "?w=300");
  REQUIRE(until.ok());
  CHECK(*until == 0);
}

TEST_CASE("two keys hold at once while one replaces the other") {
  const std::string url = Signed("GET", kPath, "", "the key before");
  CHECK(Verify("GET", url, kNow, {"the key of today", "the key before"}).ok());
  CHECK_FALSE(Verify("GET", url, kNow, {"the key of today"}).ok());
}

TEST_CASE("a URL with a parameter of the signature, and an endless life, can't be signed") {
  CHECK(CodeOf(SignUrl("s", "GET", kPath, "expires=1", kNow).status()) == Code::kInvalid);
  CHECK(CodeOf(SignUrl("s", "GET", kPath, "w=1&w=2", kNow).status()) == Code::kInvalid);
  CHECK_FALSE(SignedUrlExpiry(kNow, 0).ok());
  CHECK_FALSE(SignedUrlExpiry(kNow, kLongestSignedUrlMs + 1).ok());
}
