// Gemini's adapter over the HTTP client, against the simulator.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "provider/gemini_fixture.h"
#include "support/simulator.h"

namespace mediagen::testing::gemini {

struct GeminiClient {
  explicit GeminiClient(const Simulator& simulator, std::string key = "key") {
    ProviderConfig config;
    config.name = "gemini";
    config.base_url = simulator.url() + "/gemini/v1beta";
    config.api_key = std::move(key);
    config.allow_private_network = true;
    adapter = NewAdapter(std::move(config)).value();
  }
  SubmitAnswer Submit(const PartRequest& part) {
    return adapter->ParseSubmit(http.Call(adapter->BuildSubmit(part, Id{}, "").value()));
  }
  PollAnswer Poll(const RemoteHandle& handle) {
    return adapter->ParsePoll(http.Call(adapter->BuildPoll(handle).value()));
  }
  PollAnswer Wait(const RemoteHandle& handle) {
    while (true) {
      PollAnswer answer = Poll(handle);
      if (answer.kind == PollAnswer::kSucceeded || answer.kind == PollAnswer::kFailed) return answer;
    }
  }
  HttpResponse Download(const RemoteOutput& output) {
    return http.Call(adapter->BuildDownload(output).value());
  }

  HttpFixture http;
  std::unique_ptr<Adapter> adapter;
};

}  // namespace mediagen::testing::gemini
