#include <doctest/doctest.h>

#include "net/http_client.h"
#include "net/redirect.h"

namespace mediagen {
namespace {

TEST_CASE("a URL is split into parts, and its origin names scheme, host and port") {
  struct Row {
    const char *text, *origin, *path;
  };
  const Row rows[] = {
      {"https://api.replicate.com/v1", "https://api.replicate.com:443", "/v1"},
      {"HTTP://Example.COM", "http://example.com:80", "/"},
      {"http://h:8080?x=1", "http://h:8080", "/?x=1"},
      {"http://h:", "http://h:80", "/"},
      {"https://h/a%20b?c=%2F#fragment", "https://h:443", "/a%20b?c=%2F"},
      {"https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443", "/x"},
      {"http://[::1]", "http://[::1]:80", "/"},
      {"http://0x7f.1/", "http://0x7f.1:80", "/"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    StatusOr<Url> url = ParseUrl(row.text);
    REQUIRE(url.ok());
    CHECK(url->origin() == row.origin);
    CHECK(url->path_and_query == row.path);
  }
}

TEST_CASE("whatever two parsers could read differently is no URL") {
  for (std::string_view text : {"",
                                "/v1",
                                "example.com",
                                "//example.com/",
                                "ftp://h/",
                                "file:///etc/passwd",
                                "https://",
                                "https:///x",
                                "https://user@h/",
                                "https://user:pw@h/",
                                "https://h:0/",
                                "https://h:65536/",
                                "https://h:80a/",
                                "https://h:-1/",
                                "https://a b/",
                                "https://h/a b",
                                "https://h\\@evil/",
                                "https://h/\r\nX: 1",
                                "https://h/%",
                                "https://h/%2",
                                "https://h/%zz",
                                "https://[::1",
                                "https://[]/",
                                "https://[::1%25eth0]/",
                                "https://.h/",
                                "https://h,i/",
                                "https://h/\xc3\xa9",
                                "https://\xc3\xa9/",
                                "https://h/\x7f"}) {
    CAPTURE(text);
    CHECK(CodeOf(ParseUrl(text).status()) == Code::kInvalid);
  }
  CHECK(CodeOf(ParseUrl("https://h/" + std::string(9000, 'a')).status()) == Code::kInvalid);
  CHECK(CodeOf(ParseUrl(std::string_view("https://h/\0x", 12)).status()) == Code::kInvalid);
}

TEST_CASE("an error about a URL shows neither its query nor its password") {
  for (const char* text :
       {"https://h:bad/p?signature=s3cret", "https://u:s3cret@h/", "https://h:bad/#s3cret"}) {
    const Status status = ParseUrl(text).status();
    CHECK(CodeOf(status) == Code::kInvalid);
    CHECK(InfoOf(status).message.find("s3cret") == std::string::npos);
  }
}

TEST_CASE("a Location is resolved against where it was found") {
  const Url base = ParseUrl("https://h/a/b?q=1").value();
  struct Row {
    const char *location, *result;
  };
  const Row rows[] = {
      {"http://other:81/x", "http://other:81/x"},
      {"//other/x", "https://other/x"},
      {"/x?y", "https://h/x?y"},
      {"c", "https://h/a/c"},
      {"?z", "https://h/a/b?z"},
      {"", "https://h/a/b?q=1"},
      {"#top", "https://h/a/b?q=1"},
      {"  /x  ", "https://h/x"},
      {"/caf\xc3\xa9 1", "https://h/caf%C3%A9%201"},
      {"c/d:e", "https://h/a/c/d:e"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.location);
    StatusOr<Url> url = ResolveLocation(base, row.location);
    REQUIRE(url.ok());
    CHECK(UrlText(*url) == row.result);
  }
  for (const char* bad :
       {"ftp://h/", "javascript:alert(1)", "file:///etc/passwd", "https://u:p@h/", "/%zz"}) {
    CAPTURE(bad);
    CHECK_FALSE(ResolveLocation(base, bad).ok());
  }
}

TEST_CASE("only harmless headers go to another origin") {
  const HttpHeaders kept = WithoutCredentials({{"Authorization", "x"},
                                               {"X-Goog-Api-Key", "x"},
                                               {"Cookie", "x"},
                                               {"Accept", "image/*"},
                                               {"RANGE", "bytes=0-"}});
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].first == "Accept");
  CHECK(kept[1].first == "RANGE");
}

TEST_CASE("all but unreserved characters are percent-encoded") {
  CHECK(PercentEncode("aZ09-._~") == "aZ09-._~");
  CHECK(PercentEncode("a/b c?\xc3\xa9+") == "a%2Fb%20c%3F%C3%A9%2B");
}

}  // namespace
}  // namespace mediagen
