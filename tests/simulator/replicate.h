// Replicate's wire, as a server sees it: create (three forms), get, list, cancel, files. It stands at the
// root: baseUrl is the server's origin.
#pragma once

#include <string>

#include "simulator/wire.h"

namespace mediagen::simulator {

class Replicate final : public Wire {
 public:
  using Wire::Wire;
  Reply Handle(const Request& request, const std::string& path) override;

 private:
  Reply HandleApi(const Request& request, const std::string& path);
  Reply Create(const Request& request, const std::string& path);
  Reply Accept(Paid* paid, Prediction prediction, const Json& fault);
  Reply Get(const std::string& id);
  Reply List(const Request& request);
  Reply Cancel(const std::string& id);
  Reply File(const std::string& path);
};

}  // namespace mediagen::simulator
