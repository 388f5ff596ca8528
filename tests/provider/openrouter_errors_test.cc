// OpenRouter's errors: classes, hints, and what is said of them.
#include <doctest/doctest.h>

#include "provider/openrouter_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::JobOf;
using testing::NewOpenRouter;

Failure FailureIn(int status, const Json& error, HttpHeaders headers = {}) {
  // A poll's answer is read by the same rules, and shows the failure of any status.
  return NewOpenRouter()
      ->ParsePoll(Answer(status, Json{{"error", error}}.dump(), std::move(headers)))
      .failure;
}

TEST_CASE("each status has its class, with its code as a number, a text, or neither") {
  struct Row {
    int status;
    ErrorClass error_class;
    bool retryable;
  };
  for (const Row& row : {Row{400, ErrorClass::kInvalid, false}, Row{401, ErrorClass::kAuth, false},
                         Row{402, ErrorClass::kBilling, false}, Row{403, ErrorClass::kAuth, false},
                         Row{404, ErrorClass::kNotFound, false}, Row{408, ErrorClass::kTimeout, true},
                         Row{413, ErrorClass::kInvalid, false}, Row{429, ErrorClass::kRateLimited, true},
                         Row{500, ErrorClass::kServer, true}, Row{502, ErrorClass::kServer, true},
                         Row{503, ErrorClass::kOverloaded, true}, Row{524, ErrorClass::kTimeout, true},
                         Row{529, ErrorClass::kOverloaded, true}}) {
    CAPTURE(row.status);
    for (const Json& code :
         {Json(row.status), Json(std::to_string(row.status)), Json(nullptr), Json("some_word")}) {
      CAPTURE(code.dump());
      const Failure failure = FailureIn(row.status, {{"code", code}, {"message", "why"}});
      CHECK(failure.error_class == row.error_class);
      CHECK(failure.retryable == row.retryable);
      CHECK(failure.message == "The provider answered HTTP " + std::to_string(row.status) + ": why");
    }
    const Failure page = NewOpenRouter()->ParsePoll(Answer(row.status, "<html>nginx</html>")).failure;
    CHECK(page.error_class == row.error_class);
    CHECK(page.retryable == row.retryable);
  }
}

TEST_CASE("the type of an error says more than its status") {
  struct Row {
    const char* type;
    int status;
    ErrorClass error_class;
  };
  const Row rows[] = {
      {"content_policy_violation", 400, ErrorClass::kSafety},
      {"refusal", 422, ErrorClass::kSafety},
      {"invalid_image", 400, ErrorClass::kInvalid},
      {"image_too_large", 413, ErrorClass::kInvalid},
      {"image_too_small", 400, ErrorClass::kInvalid},
      {"unsupported_image_format", 415, ErrorClass::kInvalid},
      {"image_download_failed", 502, ErrorClass::kInvalid},
      {"image_not_found", 404, ErrorClass::kInvalid},
      {"rate_limit_exceeded", 429, ErrorClass::kRateLimited},
      {"provider_overloaded", 502, ErrorClass::kOverloaded},
      {"provider_unavailable", 502, ErrorClass::kOverloaded},
      {"timeout", 500, ErrorClass::kTimeout},
  };
  for (const Row& row : rows) {
    CAPTURE(row.type);
    const Failure typed =
        FailureIn(row.status, {{"code", row.status}, {"metadata", {{"error_type", row.type}}}});
    CHECK(typed.error_class == row.error_class);
    CHECK(typed.provider_code == row.type);
    CHECK(typed.retryable ==
          (row.error_class != ErrorClass::kSafety && row.error_class != ErrorClass::kInvalid));
    // The same word where a code is a word.
    CHECK(FailureIn(row.status, {{"code", row.type}}).error_class == row.error_class);
    // And alone, as a video's error.
    CHECK(JobOf({{"id", "j"}, {"status", "failed"}, {"error", row.type}}).failure.error_class ==
          row.error_class);
  }
}

TEST_CASE("a 403 is a moderation's when it says what was flagged, and the input is not repeated") {
  const Failure failure = FailureIn(403, {{"code", 403},
                                          {"message", "Input was flagged"},
                                          {"metadata",
                                           {{"reasons", {"violence", "gore"}},
                                            {"flagged_input", "my secret prompt"},
                                            {"provider_name", "openai"}}}});
  CHECK(failure.error_class == ErrorClass::kSafety);
  CHECK_FALSE(failure.retryable);
  CHECK(failure.message ==
        "The provider answered HTTP 403: Input was flagged (provider openai) (flagged: violence, gore)");
  CHECK(FailureIn(403, {{"metadata", {{"flagged_input", "x"}}}}).error_class == ErrorClass::kSafety);
  CHECK(FailureIn(403, {{"metadata", {{"reasons", Json::array()}, {"flagged_input", ""}}}}).error_class ==
        ErrorClass::kAuth);
}

TEST_CASE("availability decides whether to try again, and names other models") {
  struct Row {
    int status;
    Json availability;
    bool retryable;
    int64_t after_ms;
  };
  for (const Row& row :
       {Row{503, {{"retryable", false}}, false, -1}, Row{400, {{"retryable", true}}, true, -1},
        Row{503, {{"retryable", true}, {"retry_after", 3}}, true, 3000},
        Row{503, {{"retry_after", 0.25}}, true, 250}, Row{503, {{"retry_after", 0}}, true, 0},
        Row{503, {{"retry_after", 1e12}}, true, 3'600'000}, Row{503, {{"retry_after", -1}}, true, -1},
        Row{503, {{"retry_after", "3"}}, true, -1},
        Row{503, {{"retryable", "no"}, {"retry_after", nullptr}}, true, -1}, Row{503, "text", true, -1}}) {
    CAPTURE(row.availability.dump());
    const Failure failure = FailureIn(row.status, {{"message", "busy"}, {"availability", row.availability}});
    CHECK(failure.retryable == row.retryable);
    CHECK(failure.retry_after_ms == row.after_ms);
  }
  const Json named = {{"message", "busy"}, {"availability", {{"fallback_models", {"a/b", 7, "c/d"}}}}};
  CHECK(FailureIn(503, named).message.ends_with("busy (OpenRouter names instead: a/b, c/d)"));
}

TEST_CASE("the hint when to come back is the header's, else availability's, else the words'") {
  const Json error = {{"message", "try again in 9 seconds"}, {"availability", {{"retry_after", 3}}}};
  CHECK(FailureIn(429, error, {{"retry-after", "2"}}).retry_after_ms == 2000);
  CHECK(FailureIn(429, error, {{"retry-after-ms", "1500"}}).retry_after_ms == 1500);
  CHECK(
      FailureIn(429, error,
                {{"retry-after", "Thu, 01 Jan 2026 00:00:05 GMT"}, {"date", "Thu, 01 Jan 2026 00:00:00 GMT"}})
          .retry_after_ms == 5000);
  CHECK(FailureIn(429, error).retry_after_ms == 3000);
  CHECK(FailureIn(429, {{"message", "try again in 9 seconds"}}).retry_after_ms == 9000);
  CHECK(FailureIn(429, {{"message", "slow down"}}, {{"x-ratelimit-remaining", "0"}}).retry_after_ms == -1);
}

TEST_CASE("the code is the most telling word, and the message is safe to show") {
  CHECK(FailureIn(500, {{"code", 500}}).provider_code == "500");
  CHECK(FailureIn(500, {{"code", "oops"}}).provider_code == "oops");
  CHECK(FailureIn(500, {{"code", 500}, {"metadata", {{"provider_code", "P1"}}}}).provider_code == "P1");
  const Failure failure =
      FailureIn(400, {{"message", "bad key sk-or-secret-key"},
                      {"metadata", {{"raw", "see https://h/x?sig=1 and data:image/png;base64,AAAA\n"}}}});
  CHECK(failure.message == "The provider answered HTTP 400: bad key [key]: see https://h/x?… and data:…");
  CHECK(FailureIn(500, {{"code", 500}}).message ==
        "The provider answered HTTP 500: The provider gave an error without a message.");
  CHECK(FailureIn(400, "just words").message == "The provider answered HTTP 400: just words");
}

TEST_CASE("wrong types in an error are passed over") {
  const Json odd[] = {
      nullptr, 7, -1, 1.5, true, "text", Json::array(), Json::object(), {nullptr}, {{"a", {{"b", 1}}}}};
  for (const Json& value : odd) {
    CAPTURE(value.dump());
    for (const Json& error :
         {value, Json{{"code", value}}, Json{{"message", value}}, Json{{"metadata", value}},
          Json{{"metadata",
                {{"error_type", value}, {"reasons", value}, {"raw", value}, {"provider_name", value}}}},
          Json{{"availability", value}},
          Json{{"availability", {{"fallback_models", value}, {"retry_after", value}}}}}) {
      const Failure failure = FailureIn(400, error);
      CHECK(failure.message.starts_with("The provider answered HTTP 400"));
    }
  }
}

}  // namespace
}  // namespace mediagen
