// OpenAI's wire, as a server sees it: pictures (made and edited), videos, embeddings. The baseUrl is
// <origin>/openai/v1.
#pragma once

#include <string>

#include "simulator/wire.h"

namespace mediagen::simulator {

class OpenAi final : public Wire {
 public:
  using Wire::Wire;
  Reply Handle(const Request& request, const std::string& path) override;

 private:
  Reply MakePictures(const Request& request, bool edit);
  Reply MakeVideo(const Request& request);
  Reply Pictures(const Prediction& prediction, const Json& body);
  Reply GetVideo(const std::string& id);
  Reply DeleteVideo(const std::string& id);
  Reply VideoContent(const std::string& id);
  Reply File(const std::string& path);
  Reply Embed(const Request& request);
};

}  // namespace mediagen::simulator
