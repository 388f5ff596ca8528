#include <doctest/doctest.h>

#include "capi/host.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

OwnedQueue OpenQueue(std::string_view config = "") {
  mediagen_queue* queue = nullptr;
  REQUIRE(mediagen_queue_open(MEDIAGEN_ABI, S(config), &queue, nullptr) == MEDIAGEN_OK);
  return OwnedQueue(queue);
}

auto Enqueue(const OwnedQueue& queue, std::string_view jobs) {
  return [&queue, jobs](auto out, auto err) {
    return mediagen_queue_enqueue_begin(queue.get(), S(jobs), nullptr, 0, out, err);
  };
}
auto Claim(const OwnedQueue& queue, std::string_view names, int max) {
  return [&queue, names, max](auto out, auto err) {
    return mediagen_queue_claim_begin(queue.get(), S(names), max, nullptr, 0, out, err);
  };
}
auto Finish(const OwnedQueue& queue, std::string id, uint64_t fence, std::string_view outcome) {
  return [&queue, id, fence, outcome](auto out, auto err) {
    return mediagen_queue_finish_begin(queue.get(), S(id), fence, S(outcome), nullptr, 0, out, err);
  };
}
Json Get(const OwnedQueue& queue, const std::string& id) {
  return Result(
      [&](auto out, auto err) { return mediagen_queue_get_begin(queue.get(), S(id), nullptr, 0, out, err); });
}

constexpr std::string_view kJob =
    R"({"queue": "email", "kind": "send", "payload": {"to": "x"}, "user": "u1", "keys": {"provider": "smtp"}})";

}  // namespace

TEST_CASE("a job is enqueued, claimed, worked on and finished, with and without threads") {
  for (std::string_view config : {"", "manual"}) {
    OwnedQueue queue = OpenQueue(config);
    std::string id = Result(Enqueue(queue, kJob))["jobs"][0];
    Json job = Get(queue, id);
    CHECK(job["state"] == "ready");
    CHECK(job["payload"] == Json{{"to", "x"}});
    CHECK(job["keys"]["provider"] == "smtp");
    Json claims = Result(Claim(queue, "sms, email", 10));
    REQUIRE(claims.size() == 1);
    CHECK(claims[0]["id"] == id);
    CHECK(claims[0]["state"] == "running");
    uint64_t fence = claims[0]["fence"];
    Result([&](auto out, auto err) {
      return mediagen_queue_heartbeat_begin(queue.get(), S(id), fence, nullptr, 0, out, err);
    });
    Result([&](auto out, auto err) {
      return mediagen_queue_progress_begin(queue.get(), S(id), fence, S(R"({"fraction": 0.5})"), nullptr, 0,
                                           out, err);
    });
    CHECK(Get(queue, id)["progress"]["fraction"] == 0.5);
    CHECK(Refusal(Finish(queue, id, fence + 1, R"({"outcome": "done"})"))["code"] == "stale_fence");
    Result(Finish(queue, id, fence, R"({"outcome": "done", "result": {"sent": true}})"));
    job = Get(queue, id);
    CHECK(job["state"] == "done");
    CHECK(job["result"] == Json{{"sent", true}});
  }
}

TEST_CASE("many jobs are enqueued in one transaction; a held unique key answers its holder") {
  OwnedQueue queue = OpenQueue();
  Json ids = Result(Enqueue(
      queue,
      R"([{"queue": "email", "kind": "a", "uniqueKey": "k"}, {"queue": "email", "kind": "b", "uniqueKey": "k"}])"))
      ["jobs"];
  CHECK(ids[0] == ids[1]);
  CHECK(Refusal(Enqueue(
            queue, R"([{"queue": "email", "kind": "a"}, {"queue": "generate", "kind": "b"}])"))["code"] ==
        "forbidden");
}

TEST_CASE("a claim waits for work, and a canceled one leaves none behind") {
  OwnedQueue queue = OpenQueue();
  OwnedInbox inbox = NewInbox();
  mediagen_call* call = nullptr;
  REQUIRE(mediagen_queue_claim_begin(queue.get(), S("email"), 1, inbox.get(), 3, &call, nullptr) ==
          MEDIAGEN_PENDING);
  OwnedCall waiting(call);
  Result(Enqueue(queue, kJob));
  CHECK(Await(inbox).tag == 3);
  mediagen_buffer* claims = nullptr;
  REQUIRE(mediagen_call_result(call, &claims, nullptr) == MEDIAGEN_OK);
  Json job = Json::parse(Take(claims))[0];
  Result(Finish(queue, job["id"], job["fence"],
                R"({"outcome": "retry", "afterMs": 100000, "reason": "smtp 421"})"));
  CHECK(Get(queue, job["id"])["state"] == "scheduled");
  CHECK(Get(queue, job["id"])["tries"] == 1);

  REQUIRE(mediagen_queue_claim_begin(queue.get(), S("email"), 1, nullptr, 0, &call, nullptr) ==
          MEDIAGEN_PENDING);
  mediagen_call_cancel(call);
  CHECK(mediagen_call_wait(call, -1, nullptr) == MEDIAGEN_CANCELED);
  mediagen_call_free(call);
}

TEST_CASE("jobs that a freed claim never handed over are ready again, with no try burnt") {
  OwnedQueue queue = OpenQueue();
  OwnedInbox inbox = NewInbox();
  std::string id = Result(Enqueue(queue, kJob))["jobs"][0];
  mediagen_call* call = nullptr;
  int32_t state = mediagen_queue_claim_begin(queue.get(), S("email"), 1, inbox.get(), 4, &call, nullptr);
  OwnedCall unread(call);
  if (state == MEDIAGEN_PENDING) Await(inbox);
  CHECK(Get(queue, id)["state"] == "running");
  unread.reset();  // nobody asked for the result
  Json claims = Result(Claim(queue, "email", 1));
  CHECK(claims[0]["id"] == id);
  CHECK(claims[0]["tries"] == 0);
}

TEST_CASE("a waiting job is canceled at once; a running one is asked to") {
  OwnedQueue queue = OpenQueue();
  std::string id = Result(Enqueue(queue, kJob))["jobs"][0];
  auto cancel = [&](auto out, auto err) {
    return mediagen_queue_cancel_begin(queue.get(), S(id), nullptr, 0, out, err);
  };
  CHECK(Result(cancel)["state"] == "canceled");
  id = Result(Enqueue(queue, kJob))["jobs"][0];
  Json claims = Result(Claim(queue, "email", 1));
  Json asked = Result(cancel);
  CHECK(asked["state"] == "running");
  CHECK(asked["cancelRequested"] == true);
  Result(Finish(queue, id, claims[0]["fence"], R"({"outcome": "cancel"})"));
  CHECK(Get(queue, id)["state"] == "canceled");
}

TEST_CASE("what is malformed is refused before anything is begun") {
  OwnedQueue queue = OpenQueue();
  CHECK(Refusal(Claim(queue, "email", 0))["code"] == "invalid");
  CHECK(Refusal(Claim(queue, "email", 101))["code"] == "invalid");
  CHECK(Refusal(Claim(queue, "", 1))["code"] == "invalid");
  CHECK(Refusal(Claim(queue, "generate", 1))["code"] == "forbidden");
  CHECK(Refusal(Finish(queue, "no id", 1, R"({"outcome": "done"})"))["code"] == "invalid");
  CHECK(Refusal(Finish(queue, "01932c5e-0000-7000-8000-000000000000", 1,
                       R"({"outcome": "perhaps"})"))["code"] == "invalid");
  CHECK(Refusal([&](auto out, auto err) {
          return mediagen_queue_get_begin(queue.get(), S("01932c5e-0000-7000-8000-000000000000"), nullptr, 0,
                                          out, err);
        })["code"] == "not_found");
}

TEST_CASE("a queue freed while a claim waits ends it") {
  OwnedQueue queue = OpenQueue();
  mediagen_call* call = nullptr;
  REQUIRE(mediagen_queue_claim_begin(queue.get(), S("email"), 1, nullptr, 0, &call, nullptr) ==
          MEDIAGEN_PENDING);
  OwnedCall waiting(call);
  queue.reset();
  CHECK(mediagen_call_wait(call, 30'000, nullptr) == MEDIAGEN_CLOSED);
}
