#include <doctest/doctest.h>

#include "capi/host.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

struct Host {
  Host() {
    mediagen_queue* opened = nullptr;
    REQUIRE(mediagen_queue_open(MEDIAGEN_ABI, S(""), &opened, nullptr) == MEDIAGEN_OK);
    queue.reset(opened);
  }
  std::vector<std::string> Enqueue(std::string_view jobs) {
    return Result([&](auto out, auto err) {
             return mediagen_queue_enqueue_begin(queue.get(), S(jobs), nullptr, 0, out, err);
           })["jobs"]
        .get<std::vector<std::string>>();
  }
  Json Claim(int max = 100) {
    return Result([&](auto out, auto err) {
      return mediagen_queue_claim_begin(queue.get(), S("work"), max, nullptr, 0, out, err);
    });
  }
  void Finish(const Json& job, std::string_view outcome) {
    const std::string id = job["id"];
    Result([&](auto out, auto err) {
      return mediagen_queue_finish_begin(queue.get(), S(id), job["fence"].get<uint64_t>(), S(outcome),
                                         nullptr, 0, out, err);
    });
  }
  Json Get(const std::string& id) {
    return Result([&](auto out, auto err) {
      return mediagen_queue_get_begin(queue.get(), S(id), nullptr, 0, out, err);
    });
  }
  auto List(std::string_view resource, std::string query) {
    return [this, resource, query](auto out, auto err) {
      return mediagen_queue_list_begin(queue.get(), S(resource), S(query), nullptr, 0, out, err);
    };
  }
  auto Configure(std::string_view name, std::string_view settings) {
    return [this, name, settings](auto out, auto err) {
      return mediagen_queue_configure_begin(queue.get(), S(name), S(settings), nullptr, 0, out, err);
    };
  }
  auto Retry(std::string id) {
    return [this, id](auto out, auto err) {
      return mediagen_queue_retry_begin(queue.get(), S(id), nullptr, 0, out, err);
    };
  }
  OwnedQueue queue;
};

}  // namespace

TEST_CASE("the dead letter is listed page by page, and retried one by one or all at once") {
  Host host;
  std::vector<std::string> ids = host.Enqueue(
      R"([{"queue": "work", "kind": "a"}, {"queue": "work", "kind": "a"}, {"queue": "work", "kind": "b"}])");
  for (const Json& job : host.Claim()) host.Finish(job, R"({"outcome": "discard", "reason": "no"})");
  Json page = Result(host.List("jobs", R"({"queue": "work", "state": "dead", "limit": 2})"));
  CHECK(page["data"].size() == 2);
  CHECK(page["data"][0]["id"] == ids[0]);
  CHECK(page["data"][0]["error"]["message"] == "no");
  CHECK(page["pagination"]["hasMore"] == true);
  const std::string cursor = page["pagination"]["nextCursor"];
  page = Result(host.List("jobs", R"({"queue": "work", "state": "dead", "cursor": ")" + cursor + R"("})"));
  CHECK(page["data"].size() == 1);
  CHECK(page["pagination"]["nextCursor"].is_null());

  CHECK(Result(host.Retry(ids[0]))["state"] == "ready");
  CHECK(Refusal(host.Retry(ids[0]))["code"] == "conflict");
  CHECK(Refusal(host.Retry("01932c5e-0000-7000-8000-000000000001"))["code"] == "not_found");
  Json retried = Result([&](auto out, auto err) {
    return mediagen_queue_retry_all_begin(host.queue.get(), S(R"({"queue": "work", "kind": "b"})"), nullptr,
                                          0, out, err);
  });
  CHECK(retried == Json{{"retried", 1}, {"inConflict", 0}});
  CHECK(host.Get(ids[1])["state"] == "dead");
}

TEST_CASE("a batch of items is claimed in chunks, resumes at its checkpoint and has one progress") {
  Host host;
  std::string batch = host.Enqueue(
      R"({"queue": "work", "kind": "thumbnail", "payload": {"size": 300}, "items": [1, 2, 3, 4, 5], "chunk": 2})")
                          [0];
  Json children = Result(host.List("children", R"({"job": ")" + batch + R"("})"))["data"];
  REQUIRE(children.size() == 3);
  CHECK(children[1]["payload"] == Json::parse(R"({"first": 2, "common": {"size": 300}, "items": [3, 4]})"));
  CHECK(children[1]["parent"] == batch);
  Json claims = host.Claim();
  REQUIRE(claims.size() == 3);
  const std::string first = claims[0]["id"];
  const uint64_t fence = claims[0]["fence"];
  Result([&](auto out, auto err) {
    return mediagen_queue_checkpoint_begin(host.queue.get(), S(first), fence, S(R"({"next": 1})"), nullptr, 0,
                                           out, err);
  });
  Result([&](auto out, auto err) {
    return mediagen_queue_log_begin(host.queue.get(), S(first), fence, S(R"({"message": "one is done"})"),
                                    nullptr, 0, out, err);
  });
  Result([&](auto out, auto err) {
    return mediagen_queue_progress_begin(host.queue.get(), S(first), fence,
                                         S(R"({"current": 1, "total": 2})"), nullptr, 0, out, err);
  });
  Json progress = host.Get(batch)["progress"];
  CHECK(progress["current"] == 1);
  CHECK(progress["total"] == 5);
  CHECK(progress["fraction"] == doctest::Approx(0.2));
  host.Finish(claims[0], R"({"outcome": "defer", "afterMs": 0})");
  Json again = host.Claim(1)[0];
  CHECK(again["checkpoint"] == Json{{"next", 1}});
  Json lines = Result(host.List("logs", R"({"job": ")" + first + R"("})"))["data"];
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["message"] == "one is done");
  CHECK(lines[0]["level"] == "info");
  host.Finish(again, R"({"outcome": "done"})");
  host.Finish(claims[1], R"({"outcome": "done"})");
  CHECK(host.Get(batch)["state"] == "waiting");
  host.Finish(claims[2], R"({"outcome": "discard", "reason": "broken"})");
  Json done = host.Get(batch);
  CHECK(done["state"] == "done");
  CHECK(done["children"] == Json::parse(R"({"total": 3, "pending": 0, "failed": 1, "canceled": 0})"));
}

TEST_CASE("queues are listed with settings and counts, changed at run time, and a wrong change is refused") {
  Host host;
  host.Enqueue(R"([{"queue": "work", "kind": "a"}, {"queue": "work", "kind": "a", "delayMs": 60000}])");
  Json settings = Result(host.Configure("work", R"({"concurrency": 7, "rate": {"cost": 9, "perMs": 1000}})"));
  CHECK(settings["concurrency"] == 7);
  CHECK(settings["rate"]["cost"] == 9);
  Json queues = Result(host.List("queues", "{}"))["data"];
  REQUIRE(queues.size() == 1);
  CHECK(queues[0]["name"] == "work");
  CHECK(queues[0]["settings"]["concurrency"] == 7);
  CHECK(queues[0]["counts"]["ready"] == 1);
  CHECK(queues[0]["counts"]["scheduled"] == 1);
  CHECK(queues[0]["counts"]["dead"] == 0);
  CHECK(Result(host.Configure("generate", R"({"paused": true})"))["paused"] == true);
  for (std::string_view bad : {R"({"concurrency": 0})", R"({"x": 1})", "[]", "{"})
    CHECK(Refusal(host.Configure("work", bad))["code"] == "invalid");
  CHECK(Refusal(host.Configure("No Name", "{}"))["code"] == "invalid");
  for (const auto& [resource, query] : {std::pair{"cats", "{}"},
                                        {"jobs", R"({"state": "tired"})"},
                                        {"jobs", R"({"limit": 0})"},
                                        {"jobs", R"({"cursor": "x"})"},
                                        {"logs", "{}"},
                                        {"logs", R"({"job": "x"})"},
                                        {"queues", R"({"limit": 1})"}})
    CHECK(Refusal(host.List(resource, query))["code"] == "invalid");
  CHECK(Refusal(host.List("logs", R"({"job": "01932c5e-0000-7000-8000-000000000001"})"))["code"] ==
        "not_found");
}
