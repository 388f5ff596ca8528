// fal's queue, as a server sees it: submit, status, result, cancel. It stands under /fal. Its webhook keys
// are at the root, where a server of one's own has them.
#pragma once

#include <string>

#include "simulator/wire.h"

namespace mediagen::simulator {

class FalWire final : public Wire {
 public:
  using Wire::Wire;
  Reply Handle(const Request& request, const std::string& path) override;

 private:
  Reply Submit(const Request& request, const std::string& path);
  Reply Accept(Paid* paid, const std::string& app, const Json& fault);
  Reply Status(const Request& request, const Prediction& prediction);
  Reply Result(const Prediction& prediction);
  Reply Cancel(const Prediction& prediction);
  Json UrlsOf(const Prediction& prediction) const;
  Json StateOf(const Prediction& prediction) const;
};

// GET /.well-known/jwks.json: the public half of the key whose seed is the bytes 0 to 31.
class FalKeys final : public Wire {
 public:
  using Wire::Wire;
  Reply Handle(const Request& request, const std::string& path) override;
};

}  // namespace mediagen::simulator
