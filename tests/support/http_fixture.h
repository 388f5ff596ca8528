// HttpFixture: a client with a thread of its own, and a call that waits for its answer.
#pragma once

#include <future>
#include <memory>
#include <string>

#include "base/executor.h"
#include "net/http_client.h"

namespace mediagen::testing {

// A request that may go to loopback.
inline HttpRequest LoopbackRequest(std::string method, std::string url, std::string body = "") {
  HttpRequest request;
  request.method = std::move(method);
  request.url = std::move(url);
  request.body = std::move(body);
  request.timeout_ms = 20'000;
  request.guard_address = false;
  request.https_only = false;
  return request;
}

struct HttpFixture {
  explicit HttpFixture(HttpClientOptions options = {})
      : executor(NewThreadExecutor(SystemClock(), 1, "test")),
        client(NewHttpClient(SystemClock(), executor.get(), nullptr, options).value()) {}
  ~HttpFixture() {
    client->Stop();
    executor->Stop();
  }

  std::future<HttpResponse> Start(HttpRequest request, HttpCallId* id = nullptr) {
    auto promise = std::make_shared<std::promise<HttpResponse>>();
    HttpCallId call = client->Send(
        std::move(request), [promise](HttpResponse response) { promise->set_value(std::move(response)); });
    if (id != nullptr) *id = call;
    return promise->get_future();
  }
  HttpResponse Call(HttpRequest request) { return Start(std::move(request)).get(); }
  HttpResponse Get(std::string url) { return Call(LoopbackRequest("GET", std::move(url))); }

  std::unique_ptr<Executor> executor;
  std::unique_ptr<HttpClient> client;
};

}  // namespace mediagen::testing
