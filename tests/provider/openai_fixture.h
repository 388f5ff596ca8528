// What the tests of OpenAI's wire share.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "provider/replicate_fixture.h"

namespace mediagen::testing {

inline ProviderConfig OpenAiConfig() {
  ProviderConfig config;
  config.name = "openai";
  config.api_key = "sk-secret-key";
  return config;
}

// A server of one's own that speaks the wire, and asks for no key.
inline ProviderConfig LocalConfig() {
  ProviderConfig config;
  config.name = "local";
  config.type = "openai";
  config.base_url = "http://127.0.0.1:8080/v1";
  config.allow_private_network = true;
  return config;
}

inline std::unique_ptr<Adapter> NewOpenAi(ProviderConfig config = OpenAiConfig()) {
  return NewAdapter(std::move(config)).value();
}

inline PartRequest Fox(std::string model = "gpt-image-1") {
  PartRequest part;
  part.model = std::move(model);
  part.prompt = "a red fox";
  return part;
}

inline PartRequest FoxVideo(std::string model = "sora-2") {
  PartRequest part = Fox(std::move(model));
  part.kind = "video";
  return part;
}

inline Reference Picture(std::string bytes, std::string role = "", std::string media_type = "image/png") {
  Reference reference;
  reference.bytes = BufferRef::Own(std::move(bytes));
  reference.media_type = std::move(media_type);
  reference.role = std::move(role);
  return reference;
}

// The form's body with its random boundary written as "BOUNDARY".
inline std::string FormOf(const HttpRequest& request) {
  const std::string type = HeaderOf(request, "content-type"), start = "multipart/form-data; boundary=";
  if (!type.starts_with(start)) return "not a form: " + type;
  const std::string boundary = type.substr(start.size());
  std::string body = request.body;
  for (size_t at = 0; (at = body.find(boundary, at)) != std::string::npos; at += 8)
    body.replace(at, boundary.size(), "BOUNDARY");
  return body;
}

inline std::string TextPart(const std::string& name, const std::string& text) {
  return "--BOUNDARY\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + text + "\r\n";
}

inline std::string FilePart(const std::string& name, const std::string& file, const std::string& type,
                            const std::string& bytes) {
  return "--BOUNDARY\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"" + file +
         "\"\r\nContent-Type: " + type + "\r\n\r\n" + bytes + "\r\n";
}

}  // namespace mediagen::testing
