// The C++ face: what it says is what the C ABI said.
#include <doctest/doctest.h>

#include <thread>

#include "capi/fake_engine.h"
#include "mediagen/mediagen.hpp"

using mediagen::testing::FakeEngine;

namespace {

mediagen::engine OpenEngine() { return mediagen::engine::open().value(); }

}  // namespace

TEST_CASE("an error is a value with its code, message, hint and document; value() throws it") {
  mediagen::result<mediagen::engine> refused = mediagen::engine::open("fail");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == MEDIAGEN_INVALID);
  CHECK(refused.error().message == "The configuration has unknown fields: \"x\".");
  CHECK(refused.error().hint.empty());
  CHECK(mediagen::Json::parse(refused.error().json)["code"] == "invalid");
  CHECK_THROWS_AS((void)refused.value(), mediagen::failure);

  mediagen::engine engine = OpenEngine();
  mediagen::result<mediagen::bytes> limited = engine.submit("fail").wait();
  REQUIRE_FALSE(limited);
  CHECK(limited.error().code == MEDIAGEN_RATE_LIMITED);
  CHECK(limited.error().hint == "Wait.");
}

TEST_CASE("a call: at once, later, too late, canceled") {
  mediagen::engine engine = OpenEngine();
  mediagen::call now = engine.submit("now");
  CHECK(now.begun());
  CHECK(now.ended_at_once());
  CHECK(now.document()->view() == R"({"id":"now"})");
  CHECK(engine.record("outputs", "now").wait()->string() == R"({"id":"now"})");
  mediagen::call later = engine.await("later");
  CHECK_FALSE(later.ended_at_once());
  CHECK(later.document().error().code == MEDIAGEN_PENDING);
  CHECK(later.wait(0).error().code == MEDIAGEN_TIMEOUT);
  CHECK(later.wait(0).error().message == "timeout");
  later.cancel();
  CHECK(later.wait().error().code == MEDIAGEN_CANCELED);
  mediagen::call refused = engine.submit("fail");
  CHECK_FALSE(refused.begun());
  CHECK(refused.refusal().code == MEDIAGEN_RATE_LIMITED);
  refused.cancel();
  CHECK(engine.submit("nothing").wait()->view().empty());
  CHECK(engine.upload("the bytes", "nothing").wait()->view().empty());
}

TEST_CASE("a signed URL is made at once, or refused with its reason") {
  mediagen::engine engine = OpenEngine();
  CHECK(engine.sign_url("/v1/x", 1000).value().string() == "GET /v1/x 1000");
  CHECK(engine.sign_url("/v1/x", 1000, "PUT").value().string() == "PUT /v1/x 1000");
  CHECK(engine.sign_url("/v1/x", 0).error().code == MEDIAGEN_INVALID);
}

TEST_CASE("an inbox tells of calls by tag") {
  mediagen::engine engine = OpenEngine();
  mediagen::inbox inbox = mediagen::inbox::make().value();
  CHECK(inbox.fd() >= 0);
  mediagen::call call = engine.list("generations", "later", "", {inbox, 9});
  CHECK_FALSE(inbox.next());
  FakeEngine::Last()->ReplyToAll();
  mediagen::inbox::notice done = inbox.next();
  CHECK(done.kind == MEDIAGEN_KIND_DONE);
  CHECK(done.tag == 9);
  CHECK(call.document()->view() == R"({"id":"later"})");
}

TEST_CASE("events are a range, until the engine closes") {
  mediagen::engine engine = OpenEngine();
  mediagen::subscription events = engine.events().value();
  CHECK_FALSE(events.next(0).has_value());
  std::thread publisher([] {
    for (int i = 0; i < 3; ++i) FakeEngine::Last()->Deliver(std::to_string(i));
    FakeEngine::Last()->EndSubscriptions(mediagen::Error(mediagen::Code::kClosed, "closed"));
  });
  std::string seen;
  for (const mediagen::bytes& event : events) seen += event.view();
  publisher.join();
  CHECK(seen == "012");
  CHECK(engine.events("fail").error().code == MEDIAGEN_INVALID);
}

TEST_CASE("an exchange carries a request and its answer") {
  mediagen::engine engine = OpenEngine();
  mediagen::exchange post = engine.handle("POST", "/echo", "a: b\r\n");
  CHECK(post.head().error().code == MEDIAGEN_PENDING);
  CHECK(post.write("body").ok());
  CHECK(post.end().ok());
  CHECK(post.head()->status == 200);
  mediagen_body body = post.body().value();
  REQUIRE(body.kind == MEDIAGEN_BODY_BYTES);
  CHECK(mediagen::bytes(body.buffer).view() == "body");
  CHECK(post.write("more").error().code == MEDIAGEN_CLOSED);
  CHECK(post.call().wait().ok());
}

TEST_CASE("a cache loads a value once, whoever asks") {
  mediagen::cache cache = mediagen::cache::open().value();
  CHECK_FALSE(cache.get("k").has_value());
  CHECK(cache.put("k", "v", {.tags = "tag"}).value() == MEDIAGEN_ADMITTED);
  CHECK(cache.get("k")->view() == "v");
  cache.invalidate("tag");
  CHECK_FALSE(cache.remove("k"));
  int loads = 0;
  auto load = [&]() -> mediagen::result<std::string> {
    return std::string("loaded ") + std::to_string(++loads);
  };
  CHECK(cache.get_or_load("k", 1000, load)->view() == "loaded 1");
  CHECK(cache.get_or_load("k", 1000, load)->view() == "loaded 1");
  auto broken = []() -> mediagen::result<std::string> {
    return mediagen::error{MEDIAGEN_UNAVAILABLE, "down", "", ""};
  };
  CHECK(cache.get_or_load("other", 1000, broken).error().message == "down");
  CHECK(cache.get_or_load("other", 1000, load)->view() == "loaded 2");
  auto itself = [&] {
    mediagen::result<mediagen::bytes> inner = cache.get_or_load("deep", 1000, load);
    CHECK(inner.error().code == MEDIAGEN_CONFLICT);  // it would wait for itself for ever
    return mediagen::result<std::string>("outer");
  };
  CHECK(cache.get_or_load("deep", 1000, itself)->view() == "outer");
  CHECK(cache.put("gone", "", {.negative = true}).value() == MEDIAGEN_ADMITTED);
  CHECK(cache.get_or_load("gone", 1000, load).error().code == MEDIAGEN_NOT_FOUND);
  CHECK(mediagen::cache::versioned_key("a", "1") != mediagen::cache::versioned_key("a", "2"));
  cache.remove("gone");
  cache.remove("deep");
  CHECK(mediagen::Json::parse(cache.stats().view())["entries"] == 2);
}

TEST_CASE("a store and a queue, alone and of an engine") {
  mediagen::store store = mediagen::store::open().value();
  CHECK(store.define(R"({"name": "orders"})").wait().ok());
  CHECK(store.batch(R"({"writes": [{"put": "orders", "id": "o1", "value": {"a": 1}}]})").wait().ok());
  CHECK(store.get_many("orders", R"(["o1"])").wait()->view() == R"([{"a":1}])");
  CHECK(mediagen::Json::parse(store.list("orders").wait()->view())["data"].size() == 1);
  mediagen::queue queue = mediagen::queue::open().value();
  CHECK(queue.enqueue(R"({"queue": "email", "kind": "send"})").wait().ok());
  mediagen::Json jobs = mediagen::Json::parse(queue.claim("email").wait()->view());
  std::string id = jobs[0]["id"];
  CHECK(queue.heartbeat(id, jobs[0]["fence"]).wait().ok());
  CHECK(queue.progress(id, jobs[0]["fence"], "{}").wait().ok());
  CHECK(queue.finish(id, jobs[0]["fence"], R"({"outcome": "done"})").wait().ok());
  CHECK(mediagen::Json::parse(queue.get(id).wait()->view())["state"] == "done");
  mediagen::engine engine = OpenEngine();
  CHECK(engine.store().ok());
  CHECK(engine.queue().ok());
  CHECK(engine.run(1).error().code == MEDIAGEN_UNSUPPORTED);
  CHECK(engine.close().wait().ok());
  CHECK(engine.store().error().code == MEDIAGEN_CLOSED);
}
