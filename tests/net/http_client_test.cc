#include "net/http_client.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "base/base64.h"
#include "support/child.h"
#include "support/http_fixture.h"
#include "support/loopback_server.h"

namespace mediagen {
namespace {

using testing::ExitCodeOfChild;
using testing::HttpAnswer;
using testing::HttpFixture;
using testing::LoopbackRequest;
using testing::LoopbackServer;

// A port where nobody listens.
int ClosedPort() {
  LoopbackServer server([](LoopbackServer::Peer&) {});
  return server.port();
}

TEST_CASE("a whole answer comes with status, lower-case headers and body") {
  LoopbackServer server(LoopbackServer::Answering(
      [](const std::string&) { return HttpAnswer(201, "hello", "X-One: 1\r\nX-Two:  two words \r\n"); }));
  HttpFixture http;
  HttpResponse response = http.Call(LoopbackRequest("POST", server.url("/p?q=1"), "body"));
  CHECK(response.progress == HttpProgress::kAnswered);
  CHECK(response.transport.ok());
  CHECK(response.status == 201);
  CHECK(response.body == "hello");
  CHECK(response.Header("x-one") == "1");
  CHECK(response.Header("x-two") == "two words");
  CHECK(response.Header("absent").empty());
  CHECK(response.final_url == server.url("/p?q=1"));
  REQUIRE(server.requests().size() == 1);
  const std::string request = server.requests()[0];
  CHECK(request.starts_with("POST /p?q=1 HTTP/1.1\r\n"));
  CHECK(request.ends_with("\r\n\r\nbody"));
  CHECK(request.find("User-Agent: mediagen/") != std::string::npos);
  CHECK(request.find("Expect:") == std::string::npos);
  CHECK(request.find("application/x-www-form-urlencoded") == std::string::npos);
  CHECK(http.client->active() == 0);
}

TEST_CASE("every method goes out as it is named") {
  LoopbackServer server(LoopbackServer::Answering([](const std::string& request) {
    return request.starts_with("HEAD") ? std::string("HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\n")
                                       : HttpAnswer(200, "ok");
  }));
  HttpFixture http;
  for (const char* method : {"GET", "HEAD", "DELETE", "PUT", "PATCH", "POST"}) {
    CAPTURE(method);
    HttpResponse response = http.Call(LoopbackRequest(method, server.url()));
    CHECK(response.transport.ok());
    CHECK(server.requests().back().starts_with(std::string(method) + " / "));
  }
}

TEST_CASE("headers of an interim answer are forgotten") {
  LoopbackServer server(LoopbackServer::Answering(
      [](const std::string&) { return "HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\n" + HttpAnswer(200, "ok"); }));
  HttpFixture http;
  HttpResponse response = http.Get(server.url());
  CHECK(response.status == 200);
  CHECK(response.Header("x-early").empty());
}

TEST_CASE("a compressed answer is decoded, and the limit holds for what comes out") {
  // 100,000 zero bytes, gzip.
  const std::string bomb =
      Base64Decode(
          "H4sIAAAAAAACA+3BMQEAAADCoPVPbQ0PoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIBXA32VEdSghgEA")
          .value();
  LoopbackServer server(LoopbackServer::Answering(
      [&](const std::string&) { return HttpAnswer(200, bomb, "Content-Encoding: gzip\r\n"); }));
  HttpFixture http;
  HttpRequest request = LoopbackRequest("GET", server.url());
  HttpResponse whole = http.Call(request);
  CHECK(whole.transport.ok());
  CHECK(whole.body.size() > bomb.size());
  request.max_body_bytes = 1000;
  HttpResponse cut = http.Call(request);
  CHECK(CodeOf(cut.transport) == Code::kTooLarge);
  CHECK(cut.progress == HttpProgress::kSent);
}

// --- how far it came ---

TEST_CASE("a refused connection, a failed resolution and a failed handshake are not sent") {
  HttpFixture http;
  HttpResponse refused = http.Get(fmt::format("http://127.0.0.1:{}/", ClosedPort()));
  CHECK(refused.progress == HttpProgress::kNotSent);
  CHECK(CodeOf(refused.transport) == Code::kUnavailable);

  HttpResponse unresolved = http.Get("http://no-such-host.invalid/");
  CHECK(unresolved.progress == HttpProgress::kNotSent);
  CHECK(CodeOf(unresolved.transport) == Code::kUnavailable);

  LoopbackServer plain([](LoopbackServer::Peer& peer) { peer.Send("this is no TLS\r\n\r\n"); });
  HttpRequest request = LoopbackRequest("POST", fmt::format("https://127.0.0.1:{}/", plain.port()), "paid");
  request.once = true;
  HttpResponse handshake = http.Call(std::move(request));
  CHECK(handshake.progress == HttpProgress::kNotSent);
  CHECK(CodeOf(handshake.transport) == Code::kUnavailable);
}

TEST_CASE("a connection that is dropped after the request leaves it sent, and a paid request is sent once") {
  for (bool reset : {false, true}) {
    CAPTURE(reset);
    LoopbackServer server([&](LoopbackServer::Peer& peer) {
      (void)peer.Read();
      if (reset) peer.ResetOnClose();
    });
    HttpFixture http;
    HttpRequest request = LoopbackRequest("POST", server.url(), "paid");
    request.once = true;
    HttpResponse response = http.Call(std::move(request));
    CHECK(response.progress == HttpProgress::kSent);
    CHECK_FALSE(response.transport.ok());
    CHECK(response.status == 0);
    CHECK(server.requests().size() == 1);
    CHECK(server.connections() == 1);
  }
}

TEST_CASE("an answer that breaks off is sent, not answered, whatever its status was") {
  const std::string answers[] = {
      "HTTP/1.1 201 X\r\nContent-Length: 100\r\n\r\n{\"id\":\"abc\"",
      "HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{\"id\":\"abc\"\r\n",
      "HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{\"id\":\"abc\"",
  };
  for (const std::string& answer : answers) {
    CAPTURE(answer);
    LoopbackServer server([&](LoopbackServer::Peer& peer) {
      (void)peer.Read();
      peer.Send(answer);
    });
    HttpFixture http;
    HttpRequest request = LoopbackRequest("POST", server.url(), "paid");
    request.once = true;
    HttpResponse response = http.Call(std::move(request));
    CHECK(response.progress == HttpProgress::kSent);
    CHECK_FALSE(response.transport.ok());
    CHECK(response.status == 201);
    CHECK(response.body == "{\"id\":\"abc\"");
    CHECK(server.requests().size() == 1);
  }
}

TEST_CASE("a head that breaks off, or is none, is no answer") {
  for (const char* answer :
       {"", "HTTP/1.1 2", "HTTP/1.1 422 X", "HTTP/1.1 422 X\r\nContent-Le", "HTTP/1.1 422 X\r\nX: 1\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n", "garbage\r\n\r\n"}) {
    CAPTURE(answer);
    LoopbackServer server([&](LoopbackServer::Peer& peer) {
      (void)peer.Read();
      peer.Send(answer);
    });
    HttpFixture http;
    HttpResponse response = http.Call(LoopbackRequest("POST", server.url(), "x"));
    CHECK(response.progress == HttpProgress::kSent);
    CHECK_FALSE(response.transport.ok());
  }
}

TEST_CASE("a paid request never travels on a connection that was used before") {
  // The first connection answers one GET and then dies at the next request: libcurl would silently send a
  // POST again.
  LoopbackServer server([](LoopbackServer::Peer& peer) {
    auto first = peer.Read();
    if (!first) return;
    peer.Send(HttpAnswer(200, "ok"));
    if (peer.index() == 0) (void)peer.Read();
  });
  HttpFixture http;
  CHECK(http.Get(server.url("/warm")).status == 200);
  HttpRequest request = LoopbackRequest("POST", server.url("/paid"), "paid");
  request.once = true;
  HttpResponse response = http.Call(std::move(request));
  CHECK(response.progress == HttpProgress::kAnswered);
  CHECK(server.connections() == 2);
  int posts = 0;
  for (const std::string& seen : server.requests()) posts += seen.starts_with("POST ") ? 1 : 0;
  CHECK(posts == 1);
}

TEST_CASE("requests that are not paid reuse their connection") {
  LoopbackServer server(LoopbackServer::Answering([](const std::string&) { return HttpAnswer(200, "ok"); }));
  HttpFixture http;
  for (int i = 0; i < 3; ++i) CHECK(http.Get(server.url()).status == 200);
  CHECK(server.connections() == 1);
}

// --- limits and ends ---

TEST_CASE("silence ends as a timeout: of the whole exchange, or of the stall") {
  LoopbackServer server([](LoopbackServer::Peer& peer) {
    (void)peer.Read();
    peer.Send("HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\nab");
    peer.WaitForClose();
  });
  HttpFixture http;
  HttpRequest whole = LoopbackRequest("GET", server.url());
  whole.timeout_ms = 150;
  HttpResponse timed_out = http.Call(whole);
  CHECK(CodeOf(timed_out.transport) == Code::kTimeout);
  CHECK(timed_out.progress == HttpProgress::kSent);
  CHECK(timed_out.status == 200);

  HttpRequest stalling = LoopbackRequest("GET", server.url());
  stalling.stall_timeout_ms = 100;
  HttpResponse stalled = http.Call(stalling);
  CHECK(CodeOf(stalled.transport) == Code::kTimeout);
  CHECK(InfoOf(stalled.transport).message.find("no byte") != std::string::npos);
}

TEST_CASE("a body past the limit ends the exchange") {
  LoopbackServer server(
      LoopbackServer::Answering([](const std::string&) { return HttpAnswer(200, std::string(5000, 'x')); }));
  HttpFixture http;
  HttpRequest request = LoopbackRequest("GET", server.url());
  request.max_body_bytes = 5000;
  CHECK(http.Call(request).body.size() == 5000);
  request.max_body_bytes = 4999;
  HttpResponse response = http.Call(request);
  CHECK(CodeOf(response.transport) == Code::kTooLarge);
  CHECK(response.body.size() <= 4999);
}

TEST_CASE("endless headers end the exchange") {
  LoopbackServer server([](LoopbackServer::Peer& peer) {
    (void)peer.Read();
    peer.Send("HTTP/1.1 200 X\r\n");
    for (int i = 0; i < 600; ++i) peer.Send("X-Filler: " + std::string(1000, 'x') + "\r\n");
    peer.WaitForClose();
  });
  HttpFixture http;
  CHECK_FALSE(http.Get(server.url()).transport.ok());
}

TEST_CASE("a sink takes the pieces of a success, and its error ends the exchange") {
  const std::string picture(200'000, 'p');
  LoopbackServer server(LoopbackServer::Answering([&](const std::string& request) {
    return request.starts_with("GET /missing") ? HttpAnswer(404, "no such file") : HttpAnswer(200, picture);
  }));
  HttpFixture http;
  std::string taken;
  HttpRequest request = LoopbackRequest("GET", server.url("/picture"));
  request.sink = [&](std::string_view bytes) {
    taken.append(bytes);
    return OkStatus();
  };
  HttpResponse response = http.Call(request);
  CHECK(response.transport.ok());
  CHECK(response.body.empty());
  CHECK(taken == picture);
  CHECK(server.requests()[0].find("Accept-Encoding") == std::string::npos);

  taken.clear();
  request.url = server.url("/missing");
  HttpResponse missing = http.Call(request);
  CHECK(missing.status == 404);
  CHECK(missing.body == "no such file");
  CHECK(taken.empty());

  request.url = server.url("/picture");
  request.sink = [](std::string_view) { return Error(Code::kStorageFull, "disk full"); };
  CHECK(CodeOf(http.Call(request).transport) == Code::kStorageFull);
}

TEST_CASE("a canceled exchange still answers, with its true progress") {
  std::promise<void> arrived;
  LoopbackServer server([&](LoopbackServer::Peer& peer) {
    (void)peer.Read();
    arrived.set_value();
    peer.WaitForClose();
  });
  HttpFixture http;
  HttpCallId id = 0;
  auto response = http.Start(LoopbackRequest("GET", server.url()), &id);
  arrived.get_future().wait();
  CHECK(http.client->active() == 1);
  http.client->Cancel(id);
  HttpResponse canceled = response.get();
  CHECK(CodeOf(canceled.transport) == Code::kCanceled);
  CHECK(canceled.progress == HttpProgress::kSent);
  http.client->Cancel(id);      // long over
  http.client->Cancel(999999);  // never was
  CHECK(http.client->active() == 0);
}

// --- life and death ---

TEST_CASE("Stop ends what is under way, and later requests are refused") {
  std::promise<void> arrived;
  LoopbackServer server([&](LoopbackServer::Peer& peer) {
    (void)peer.Read();
    arrived.set_value();
    peer.WaitForClose();
  });
  HttpFixture http;
  auto response = http.Start(LoopbackRequest("GET", server.url()));
  arrived.get_future().wait();
  http.client->Stop();
  CHECK(CodeOf(response.get().transport) == Code::kCanceled);
  HttpResponse late = http.Get(server.url());
  CHECK(CodeOf(late.transport) == Code::kClosed);
  CHECK(late.progress == HttpProgress::kNotSent);
  http.client->Stop();
}

TEST_CASE("an answer is delivered even when the executor has stopped") {
  LoopbackServer server(LoopbackServer::Answering([](const std::string&) { return HttpAnswer(200, "ok"); }));
  HttpFixture http;
  http.executor->Stop();
  CHECK(http.Get(server.url()).status == 200);
}

TEST_CASE("a client without a thread works when it is polled, and Wake ends a poll") {
  LoopbackServer server(LoopbackServer::Answering([](const std::string&) { return HttpAnswer(200, "ok"); }));
  auto executor = NewManualExecutor(SystemClock());
  auto client = NewHttpClient(SystemClock(), executor.get(), nullptr, {.threaded = false}).value();
  int status = 0;
  client->Send(LoopbackRequest("GET", server.url()),
               [&](HttpResponse response) { status = response.status; });
  CHECK(client->active() == 1);
  while (status == 0) {
    client->Poll(10'000);
    while (executor->RunOne()) {
    }
  }
  CHECK(status == 200);
  CHECK_FALSE(client->Poll(0));
  client->Wake();
  client->Poll(60'000);  // the test would time out if it waited
  Status transport;
  client->Send(LoopbackRequest("GET", server.url()),
               [&](HttpResponse response) { transport = response.transport; });
  client->Stop();
  while (executor->RunOne()) {
  }
  CHECK(CodeOf(transport) == Code::kCanceled);
}

TEST_CASE("many exchanges at once all end") {
  LoopbackServer server(LoopbackServer::Answering(
      [](const std::string& request) { return HttpAnswer(200, request.substr(0, request.find("\r\n"))); }));
  HttpFixture http({.max_connections = 8});
  std::vector<std::future<HttpResponse>> responses;
  for (int i = 0; i < 100; ++i)
    responses.push_back(http.Start(LoopbackRequest("GET", server.url(fmt::format("/{}", i)))));
  for (int i = 0; i < 100; ++i)
    CHECK(responses[static_cast<size_t>(i)].get().body == fmt::format("GET /{} HTTP/1.1", i));
  CHECK(server.connections() <= 8);
}

TEST_CASE("exchanges are counted by how far they came") {
  LoopbackServer server(LoopbackServer::Answering([](const std::string&) { return HttpAnswer(200, "ok"); }));
  Metrics metrics;
  auto executor = NewManualExecutor(SystemClock());
  auto client = NewHttpClient(SystemClock(), executor.get(), &metrics, {.threaded = false}).value();
  client->Send(LoopbackRequest("GET", server.url()), [](HttpResponse) {});
  client->Send(LoopbackRequest("GET", "ftp://h/"), [](HttpResponse) {});
  while (client->active() > 0) client->Poll(10'000);
  const std::string text = metrics.Text();
  CHECK(text.find("mediagen_http_exchanges_total{progress=\"answered\"} 1") != std::string::npos);
  CHECK(text.find("mediagen_http_exchanges_total{progress=\"not_sent\"} 1") != std::string::npos);
}

TEST_CASE("a forked child is told so, and its end disturbs nothing") {
  LoopbackServer server(LoopbackServer::Answering([](const std::string&) { return HttpAnswer(200, "ok"); }));
  HttpFixture http;
  CHECK(http.Get(server.url()).status == 200);
  CHECK(ExitCodeOfChild([&] {
          Code code = Code::kOk;
          http.client->Send(LoopbackRequest("GET", server.url()),
                            [&](HttpResponse response) { code = CodeOf(response.transport); });
          http.client.reset();
          return code == Code::kForked ? 0 : 1;
        }) == 0);
  CHECK(http.Get(server.url()).status == 200);
}

}  // namespace
}  // namespace mediagen
