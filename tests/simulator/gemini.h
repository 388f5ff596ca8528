// Gemini's wire, as a server sees it, under /gemini/v1beta: generateContent (the whole result at once),
// predictLongRunning with its operations, interactions with cancel, and the files that both name.
//
// Faults of its own, beside those that every wire knows (fault.h):
//   {"finish": "IMAGE_SAFETY"}   a candidate without content, for that reason
//   {"block": "SAFETY"}          the prompt is refused, and there is no candidate
//   {"filtered": "a reason"}     an operation that is done, and whose video was withheld
//   {"endState": "incomplete"}   how an interaction ends
//   {"status": 429, "retryAfter": 2, "retryAs": "info", "daily": true}   RetryInfo in the body; a daily quota
#pragma once

#include <string>

#include "simulator/wire.h"

namespace mediagen::simulator {

class GeminiWire final : public Wire {
 public:
  using Wire::Wire;
  Reply Handle(const Request& request, const std::string& path) override;

 private:
  Reply Generate(const Request& request, const std::string& model);
  Reply Predict(const Request& request, const std::string& model);
  Reply Interact(const Request& request);
  // Refuses, or does as the faults say: `answer` is given of what was accepted.
  Reply Pay(const Request& request, const std::string& model, const std::function<Json(const Json&)>& read,
            const std::function<Reply(const Prediction&)>& answer);

  // A webhook of what goes by `name`.
  void Tell(const Prediction& prediction, const std::string& name);
  Reply Poll(const std::string& id, const std::function<Json(const Prediction&)>& document);
  Reply Cancel(const std::string& id);
  Reply File(const std::string& id);
  std::string FileUrl(const Prediction& prediction) const;
};

}  // namespace mediagen::simulator
