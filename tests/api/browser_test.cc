// Pages of other origins: forged requests by cookie, and the CORS protocol.
#include "api/browser.h"

#include <doctest/doctest.h>

#include "api/exchange.h"

using namespace mediagen;
using mediagen::testing::HeaderOf;
using mediagen::testing::RequestOf;

namespace {

constexpr char kOurs[] = "Host: media.example\n";

}  // namespace

TEST_CASE("an unsafe request by cookie must come from a page of ours") {
  struct Row {
    std::string_view why;
    std::string headers;
    bool ours;
  };
  const Row rows[] = {
      {"our own page says so", "Sec-Fetch-Site: same-origin", true},
      {"another site's says so, too", "Sec-Fetch-Site: cross-site\nOrigin: https://evil.example", false},
      {"a sister's page is another one", "Sec-Fetch-Site: same-site\nOrigin: https://blog.media.example",
       false},
      {"no page at all is none of ours", "Sec-Fetch-Site: none", false},
      {"nothing is said", "", false},
      {"an allowed origin", "Sec-Fetch-Site: cross-site\nOrigin: https://app.example", true},
      {"in an old browser, too", "Origin: https://app.example", true},
      {"one that only begins like it", "Origin: https://app.example.evil", false},
      {"the same host by another scheme", "Origin: http://app.example", false},
      {"the opaque origin", "Origin: null", false},
      {"an old browser names our host", "Origin: https://media.example", true},
      {"with the scheme's port spelled out in Host", "Origin: https://media.example\nHost: media.example:443",
       true},
      {"another port is another origin", "Origin: https://media.example:8443", false},
      {"a new browser's word goes before the host's name",
       "Sec-Fetch-Site: cross-site\nOrigin: https://media.example", false},
      {"twice said is not said", "Sec-Fetch-Site: same-origin\nSec-Fetch-Site: same-origin", false},
      {"no host to compare with", "Origin: https://\nHost:", false},
  };
  const OriginRules rules{.allowed = {"https://app.example"}, .cors = {"https://reader.example"}};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const bool has_host = row.headers.find("Host:") != std::string::npos;
    ApiRequest request = RequestOf("POST", (has_host ? "" : kOurs) + row.headers);
    request.principal.auth = "cookie";
    CHECK(FromOurPages(request, rules) == row.ours);
    request.principal.auth = "token";  // which no browser sends by itself
    CHECK(FromOurPages(request, rules));
  }
}

TEST_CASE("who may read by CORS may not for that send by cookie") {
  ApiRequest request = RequestOf("POST", "Origin: https://reader.example\nSec-Fetch-Site: cross-site");
  request.principal.auth = "cookie";
  CHECK_FALSE(FromOurPages(request, {.allowed = {}, .cors = {"https://reader.example"}}));
}

TEST_CASE("CORS is off until origins are named") {
  Response response;
  AddCors(RequestOf("GET", "Origin: https://app.example"), {.allowed = {"https://app.example"}, .cors = {}},
          &response);
  CHECK(response.headers.empty());
}

TEST_CASE("an origin that is named may read") {
  struct Row {
    std::string_view why, origin, allow, credentials, vary;
    std::vector<std::string> cors;
  };
  const Row rows[] = {
      {"a named one",
       "https://a.example",
       "https://a.example",
       "-",
       "Accept, Origin",
       {"https://b.example", "https://a.example"}},
      {"one that may send by cookie may read by cookie",
       "https://app.example",
       "https://app.example",
       "true",
       "Accept, Origin",
       {"https://app.example"}},
      {"another", "https://evil.example", "-", "-", "Accept, Origin", {"https://a.example"}},
      {"the opaque origin", "null", "-", "-", "Accept, Origin", {"https://a.example"}},
      {"none: the answer depends on it all the same", "", "-", "-", "Accept, Origin", {"https://a.example"}},
      {"every one, without credentials", "https://app.example", "*", "-", "Accept", {"*"}},
      {"every one, and one that has them",
       "https://app.example",
       "https://app.example",
       "true",
       "Accept, Origin",
       {"*", "https://app.example"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    Response response{.headers = {{"Vary", "Accept"}}};
    const std::string headers = row.origin.empty() ? "" : "Origin: " + std::string(row.origin);
    AddCors(RequestOf("GET", headers), {.allowed = {"https://app.example"}, .cors = row.cors}, &response);
    CHECK(HeaderOf(response, "Access-Control-Allow-Origin") == row.allow);
    CHECK(HeaderOf(response, "Access-Control-Allow-Credentials") == row.credentials);
    CHECK(HeaderOf(response, "Vary") == row.vary);
    CHECK((HeaderOf(response, "Access-Control-Expose-Headers").find("ETag") != std::string::npos) ==
          (row.allow != "-"));
  }
}

TEST_CASE("OPTIONS names the methods, and answers a preflight of who may read") {
  const OriginRules rules{.allowed = {}, .cors = {"https://a.example"}};
  const std::vector<std::string_view> methods = {"GET", "HEAD", "OPTIONS"};
  const std::string preflight =
      "Access-Control-Request-Method: GET\nAccess-Control-Request-Headers: authorization,range\n";
  auto ask = [&](const std::string& headers, const OriginRules& by) {
    return OptionsResponse(RequestOf("OPTIONS", headers), by, methods);
  };
  const Response plain = ask("", {});
  CHECK(plain.status == 204);
  CHECK(HeaderOf(plain, "Allow") == "GET, HEAD, OPTIONS");
  CHECK(HeaderOf(plain, "Vary") == "-");

  const Response good = ask(preflight + "Origin: https://a.example", rules);
  CHECK(good.status == 204);
  CHECK(HeaderOf(good, "Access-Control-Allow-Methods") == "GET, HEAD, OPTIONS");
  CHECK(HeaderOf(good, "Access-Control-Allow-Headers") == "authorization,range");
  CHECK(HeaderOf(good, "Access-Control-Max-Age") == "7200");
  CHECK(HeaderOf(good, "Vary") == "Access-Control-Request-Method, Access-Control-Request-Headers");

  const std::string strangers[] = {preflight + "Origin: https://evil.example", preflight,
                                   "Origin: https://a.example"};
  for (const std::string& headers : strangers) {
    CAPTURE(headers);
    CHECK(HeaderOf(ask(headers, rules), "Access-Control-Allow-Methods") == "-");
  }
  const std::string odd =
      "Access-Control-Request-Method: GET\nAccess-Control-Request-Headers: x;y\nOrigin: https://a.example";
  CHECK(HeaderOf(ask(odd, rules), "Access-Control-Allow-Headers") == "-");
}

TEST_CASE("an origin is what browsers send") {
  for (std::string_view text :
       {"https://a.example", "http://localhost:3000", "http://127.0.0.1:1", "https://[2001:db8::1]",
        "https://[2001:db8::1]:8443", "http://a.example:443", "https://xn--bcher-kva.example"}) {
    CAPTURE(text);
    CHECK(IsOrigin(text));
  }
  for (std::string_view text :
       {"", "null", "*", "a.example", "https://", "https://a.example/", "https://a.example/x",
        "https://A.example", "HTTPS://a.example", "https://a.example:443", "http://a.example:80",
        "https://a.example:", "https://a.example:x", "https://a.example:08443", "https://u@a.example",
        "ftp://a.example", "https://a.example, https://b.example"}) {
    CAPTURE(text);
    CHECK_FALSE(IsOrigin(text));
  }
}
