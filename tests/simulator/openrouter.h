// OpenRouter's wire, as a server sees it: pictures (synchronous), chats that make pictures, video jobs and
// their content. Its prefix is /openrouter/api/v1.
#pragma once

#include <string>

#include "simulator/wire.h"

namespace mediagen::simulator {

class OpenRouterWire final : public Wire {
 public:
  using Wire::Wire;
  Reply Handle(const Request& request, const std::string& path) override;

 private:
  using Make = Reply (OpenRouterWire::*)(const Prediction& prediction);

  Reply Create(const Request& request, const std::string& path);
  Reply Accept(Paid* paid, Prediction prediction, Make make);
  Reply Images(const Prediction& prediction);
  Reply Chat(const Prediction& prediction);
  Reply Job(const Prediction& prediction);
  Reply GetJob(const std::string& id);
  Reply Content(const std::string& id);
};

}  // namespace mediagen::simulator
