#include "provider/failure.h"

#include <doctest/doctest.h>

#include "support/wire.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::NotSent;

TEST_CASE("only an unsent request and nine complete answers are rejected for certain") {
  for (int status = 100; status < 600; ++status) {
    CAPTURE(status);
    const bool listed = status == 400 || status == 401 || status == 402 || status == 403 || status == 404 ||
                        status == 413 || status == 415 || status == 422 || status == 429;
    CHECK(RejectedForCertain(Answer(status, "")) == listed);
    CHECK_FALSE(RejectedForCertain(Broken(status, "")));
  }
  CHECK(RejectedForCertain(NotSent(Error(Code::kUnavailable, "refused"))));
}

TEST_CASE("hints when to come back, in all their spellings") {
  struct Row {
    HttpHeaders headers;
    const char* body;
    int64_t ms;
  };
  const Row rows[] = {
      {{{"retry-after", "2"}}, "", 2000},
      {{{"retry-after", "0"}}, "", 0},
      {{{"retry-after", "1.5"}}, "", 1500},
      {{{"retry-after-ms", "250"}, {"retry-after", "2"}}, "", 250},
      {{{"date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"}},
       "",
       30'000},
      {{{"date", "Sun, 06 Nov 1994 08:50:37 GMT"}, {"retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"}}, "", 0},
      {{{"retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"}}, "", -1},
      {{}, R"({"detail":"Request was throttled. Expected available in 1 second."})", 1000},
      {{}, R"({"detail":"Request was throttled. Your rate limit resets in ~30s."})", 30'000},
      {{}, R"({"error":"Please try again in 250ms"})", 250},
      {{}, R"({"error":"try again in 2 minutes."})", 120'000},
      {{{"retry-after", "999999999"}}, "", 3'600'000},
      {{{"retry-after", "1e3"}}, "", -1},
      {{{"retry-after", "-5"}}, "", -1},
      {{{"retry-after", "nan"}}, "", -1},
      {{{"retry-after", "soon"}}, "", -1},
      {{{"retry-after", ""}}, "available in many seconds", -1},
      {{}, "", -1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    CAPTURE(row.ms);
    CHECK(RetryAfterMs(Answer(429, row.body, row.headers)) == row.ms);
  }
}

TEST_CASE("the explanation is found wherever the provider put it") {
  for (const char* body : {R"({"detail":"why"})", R"({"title":"why","detail":""})", R"({"error":"why"})",
                           R"({"error":{"message":"why","code":1}})", R"({"message":"why"})", R"("why")",
                           "why", R"({"detail":[{"msg":"why"}]})"}) {
    CAPTURE(body);
    CHECK(FailureOf(Answer(400, body), "").message.find("why") != std::string::npos);
  }
  for (const char* body : {"", "<html>why</html>", "{}", "[]", R"({"detail":null})", R"({"detail":7})"}) {
    CAPTURE(body);
    CHECK(FailureOf(Answer(502, body), "").message == "The provider answered HTTP 502.");
  }
}

TEST_CASE("text from outside is made safe to show") {
  CHECK(SafeText("key abcd1234 twice abcd1234", "abcd1234") == "key [key] twice [key]");
  CHECK(SafeText("see http://h/p?sig=1) and https://h/q", "") == "see http://h/p?…) and https://h/q");
  CHECK(SafeText("bad data:image/png;base64,AAAA, and data: is missing", "").starts_with("bad data:…"));
  CHECK(SafeText("line\r\nbreak\x1b[31m", "") == "line  break [31m");
  CHECK(SafeText("\xff\xfe", "") == "??");
  CHECK(SafeText(std::string(1 << 20, 'a'), "").size() <= 404);
  CHECK(SafeText("", "secret").empty());
}

TEST_CASE("every class has its word and its code") {
  struct Row {
    ErrorClass error_class;
    const char* name;
    Code code;
  };
  for (const Row& row : {Row{ErrorClass::kAuth, "auth", Code::kProviderRejected},
                         Row{ErrorClass::kBilling, "billing", Code::kProviderRejected},
                         Row{ErrorClass::kInvalid, "invalid", Code::kProviderRejected},
                         Row{ErrorClass::kSafety, "safety", Code::kSafety},
                         Row{ErrorClass::kNotFound, "not_found", Code::kProviderRejected},
                         Row{ErrorClass::kRateLimited, "rate_limited", Code::kRateLimited},
                         Row{ErrorClass::kOverloaded, "overloaded", Code::kOverloaded},
                         Row{ErrorClass::kServer, "server", Code::kUnavailable},
                         Row{ErrorClass::kTimeout, "timeout", Code::kTimeout},
                         Row{ErrorClass::kUnknownOutcome, "unknown_outcome", Code::kUnknownOutcome},
                         Row{ErrorClass::kCanceled, "canceled", Code::kCanceled},
                         Row{ErrorClass::kExpired, "expired", Code::kProviderRejected}}) {
    CHECK(ErrorClassName(row.error_class) == row.name);
    CHECK(CodeOf(Failure{.error_class = row.error_class}) == row.code);
  }
}

}  // namespace
}  // namespace mediagen
