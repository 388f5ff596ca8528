// Redirects, and what guarded requests refuse.
#include <doctest/doctest.h>

#include <cstdlib>
#include <tuple>

#include "net/http_client.h"
#include "support/http_fixture.h"
#include "support/loopback_server.h"

namespace mediagen {
namespace {

using testing::HttpAnswer;
using testing::HttpFixture;
using testing::LoopbackRequest;
using testing::LoopbackServer;

// --- redirects ---

TEST_CASE("redirects are followed as far as allowed; the headers stay within the origin") {
  LoopbackServer other(
      LoopbackServer::Answering([](const std::string&) { return HttpAnswer(200, "elsewhere"); }));
  LoopbackServer server(LoopbackServer::Answering([&](const std::string& request) {
    if (request.starts_with("GET /same ")) return HttpAnswer(302, "moved", "Location: /here\r\n");
    if (request.starts_with("GET /away "))
      return HttpAnswer(307, "moved", fmt::format("Location: {}\r\n", other.url("/x?sig=1")));
    if (request.starts_with("GET /loop ")) return HttpAnswer(301, "moved", "Location: /loop\r\n");
    if (request.starts_with("GET /file "))
      return HttpAnswer(302, "moved", "Location: file:///etc/passwd\r\n");
    return HttpAnswer(200, "here");
  }));
  HttpFixture http;
  HttpRequest request = LoopbackRequest("GET", server.url("/same"));
  request.headers = {{"Authorization", "Bearer k"}, {"x-goog-api-key", "k"}, {"Accept", "image/*"}};
  request.max_redirects = 3;
  std::string taken;
  HttpResponse same = http.Call(request);
  CHECK(same.body == "here");
  CHECK(same.final_url == server.url("/here"));
  CHECK(server.requests().back().find("Authorization: Bearer k") != std::string::npos);

  request.url = server.url("/away");
  request.sink = [&](std::string_view bytes) {
    taken.append(bytes);
    return OkStatus();
  };
  HttpResponse away = http.Call(request);
  CHECK(away.status == 200);
  CHECK(taken == "elsewhere");  // and nothing of the redirect's own body
  CHECK(away.final_url == other.url("/x?sig=1"));
  REQUIRE(other.requests().size() == 1);
  CHECK(other.requests()[0].find("Bearer") == std::string::npos);
  CHECK(other.requests()[0].find("goog") == std::string::npos);
  CHECK(other.requests()[0].find("Accept: image/*") != std::string::npos);
  request.sink = nullptr;

  const size_t before = server.requests().size();
  request.url = server.url("/loop");
  HttpResponse loop = http.Call(request);
  CHECK(CodeOf(loop.transport) == Code::kUnavailable);
  CHECK(loop.progress == HttpProgress::kSent);
  CHECK(server.requests().size() == before + 4);

  request.url = server.url("/file");
  CHECK(CodeOf(http.Call(request).transport) == Code::kInvalid);
}

TEST_CASE("a redirect is the answer itself for a paid request, a POST, and whoever follows none") {
  LoopbackServer server(LoopbackServer::Answering(
      [](const std::string&) { return HttpAnswer(303, "moved", "Location: /elsewhere\r\n"); }));
  HttpFixture http;
  for (const auto& [method, once, redirects] :
       {std::tuple{"GET", true, 5}, std::tuple{"POST", false, 5}, std::tuple{"GET", false, 0}}) {
    CAPTURE(method);
    HttpRequest request = LoopbackRequest(method, server.url());
    request.once = once;
    request.max_redirects = redirects;
    HttpResponse response = http.Call(std::move(request));
    CHECK(response.progress == HttpProgress::kAnswered);
    CHECK(response.status == 303);
    CHECK(response.body == "moved");
  }
  CHECK(server.requests().size() == 3);
}

// --- the guard ---

TEST_CASE("a guarded request connects to no private address, however it is spelled") {
  LoopbackServer server(
      LoopbackServer::Answering([](const std::string&) { return HttpAnswer(200, "secret"); }));
  HttpFixture http;
  for (const char* host : {"127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001", "localhost", "[::1]",
                           "[::ffff:127.0.0.1]", "0.0.0.0"}) {
    CAPTURE(host);
    HttpRequest request = LoopbackRequest("GET", fmt::format("http://{}:{}/", host, server.port()));
    request.guard_address = true;
    HttpResponse response = http.Call(std::move(request));
    CHECK(CodeOf(response.transport) == Code::kForbidden);
    CHECK(response.progress == HttpProgress::kNotSent);
  }
  CHECK(server.connections() == 0);
}

TEST_CASE("a guarded request does not slip through a connection that an unguarded one left open") {
  LoopbackServer server(
      LoopbackServer::Answering([](const std::string&) { return HttpAnswer(200, "secret"); }));
  HttpFixture http;
  HttpRequest request = LoopbackRequest("GET", server.url());
  CHECK(http.Call(request).status == 200);
  request.guard_address = true;
  HttpResponse response = http.Call(request);
  CHECK(CodeOf(response.transport) == Code::kForbidden);
  CHECK(response.progress == HttpProgress::kNotSent);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("plain http needs to be allowed") {
  HttpFixture http;
  HttpRequest request = LoopbackRequest("GET", "http://127.0.0.1:1/");
  request.https_only = true;
  HttpResponse response = http.Call(std::move(request));
  CHECK(CodeOf(response.transport) == Code::kForbidden);
  CHECK(response.progress == HttpProgress::kNotSent);
}

TEST_CASE("proxies of the environment are not used") {
  LoopbackServer proxy(
      LoopbackServer::Answering([](const std::string&) { return HttpAnswer(200, "proxy"); }));
  LoopbackServer server(
      LoopbackServer::Answering([](const std::string&) { return HttpAnswer(200, "direct"); }));
  for (const char* name : {"http_proxy", "ALL_PROXY", "all_proxy"}) setenv(name, proxy.url().c_str(), 1);
  HttpFixture http;
  CHECK(http.Get(server.url()).body == "direct");
  for (const char* name : {"http_proxy", "ALL_PROXY", "all_proxy"}) unsetenv(name);
  CHECK(proxy.connections() == 0);
}

TEST_CASE("what cannot be a request is refused before anything is sent") {
  LoopbackServer server(LoopbackServer::Answering([](const std::string&) { return HttpAnswer(200, "ok"); }));
  HttpFixture http;
  HttpRequest bad_url = LoopbackRequest("GET", "http://u:p@127.0.0.1/");
  HttpRequest bad_value = LoopbackRequest("GET", server.url());
  bad_value.headers = {{"X-A", "1\r\nX-B: 2"}};
  HttpRequest bad_name = LoopbackRequest("GET", server.url());
  bad_name.headers = {{"X A", "1"}};
  HttpRequest bad_method = LoopbackRequest("GET / HTTP/1.1\r\nX", server.url());
  HttpRequest body_of_get = LoopbackRequest("GET", server.url(), "body");
  for (const HttpRequest& request : {bad_url, bad_value, bad_name, bad_method, body_of_get}) {
    HttpResponse response = http.Call(request);
    CHECK(CodeOf(response.transport) == Code::kInvalid);
    CHECK(response.progress == HttpProgress::kNotSent);
  }
  CHECK(server.connections() == 0);
  HttpRequest empty_value = LoopbackRequest("GET", server.url());
  empty_value.headers = {{"X-Empty", ""}};
  CHECK(http.Call(empty_value).status == 200);
  CHECK(server.requests()[0].find("X-Empty:\r\n") != std::string::npos);
}

}  // namespace
}  // namespace mediagen
