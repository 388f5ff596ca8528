// A few lines of C++ over the C ABI: all that the demo needs of it.
#pragma once

#include <mediagen/mediagen.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace demo {

using Json = nlohmann::json;

// Ends the program with the error's message and hint.
[[noreturn]] void Fail(const std::string& what, mediagen_error* error);

struct Answer {
  int32_t status = 0;
  std::string headers;
  size_t body_bytes = 0;
  std::string etag, content_type;
};

class Engine {
 public:
  explicit Engine(const Json& config);
  ~Engine();

  Json Submit(const Json& request);
  Json Get(const std::string& id);
  Json List(const Json& query);
  Answer Fetch(const std::string& target, const std::string& headers = "");
  // Hands back what it holds and stops.
  void Close(int64_t grace_ms);

 private:
  Json Wait(mediagen_call* call, const char* what);
  mediagen_engine* engine_ = nullptr;
};

}  // namespace demo
