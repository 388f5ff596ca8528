// The Redis client against Debian's redis-server.
#include "redis/client.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "redis/redis_fixture.h"
#include "support/child.h"
#include "support/redis_server.h"

namespace mediagen {
namespace {

using testing::Client;
using testing::Counter;
using testing::RedisServer;

constexpr RedisCommandOptions kPatient{.timeout_ms = 30'000};

TEST_CASE(
    "commands and replies of every kind, over TCP, IPv4 by name and a Unix socket, with a thread and "
    "without") {
  RedisServer server;
  for (const std::string& url :
       {server.url(), fmt::format("redis://localhost:{}/3", server.port()), server.unix_url()}) {
    for (bool threaded : {true, false}) {
      CAPTURE(url);
      Client client(url, {.threaded = threaded, .timeout_ms = 30'000});
      CHECK(!client.redis->up());
      CHECK(client.Text({"FLUSHALL"}) == "OK");
      CHECK(client.Text({"SET", "text", std::string_view("a\0\r\nb", 5)}) == "OK");
      CHECK(client.redis->up());
      CHECK(client.Text({"GET", "text"}) == std::string_view("a\0\r\nb", 5));
      CHECK(client.Text({"GET", "absent"}) == "(nil)");
      CHECK(client.Text({"DEL", "text", "list"}) == "1");
      CHECK(client.Text({"RPUSH", "list", "one", "", "three"}) == "3");
      auto list = client.Call({"LRANGE", "list", "0", "-1"});
      REQUIRE(list.ok());
      REQUIRE(list->elements.size() == 3);
      CHECK(list->elements[2].text == "three");
      CHECK(client.CodeOfCall({"GET", "list"}) == Code::kConflict);
      CHECK(client.CodeOfCall({"NOSUCH", "hunter2"}) == Code::kInvalid);
      CHECK(client.redis->active() == 0);
      CHECK(client.ups.count() == 1);
      CHECK(client.downs.count() == 0);
    }
  }
}

TEST_CASE("a database of the URL is chosen on every connection") {
  RedisServer server;
  Client third(server.url("/3"), {.timeout_ms = 30'000}), none(server.url(), {.timeout_ms = 30'000});
  CHECK(third.Text({"SET", "k", "v"}) == "OK");
  CHECK(none.Text({"GET", "k"}) == "(nil)");
  CHECK(none.Text({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}) == "1");
  CHECK(third.ups.WaitFor(2));
  CHECK(third.Text({"GET", "k"}) == "v");
}

TEST_CASE("replies come in the order of the commands, thousands under way from several threads") {
  RedisServer server;
  Client client(server.url(), {.timeout_ms = 60'000});
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  Counter done;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 3'000; ++i) {
        const std::string text = fmt::format("{}-{}", t, i);
        client.redis->Command({"ECHO", text}, [&, text](StatusOr<RedisReply> reply) {
          if (!reply.ok() || reply->text != text) ++wrong;
          done.Add();
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(done.WaitFor(12'000));
  CHECK(wrong == 0);
}

TEST_CASE(
    "large values go both ways, and a reply above the bound ends its command and the connection alone") {
  RedisServer server;
  Client client(server.url(), {.timeout_ms = 60'000, .max_reply_bytes = 5 << 20});
  const std::string large(4 << 20, 'x'), larger(6 << 20, 'y');
  CHECK(client.Text({"SET", "large", large}) == "OK");
  CHECK(client.Text({"SET", "larger", larger}) == "OK");
  CHECK(client.Text({"GET", "large"}) == large);
  CHECK(client.CodeOfCall({"GET", "larger"}) == Code::kTooLarge);
  CHECK(client.Text({"STRLEN", "larger"}) == std::to_string(larger.size()));
  CHECK(client.ups.count() == 2);
}

TEST_CASE("too many commands under way are refused, by number and by bytes") {
  RedisServer server;
  Client client(server.url(), {.timeout_ms = 60'000, .max_commands = 10, .max_bytes = 100'000});
  CHECK(client.Text({"PING"}) == "PONG");
  server.Freeze();
  Counter refused, answered;
  auto count = [&](StatusOr<RedisReply> reply) {
    (CodeOf(reply.status()) == Code::kOverloaded ? refused : answered).Add();
  };
  SUBCASE("by number") {
    for (int i = 0; i < 25; ++i) client.redis->Command({"PING"}, count);
    CHECK(refused.count() == 15);
    server.Thaw();
    CHECK(answered.WaitFor(10));
  }
  SUBCASE("by bytes") {
    const std::string text(30'000, 'x');
    for (int i = 0; i < 5; ++i) client.redis->Command({"ECHO", text}, count);
    CHECK(refused.count() == 2);
    server.Thaw();
    CHECK(answered.WaitFor(3));
  }
  CHECK(client.Text({"PING"}) == "PONG");
}

TEST_CASE("scripts run by their hash and are loaded again when Redis has forgotten them") {
  RedisServer server;
  Client client(server.url(), {.timeout_ms = 30'000});
  const RedisScript script("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}");
  CHECK(script.sha1().size() == 40);
  Counter done;
  std::atomic<int> wrong = 0;
  auto run = [&](int times) {
    for (int i = 0; i < times; ++i) {
      const std::string_view key = "counter", argument = "argument";
      client.redis->Eval(script, {&key, 1}, {&argument, 1}, [&](StatusOr<RedisReply> reply) {
        if (!reply.ok() || reply->elements.size() != 3 || reply->elements[1].text != "argument") ++wrong;
        done.Add();
      });
    }
  };
  run(100);
  CHECK(done.WaitFor(100));
  for (int i = 0; i < 20; ++i) {
    run(50);
    CHECK(client.Text({"SCRIPT", "FLUSH"}) == "OK");
  }
  CHECK(done.WaitFor(1'100));
  CHECK(wrong == 0);
  CHECK(client.Text({"GET", "counter"}) == "1100");  // each once
  Counter failed;
  client.redis->Eval(RedisScript("return nonsense("), {}, {}, [&](StatusOr<RedisReply> reply) {
    if (CodeOf(reply.status()) == Code::kInvalid) failed.Add();
  });
  CHECK(failed.WaitFor(1));
}

TEST_CASE("commands that block have a connection of their own") {
  RedisServer server;
  Client client(server.url(), {.timeout_ms = 30'000});
  Counter popped;
  client.redis->Command({"BLPOP", "list", "0"},
                        [&](StatusOr<RedisReply> reply) {
                          if (reply.ok() && reply->elements.size() == 2 && reply->elements[1].text == "x")
                            popped.Add();
                        },
                        {.timeout_ms = 30'000, .blocking = true});
  CHECK(client.Text({"PING"}) == "PONG");
  CHECK(popped.count() == 0);
  CHECK(client.Text({"RPUSH", "list", "x"}) == "1");
  CHECK(popped.WaitFor(1));
}

TEST_CASE(
    "a wrong password, a missing one and a missing database are told as such, and hold nothing secret") {
  RedisServer server({"--requirepass", "correct horse"});
  CHECK(Client(server.url(), {.timeout_ms = 30'000}).CodeOfCall({"PING"}) == Code::kUnauthorized);
  Client good(fmt::format("redis://:correct%20horse@127.0.0.1:{}", server.port()), {.timeout_ms = 30'000});
  CHECK(good.Text({"PING"}) == "PONG");
  CHECK(good.Text({"ACL", "SETUSER", "ann", "on", ">hunter3", "+ping"}) == "OK");
  Client ann(fmt::format("redis://ann:hunter3@127.0.0.1:{}", server.port()), {.timeout_ms = 30'000});
  CHECK(ann.Text({"PING"}) == "PONG");
  CHECK(ann.CodeOfCall({"GET", "k"}) == Code::kForbidden);
  Client bad(fmt::format("redis://:hunter2@127.0.0.1:{}", server.port()), {.timeout_ms = 30'000});
  for (int i = 0; i < 3; ++i) {
    Status refused = bad.Call({"PING"}).status();
    CHECK(CodeOf(refused) == Code::kUnauthorized);
    CHECK(InfoOf(refused).retry_after_ms > 0);
    CHECK(refused.ToString().find("hunter2") == std::string::npos);
    CHECK(InfoOf(refused).message.find(std::to_string(server.port())) != std::string::npos);
  }
  Client far(fmt::format("redis://:correct%20horse@127.0.0.1:{}/9999", server.port()),
             {.timeout_ms = 30'000});
  CHECK(far.CodeOfCall({"PING"}) == Code::kInvalid);
}

TEST_CASE(
    "a killed Redis: what was sent fails, the breaker answers at once, and the client comes back by itself") {
  RedisServer server;
  Client client(server.url(), {.timeout_ms = 30'000});
  CHECK(client.Text({"SET", "k", "v"}) == "OK");
  server.Freeze();
  Counter failed;
  for (int i = 0; i < 20; ++i) {
    client.redis->Command({"INCR", "n"}, [&](StatusOr<RedisReply> reply) {
      if (CodeOf(reply.status()) == Code::kUnavailable) failed.Add();
    });
  }
  server.Kill();
  CHECK(failed.WaitFor(20));
  CHECK(client.downs.WaitFor(1));
  Status refused;
  do {
    refused = client.Call({"PING"}).status();
    REQUIRE(CodeOf(refused) == Code::kUnavailable);
  } while (InfoOf(refused).retry_after_ms < 20);  // until the tries are apart
  CHECK(!client.redis->up());
  server.Start();
  CHECK(client.ups.WaitFor(2));
  CHECK(client.Text({"GET", "k"}) == "(nil)");
}

TEST_CASE("a command that may be repeated survives the loss of its connection") {
  RedisServer server;
  Client client(server.url(), {.threaded = false, .timeout_ms = 30'000, .breaker_failures = 1'000});
  CHECK(client.Text({"SET", "k", "v"}) == "OK");
  Client other(server.url(), {.timeout_ms = 30'000});
  CHECK(other.Text({"CLIENT", "PAUSE", "60000", "ALL"}) == "OK");
  Counter repeated, failed;
  client.redis->Command({"GET", "k"},
                        [&](StatusOr<RedisReply> reply) {
                          if (reply.ok() && reply->nil()) repeated.Add();
                        },
                        {.timeout_ms = 30'000, .repeatable = true});
  client.redis->Command({"GET", "k"}, [&](StatusOr<RedisReply> reply) {
    if (CodeOf(reply.status()) == Code::kUnavailable) failed.Add();
  });
  while (client.redis->Poll(0)) {
  }
  CHECK(client.redis->active() == 2);  // they have been sent
  server.Kill();
  server.Start();
  while (client.redis->active() > 0) client.redis->Poll(100);
  CHECK(failed.count() == 1);
  CHECK(repeated.count() == 1);
}

TEST_CASE("a Redis that hangs: commands end in time, the connection is given up, and it comes back") {
  RedisServer server;
  Client client(server.url(), {.timeout_ms = 100, .connect_timeout_ms = 200});
  CHECK(client.Text({"PING"}, kPatient) == "PONG");
  server.Freeze();
  CHECK(client.CodeOfCall({"PING"}) == Code::kTimeout);
  CHECK(client.downs.WaitFor(1));
  while (CodeOf(client.Call({"PING"}).status()) == Code::kTimeout) {
  }
  CHECK(client.CodeOfCall({"PING"}) == Code::kUnavailable);
  server.Thaw();
  CHECK(client.ups.WaitFor(2));
  CHECK(client.Text({"PING"}, kPatient) == "PONG");
}

TEST_CASE("a replica is left again: its name may lead to the primary by then") {
  RedisServer server;
  Client client(server.url(), {.timeout_ms = 30'000});
  CHECK(client.Text({"REPLICAOF", "127.0.0.1", "1"}) == "OK");
  CHECK(client.CodeOfCall({"SET", "k", "v"}) == Code::kUnavailable);
  CHECK(client.downs.WaitFor(1));
  CHECK(client.ups.WaitFor(2));
  CHECK(client.Text({"REPLICAOF", "NO", "ONE"}) == "OK");
  CHECK(client.Text({"SET", "k", "v"}) == "OK");
}

TEST_CASE("stopping ends what is under way, and a stopped client says so") {
  for (bool threaded : {true, false}) {
    RedisServer server;
    Client client(server.url(), {.threaded = threaded, .timeout_ms = 30'000});
    CHECK(client.Text({"PING"}) == "PONG");
    Counter ended;
    client.redis->Command({"BLPOP", "list", "0"},
                          [&](StatusOr<RedisReply> reply) {
                            if (CodeOf(reply.status()) == Code::kCanceled) ended.Add();
                          },
                          {.blocking = true});
    client.redis->Stop();
    CHECK(ended.count() == 1);
    CHECK(client.CodeOfCall({"PING"}) == Code::kCanceled);
    CHECK(client.redis->active() == 0);
    client.redis->Stop();
  }
}

TEST_CASE(
    "in a forked child the client refuses, and being freed it neither joins nor disturbs the parent's "
    "connection") {
  RedisServer server;
  Client client(server.url(), {.timeout_ms = 30'000});
  CHECK(client.Text({"PING"}) == "PONG");
  CHECK(testing::ExitCodeOfChild([&] {
          if (client.CodeOfCall({"PING"}) != Code::kForked) return 1;
          if (client.redis->Poll(0) || client.redis->up()) return 2;
          client.redis->Stop();
          client.redis.reset();
          return 0;
        }) == 0);
  CHECK(client.Text({"PING"}) == "PONG");
  CHECK(client.ups.count() == 1);
}

TEST_CASE("nothing that listens, and no such host") {
  Client nobody("redis://127.0.0.1:1", {.timeout_ms = 30'000});
  CHECK(nobody.CodeOfCall({"PING"}) == Code::kUnavailable);
  Client socket("unix:/nowhere/redis.sock", {.timeout_ms = 30'000});
  Status refused = socket.Call({"PING"}).status();
  CHECK(CodeOf(refused) == Code::kUnavailable);
  CHECK(InfoOf(refused).message.find("No such file") != std::string::npos);
  Client host("redis://no-such-host.invalid", {.timeout_ms = 30'000, .connect_timeout_ms = 30'000});
  CHECK(host.CodeOfCall({"PING"}) == Code::kUnavailable);
}

}  // namespace
}  // namespace mediagen
