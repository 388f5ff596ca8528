// WireClient: an adapter over the real HTTP client against the simulator, one call at a time.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "provider/provider.h"
#include "support/simulator.h"

namespace mediagen::testing {

struct WireClient {
  // `path` is where the simulator speaks the provider's wire.
  WireClient(const Simulator& simulator, ProviderConfig config, const std::string& path, std::string key) {
    config.base_url = simulator.url() + path;
    config.api_key = std::move(key);
    config.allow_private_network = true;
    adapter = NewAdapter(std::move(config)).value();
  }
  SubmitAnswer Submit(PartRequest part, const Json& fault = Json::object()) {
    if (!fault.empty()) part.options["simulate"] = fault;
    return adapter->ParseSubmit(http.Call(adapter->BuildSubmit(part, Id{}, "").value()));
  }
  PollAnswer Poll(const RemoteHandle& handle) {
    return adapter->ParsePoll(http.Call(adapter->BuildPoll(handle).value()));
  }
  PollAnswer Result(const RemoteHandle& handle) {
    return adapter->ParseResult(http.Call(adapter->BuildResult(handle).value()));
  }
  PollAnswer Cancel(const RemoteHandle& handle) {
    return adapter->ParsePoll(http.Call(adapter->BuildCancel(handle).value()));
  }
  // Until it is over, its result included. Counts the fractions of progress that went by.
  PollAnswer Wait(const RemoteHandle& handle, int* fractions = nullptr) {
    while (true) {
      PollAnswer answer = Poll(handle);
      if (fractions != nullptr && answer.progress.fraction.has_value()) ++*fractions;
      if (answer.kind == PollAnswer::kReady) answer = Result(handle);
      if (answer.kind == PollAnswer::kSucceeded || answer.kind == PollAnswer::kFailed) return answer;
    }
  }
  HttpResponse Download(const RemoteOutput& output) {
    return http.Call(adapter->BuildDownload(output).value());
  }

  HttpFixture http;
  std::unique_ptr<Adapter> adapter;
};

}  // namespace mediagen::testing
