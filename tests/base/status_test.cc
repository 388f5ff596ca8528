#include "base/status.h"

#include <doctest/doctest.h>

#include <set>

#include "base/json.h"

using namespace mediagen;

namespace {

constexpr int32_t kLastCode = -23;

Status Through(Status status) {
  RETURN_IF_ERROR(status);
  return Error(Code::kConflict, "went on");
}

StatusOr<int> Twice(StatusOr<int> value) {
  ASSIGN_OR_RETURN(int number, std::move(value));
  return number * 2;
}

}  // namespace

TEST_CASE("every code makes an error, reads back, and has a name of its own") {
  std::set<std::string_view> names = {CodeName(Code::kOk)};
  for (int32_t number = -1; number >= kLastCode; --number) {
    Code code = static_cast<Code>(number);
    Status status = Error(code, "m");
    CHECK_FALSE(status.ok());
    CHECK(CodeOf(status) == code);
    CHECK(names.insert(CodeName(code)).second);
  }
  CHECK(CodeName(Code::kOk) == "ok");
  CHECK(CodeName(Code::kRateLimited) == "rate_limited");
  CHECK(CodeName(Code::kStaleFence) == "stale_fence");
  CHECK(CodeName(Code::kProviderRejected) == "provider_rejected");
  CHECK(CodeName(Code::kInternal) == "internal");
  CHECK(CodeName(static_cast<Code>(-999)) == "internal");
  CHECK(CodeName(static_cast<Code>(999)) == "internal");
}

TEST_CASE("all parts of an error come back") {
  Status status = Error(Code::kRateLimited, "The provider \"x\" is busy.",
                        {.hint = "Wait \"a bit\".", .retry_after_ms = 1500, .object = "gen-1"});
  ErrorInfo info = InfoOf(status);
  CHECK(info.code == Code::kRateLimited);
  CHECK(info.message == "The provider \"x\" is busy.");
  CHECK(info.hint == "Wait \"a bit\".");
  CHECK(info.retry_after_ms == 1500);
  CHECK(info.object == "gen-1");
  ErrorInfo bare = InfoOf(Error(Code::kNotFound, "gone"));
  CHECK(bare.hint.empty());
  CHECK(bare.retry_after_ms == -1);
  CHECK(bare.object.empty());
}

TEST_CASE("what is not ours reads as kInternal, and nothing reads as success") {
  CHECK(CodeOf(OkStatus()) == Code::kOk);
  CHECK(InfoOf(OkStatus()).code == Code::kOk);
  Status foreign(absl::StatusCode::kNotFound, "theirs");
  CHECK(CodeOf(foreign) == Code::kInternal);
  CHECK(InfoOf(foreign).message == "theirs");
  CHECK(CodeOf(Error(Code::kOk, "a mistake")) == Code::kInternal);
  for (const char* payload : {"", "[]", "{", "\xFF", "null"}) {
    Status odd(absl::StatusCode::kNotFound, "odd");
    odd.SetPayload("mediagen/error", absl::Cord(payload));
    CHECK(CodeOf(odd) == Code::kInternal);
  }
}

TEST_CASE("a prefix keeps everything else") {
  Status status = Annotate(
      Error(Code::kStorageFull, "no room", {.hint = "h", .retry_after_ms = 7, .object = "o"}), "blob k");
  ErrorInfo info = InfoOf(status);
  CHECK(info.code == Code::kStorageFull);
  CHECK(info.message == "blob k: no room");
  CHECK(info.hint == "h");
  CHECK(info.retry_after_ms == 7);
  CHECK(info.object == "o");
  CHECK(Annotate(OkStatus(), "x").ok());
}

TEST_CASE("the error document has every field, absent parts null, and is valid whatever the bytes") {
  Json full = Json::parse(
      ErrorJson(Error(Code::kTimeout, "late", {.hint = "h", .retry_after_ms = 0, .object = "o"})));
  CHECK(full ==
        Json{{"code", "timeout"}, {"message", "late"}, {"hint", "h"}, {"retryAfterMs", 0}, {"object", "o"}});
  Json bare = Json::parse(ErrorJson(Error(Code::kInvalid, "bad")));
  CHECK(bare == Json{{"code", "invalid"},
                     {"message", "bad"},
                     {"hint", nullptr},
                     {"retryAfterMs", nullptr},
                     {"object", nullptr}});
  Json hostile = Json::parse(ErrorJson(Error(Code::kInvalid, "\xFF\"\n", {.hint = "\xC3"})));
  CHECK(hostile["message"] == "\uFFFD\"\n");
  CHECK(hostile["hint"] == "\uFFFD");
}

TEST_CASE("the macros return the error and pass the value") {
  CHECK(CodeOf(Through(Error(Code::kSafety, "no"))) == Code::kSafety);
  CHECK(CodeOf(Through(OkStatus())) == Code::kConflict);
  CHECK(Twice(21).value() == 42);
  CHECK(CodeOf(Twice(Error(Code::kStale, "old")).status()) == Code::kStale);
}
