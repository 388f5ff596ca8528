// The Redis client against a server that decides every byte: what no real Redis says, and says only at bad
// moments.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "redis/redis_fixture.h"
#include "support/loopback_server.h"

namespace mediagen {
namespace {

using testing::Client;
using testing::Counter;
using testing::LoopbackServer;
using Peer = LoopbackServer::Peer;

std::string Url(const LoopbackServer& server, const char* rest = "") {
  return fmt::format("redis://127.0.0.1:{}{}", server.port(), rest);
}

// Hears the greeting (its last word is PING) and answers it.
bool Greet(Peer& peer) {
  if (!peer.ReadTo("PING\r\n")) return false;
  peer.Send("+PONG\r\n");
  return true;
}

TEST_CASE(
    "user, password and database go before everything else, and nothing goes before they are answered") {
  std::string heard;
  Counter greeted;
  LoopbackServer server([&](Peer& peer) {
    heard = peer.ReadTo("PING\r\n").value_or("");
    greeted.Add();
    peer.Send("+OK\r\n+OK\r\n+PONG\r\n");
    if (peer.ReadTo("GET\r\n$1\r\nk\r\n")) peer.Send("$1\r\nv\r\n");
    peer.WaitForClose();
  });
  Client client(fmt::format("redis://ann:p%20w@127.0.0.1:{}/7", server.port()), {.timeout_ms = 30'000});
  CHECK(client.Text({"GET", "k"}) == "v");
  CHECK(greeted.WaitFor(1));
  CHECK(
      heard ==
      "*3\r\n$4\r\nAUTH\r\n$3\r\nann\r\n$3\r\np w\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n*1\r\n$4\r\nPING\r\n");
}

TEST_CASE(
    "what answers the greeting with something else is no Redis, and is tried again after ever longer times") {
  const char* said = "";
  SUBCASE("HTTP") { said = "HTTP/1.1 400 Bad Request\r\n\r\n"; }
  SUBCASE("a number") { said = ":1\r\n"; }
  SUBCASE("too much") { said = "+PONG\r\n+PONG\r\n+PONG\r\n"; }
  SUBCASE("it is loading") { said = "-LOADING Redis is loading the dataset in memory\r\n"; }
  SUBCASE("nothing") { said = ""; }
  LoopbackServer server([&](Peer& peer) {
    if (peer.ReadTo("PING\r\n")) peer.Send(said);
  });
  Client client(Url(server), {.timeout_ms = 30'000});
  Status refused = client.Call({"GET", "k"}).status();
  CHECK(CodeOf(refused) == Code::kUnavailable);
  CHECK(InfoOf(refused).retry_after_ms >= 1);
  CHECK(InfoOf(refused).retry_after_ms <= 500);
}

TEST_CASE("a Redis that was loading is used as soon as it has its data") {
  LoopbackServer server([&](Peer& peer) {
    if (!peer.ReadTo("PING\r\n")) return;
    peer.Send(peer.index() < 6 ? "-LOADING not yet\r\n" : "+PONG\r\n");
    while (peer.ReadTo("GET\r\n$1\r\nk\r\n")) peer.Send("$1\r\nv\r\n");
  });
  Client client(Url(server), {.timeout_ms = 30'000, .breaker_failures = 100});
  CHECK(client.Text({"GET", "k"}) == "v");
  CHECK(server.connections() == 7);
}

TEST_CASE(
    "garbage, an answer that nobody asked for and an end amid a reply: the connection is lost, the next one "
    "is good") {
  const char* said = "";
  SUBCASE("garbage") { said = "?!\r\n"; }
  SUBCASE("an answer too many") { said = "$1\r\nv\r\n$1\r\nw\r\n"; }
  SUBCASE("an end amid a reply") { said = "$100\r\nonly so far"; }
  SUBCASE("an end") { said = ""; }
  LoopbackServer server([&](Peer& peer) {
    if (!Greet(peer)) return;
    for (bool first = true; peer.ReadTo("GET\r\n$1\r\nk\r\n"); first = false) {
      if (peer.index() == 0 && !first) return;
      peer.Send(peer.index() == 0 ? said : "$1\r\nv\r\n");
      if (peer.index() == 0) return;
    }
  });
  Client client(Url(server), {.timeout_ms = 30'000});
  auto first = client.Call({"GET", "k"});
  if (first.ok()) CHECK(first->text == "v");
  CHECK((first.ok() || CodeOf(first.status()) == Code::kUnavailable));
  CHECK(client.downs.WaitFor(1));
  CHECK(client.ups.WaitFor(2));
  CHECK(client.Text({"GET", "k"}) == "v");
}

TEST_CASE(
    "by a fake clock: commands end in their time, the connection when it was silent for several of them") {
  Counter silences;
  LoopbackServer server([&](Peer& peer) {
    if (!Greet(peer) || !peer.ReadTo("$4\r\nECHO\r\n$1\r\nx\r\n")) return;
    peer.Send("$1\r\nx\r\n");
    while (peer.ReadTo("SILENCE\r\n")) silences.Add();
  });
  FakeClock clock;
  Client client(Url(server), {.timeout_ms = 100}, &clock);
  CHECK(client.Text({"ECHO", "x"}) == "x");
  Counter timeouts;
  auto count = [&](StatusOr<RedisReply> reply) {
    if (CodeOf(reply.status()) == Code::kTimeout &&
        InfoOf(reply.status()).message.find("100 ms") != std::string::npos)
      timeouts.Add();
  };
  client.redis->Command({"SILENCE"}, count);
  CHECK(silences.WaitFor(1));
  clock.Advance(99);
  client.redis->Command({"SILENCE"}, count, {.timeout_ms = 1'000});
  CHECK(silences.WaitFor(2));
  CHECK(timeouts.count() == 0);
  clock.Advance(1);
  CHECK(timeouts.WaitFor(1));
  CHECK(client.downs.count() == 0);
  CHECK(client.redis->active() == 2);
  clock.Advance(300);
  CHECK(client.downs.WaitFor(1));
  clock.Advance(500);  // as long as a backoff may be
  CHECK(client.ups.WaitFor(2));
  CHECK(client.Text({"ECHO", "x"}) == "x");
  CHECK(client.redis->active() == 0);
}

TEST_CASE("a late reply belongs to the command that has given up, not to the next one") {
  Counter first_came;
  LoopbackServer server([&](Peer& peer) {
    if (!Greet(peer) || !peer.ReadTo("$5\r\nfirst\r\n")) return;
    first_came.Add();
    if (!peer.ReadTo("$6\r\nsecond\r\n")) return;
    peer.Send("$1\r\n1\r\n$1\r\n2\r\n");
    peer.WaitForClose();
  });
  FakeClock clock;
  Client client(Url(server), {.timeout_ms = 1'000'000}, &clock);
  Counter timeouts;
  client.redis->Command({"ECHO", "first"},
                        [&](StatusOr<RedisReply> reply) {
                          if (CodeOf(reply.status()) == Code::kTimeout) timeouts.Add();
                        },
                        {.timeout_ms = 10});
  CHECK(first_came.WaitFor(1));
  clock.Advance(10);
  CHECK(timeouts.WaitFor(1));
  CHECK(client.Text({"ECHO", "second"}) == "2");
}

TEST_CASE(
    "a blocking command outlives the loss of its connection only as a failure, and the next one waits for a "
    "new one") {
  LoopbackServer server([&](Peer& peer) {
    if (!Greet(peer)) return;
    if (peer.index() == 0) {
      peer.ReadTo("BLPOP");
      return;
    }
    while (peer.ReadTo("BLPOP")) peer.Send("*-1\r\n");
  });
  Client client(Url(server), {.timeout_ms = 30'000});
  CHECK(client.CodeOfCall({"BLPOP", "k", "0"}, {.timeout_ms = 30'000, .blocking = true}) ==
        Code::kUnavailable);
  CHECK(client.Text({"BLPOP", "k", "0"}, {.timeout_ms = 30'000, .blocking = true}) == "(nil)");
  CHECK(client.ups.count() == 0);  // the other connection was never made
}

TEST_CASE(
    "a node of a cluster that has not got the key names the one that has: nothing is lost, nothing is sent "
    "twice") {
  Counter evaluated;
  LoopbackServer there([&](Peer& peer) {
    if (!Greet(peer)) return;
    while (auto heard = peer.ReadTo("$5\r\nwhich\r\n")) {
      evaluated.Add();
      peer.Send(":42\r\n");
    }
  });
  std::string node = fmt::format("127.0.0.1:{}", there.port());
  std::atomic<int> here_port = 0;
  Code refused = Code::kOk;
  int followed = 20;
  SUBCASE("it is there") {}
  SUBCASE("it names itself without an address, and for ever") {
    node = "";
    refused = Code::kUnavailable;
    followed = 0;
  }
  SUBCASE("it names nonsense") {
    node = "nowhere";
    refused = Code::kUnavailable;
    followed = 0;
  }
  LoopbackServer here([&](Peer& peer) {
    if (!Greet(peer)) return;
    while (peer.ReadTo("$5\r\nwhich\r\n"))
      peer.Send(
          fmt::format("-MOVED 3999 {}\r\n", node.empty() ? fmt::format(":{}", here_port.load()) : node));
  });
  here_port = here.port();
  Client client(Url(here), {.timeout_ms = 30'000});
  const RedisScript script("return 42");
  Counter answers, wrong;
  for (int i = 0; i < 20; ++i) {
    const std::string_view key = "which";
    client.redis->Eval(script, {&key, 1}, {}, [&](StatusOr<RedisReply> reply) {
      if (CodeOf(reply.status()) != refused) wrong.Add();
      answers.Add();
    });
  }
  CHECK(answers.WaitFor(20));
  CHECK(wrong.count() == 0);
  CHECK(evaluated.count() == followed);
}

TEST_CASE("IPv6") {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  socklen_t size = sizeof address;
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 1) != 0) {
    MESSAGE("this machine has no IPv6");
    close(fd);
    return;
  }
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  std::thread thread([fd] {
    const int peer = accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
    char bytes[256];
    if (recv(peer, bytes, sizeof bytes, 0) > 0) (void)!write(peer, "+PONG\r\n", 7);
    if (recv(peer, bytes, sizeof bytes, 0) > 0) (void)!write(peer, ":6\r\n", 4);
    close(peer);
  });
  {
    Client client(fmt::format("redis://[::1]:{}", ntohs(address.sin6_port)), {.timeout_ms = 30'000});
    CHECK(client.Text({"DBSIZE"}) == "6");
  }
  thread.join();
  close(fd);
}

}  // namespace
}  // namespace mediagen
