// Finding a request that was sent without an answer in Replicate's list.
#include <doctest/doctest.h>

#include "provider/replicate_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::HeaderOf;
using testing::NewReplicate;
using testing::RedFox;

const std::string kHex(64, 'a');

Json Listed(const char* id, Json input, Json more = Json::object()) {
  Json prediction = {{"id", id},
                     {"status", "succeeded"},
                     {"model", "black-forest-labs/flux-schnell"},
                     {"input", std::move(input)}};
  prediction.update(more);
  return prediction;
}
ReconcileAnswer Reconcile(const Json& results, const Json& next = nullptr) {
  return NewReplicate()->ParseReconcile(Answer(200, Json{{"next", next}, {"results", results}}.dump()),
                                        RedFox());
}
const Json kOurs = {{"prompt", "a red fox"}};

TEST_CASE("the list is asked for by the times of the attempt, and followed only at home") {
  HttpRequest first = NewReplicate()->BuildReconcile(RedFox(), 1767225600000, 1767225660000, "").value();
  CHECK(first.url ==
        "https://api.replicate.com/v1/"
        "predictions?created_after=2026-01-01T00%3A00%3A00.000Z&created_before=2026-01-01T00%3A01%3A00.000Z");
  CHECK(HeaderOf(first, "authorization") == "Bearer r8_secret_key");
  CHECK(NewReplicate()
            ->BuildReconcile(RedFox(), 0, 0, "https://api.replicate.com/v1/predictions?cursor=x")
            .value()
            .url == "https://api.replicate.com/v1/predictions?cursor=x");
  CHECK(CodeOf(NewReplicate()->BuildReconcile(RedFox(), 0, 0, "https://evil.example/").status()) ==
        Code::kForbidden);
}

TEST_CASE("a listed prediction is ours when its input is what we sent, key order and number types aside") {
  ReconcileAnswer answer = Reconcile({Listed("a", {{"prompt", "a blue fox"}}), Listed("b", kOurs),
                                      Listed("c", {{"prompt", "a red fox"}, {"seed", 1}})});
  CHECK(answer.kind == ReconcileAnswer::kFound);
  REQUIRE(answer.found.size() == 1);
  CHECK(answer.found[0].id == "b");
  CHECK(Reconcile(Json::array()).kind == ReconcileAnswer::kNone);
  CHECK(Reconcile(Json::array({Listed("a", kOurs, {{"model", "other/model"}})})).kind ==
        ReconcileAnswer::kNone);
  CHECK(Reconcile({Listed("a", kOurs), Listed("b", kOurs)}).found.size() == 2);
  CHECK(Reconcile({Listed("../x", kOurs), 7, nullptr}).kind == ReconcileAnswer::kNone);
}

TEST_CASE("a version is compared where one was asked for") {
  const PartRequest part = RedFox("o/n:" + kHex);
  auto find = [&](Json more) {
    Json prediction = {{"id", "a"}, {"input", kOurs}};
    prediction.update(more);
    return NewReplicate()->ParseReconcile(Answer(200, Json{{"results", {prediction}}}.dump()), part).kind;
  };
  CHECK(find({{"version", kHex}, {"model", "o/n"}}) == ReconcileAnswer::kFound);
  CHECK(find({{"version", kHex}}) == ReconcileAnswer::kFound);
  CHECK(find({{"version", std::string(64, 'b')}}) == ReconcileAnswer::kNone);
  CHECK(find({{"version", kHex}, {"model", "o/m"}}) == ReconcileAnswer::kNone);
}

TEST_CASE("pages go on at the same origin, and nowhere else") {
  const char* next = "https://api.replicate.com/v1/predictions?cursor=2";
  ReconcileAnswer more = Reconcile(Json::array({Listed("a", kOurs)}), next);
  CHECK(more.kind == ReconcileAnswer::kMore);
  CHECK(more.found.size() == 1);
  CHECK(more.next_url == next);
  CHECK(Reconcile(Json::array(), "https://evil.example/?cursor=2").kind == ReconcileAnswer::kTransient);
  ReconcileAnswer found =
      Reconcile(Json::array({Listed("a", kOurs)}), "http://api.replicate.com/v1/predictions");
  CHECK(found.kind == ReconcileAnswer::kFound);
  CHECK(found.next_url.empty());
}

TEST_CASE("inputs that were deleted leave the matter open") {
  for (const Json& removed : {Listed("a", Json::object(), {{"data_removed", true}}), Listed("a", nullptr)}) {
    ReconcileAnswer answer = Reconcile(Json::array({removed}));
    CHECK(answer.kind == ReconcileAnswer::kTransient);
    CHECK(answer.failure.error_class == ErrorClass::kExpired);
    CHECK_FALSE(answer.failure.retryable);
  }
}

TEST_CASE("a list that cannot be read is asked for again") {
  for (const HttpResponse& response :
       {Answer(500, ""), Answer(429, R"({"detail":"Expected available in 1 second."})"), Answer(200, "x"),
        Answer(200, "[]"), Answer(200, R"({"results":7})"), Broken(200, "{}")}) {
    CAPTURE(response.body);
    ReconcileAnswer answer = NewReplicate()->ParseReconcile(response, RedFox());
    CHECK(answer.kind == ReconcileAnswer::kTransient);
    CHECK(answer.failure.retryable);
  }
}

}  // namespace
}  // namespace mediagen
