// What comes from outside before a route sees it: targets, header blocks, queries, cursors, principals.
#include <doctest/doctest.h>

#include "api/cursor.h"
#include "api/query.h"
#include "api/router.h"

using namespace mediagen;

TEST_CASE("hostile header blocks are refused with their reason") {
  struct Row {
    const char* why;
    std::string block;
    bool good;
  };
  const Row rows[] = {{"empty", "", true},
                      {"two fields", "Accept: a\r\nRange: bytes=0-1\r\n", true},
                      {"bare newlines", "Accept: a\nRange: b\n", true},
                      {"a folded line", "Accept: a\r\n b\r\n", false},
                      {"no colon", "Accept\r\n", false},
                      {"a space before the colon", "Accept : a\r\n", false},
                      {"a NUL in a value", std::string("Accept: a\0b\r\n", 13), false},
                      {"a bare CR in a value", "Accept: a\rb\r\n", false},
                      {"an empty name", ": a\r\n", false},
                      {"obs-text is allowed in values", "X: \xe9\r\n", true},
                      {"too many",
                       [] {
                         std::string s;
                         for (int i = 0; i < 101; ++i) s += "A: b\r\n";  // of one name, too
                         return s;
                       }(),
                       false},
                      {"too large", "A: " + std::string(65 << 10, 'x') + "\r\n", false}};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    CHECK(ParseHeaderBlock(row.block).ok() == row.good);
  }
  auto parsed = ParseHeaderBlock("ETag:  \"a\"  \r\n");
  REQUIRE(parsed.ok());
  CHECK((*parsed)[0] == std::pair<std::string, std::string>("etag", "\"a\""));
}

TEST_CASE("lines of one name are one value, in their order (RFC 9110 §5.3)") {
  auto parsed = ParseHeaderBlock("Accept: a\r\nRange: x\r\nACCEPT: b, c\r\naccept:\r\n");
  REQUIRE(parsed.ok());
  CHECK(*parsed == HeaderList{{"accept", "a, b, c, "}, {"range", "x"}});
  ApiRequest request;
  request.headers = *parsed;
  CHECK(*request.Find("range") == "x");
  CHECK(request.Find("host") == nullptr);
  CHECK(request.Header("host") == "");
}

TEST_CASE("a target is split from its mount, and a malformed one is refused") {
  auto good = ParseRequest("GET", "/api/v1/x?a=b#c", "", "", "/api");
  REQUIRE(good.ok());
  CHECK(good->path == "/v1/x");
  CHECK(good->query == "a=b");
  CHECK(good->principal.host);
  for (const char* target : {"", "v1", "/v1 x", "/v1\n", "/v1/\xc3\xa9", "http://h/v1"}) {
    CAPTURE(target);
    CHECK_FALSE(ParseRequest("GET", target, "", "", "").ok());
  }
  CHECK_FALSE(ParseRequest("get", "/v1", "", "", "").ok());
  CHECK_FALSE(ParseRequest("GET", "/v1", "", "", "/api").ok());
  CHECK_FALSE(ParseRequest("GET", "/" + std::string(9000, 'a'), "", "", "").ok());
}

TEST_CASE("a query refuses bad escapes, doubles and what nobody asked for") {
  auto query = TargetQuery::Parse("a=1&b=x%20y+z&c=");
  REQUIRE(query.ok());
  CHECK(*query->Text("b") == "x y z");
  CHECK(*query->Int("a", 0, 1, 9) == 1);
  CHECK_FALSE(query->Finish().ok());
  CHECK(*query->Text("c") == "");
  CHECK(query->Finish().ok());
  CHECK_FALSE(query->Int("b", 0, 1, 9).ok());
  CHECK_FALSE(TargetQuery::Parse("a=%4").ok());
  CHECK_FALSE(TargetQuery::Parse("a=%zz").ok());
  CHECK_FALSE(TargetQuery::Parse("a=%ff").ok());
  CHECK_FALSE(TargetQuery::Parse("a=%00").ok());
  CHECK_FALSE(TargetQuery::Parse("a=1&a=2").ok());
  std::string many;
  for (int i = 0; i < 64; ++i) many += std::to_string(i) + "=&";
  CHECK(TargetQuery::Parse(many).ok());
  CHECK_FALSE(TargetQuery::Parse(many + "a").ok());
}

TEST_CASE("a cursor is good for its own listing and secret, and for nothing else") {
  PageKey key{1767225600123, *Id::Parse("01932c5e-7d3a-7000-8000-000000000001")};
  const std::string cursor = EncodeCursor(key, "u1", "secret");
  auto back = DecodeCursor(cursor, "u1", "secret");
  REQUIRE(back.ok());
  CHECK(back->created_ms == key.created_ms);
  CHECK(back->id == key.id);
  CHECK_FALSE(DecodeCursor(cursor, "u2", "secret").ok());
  CHECK_FALSE(DecodeCursor(cursor, "u1", "other").ok());
  for (size_t i = 0; i < cursor.size(); ++i) {
    std::string changed = cursor;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed == cursor) continue;
    CAPTURE(i);
    auto decoded = DecodeCursor(changed, "u1", "secret");
    // The last character of a base64url group may carry unused bits; what it decodes to must then be the same
    // key.
    if (decoded.ok()) CHECK(decoded->id == key.id);
    CHECK_FALSE(DecodeCursor(cursor.substr(0, i), "u1", "secret").ok());
  }
}

TEST_CASE("a principal is the host, a user, or refused") {
  CHECK(ParsePrincipal("")->host);
  CHECK(ParsePrincipal("null")->host);
  auto user = ParsePrincipal(R"({"user": "u1", "roles": ["admin"], "ip": "203.0.113.9"})");
  REQUIRE(user.ok());
  CHECK_FALSE(user->host);
  CHECK(user->roles[0] == "admin");
  CHECK_FALSE(ParsePrincipal(R"({"usr": "u1"})").ok());
  CHECK_FALSE(ParsePrincipal(R"({"user": "u1", "auth": "magic"})").ok());
  CHECK_FALSE(ParsePrincipal("[]").ok());
}
