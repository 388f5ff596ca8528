// HttpHost: a host of mediagen's HTTP-shaped surface that asks as one signed-in user and waits for each
// answer. An error of the library ends the program with a sentence. Not thread-safe.
#pragma once

#include <mediagen/mediagen.h>

#include <string>
#include <string_view>

namespace mediagen::bench {

// One answer as it came: the head lives as long as `call`, the body as long as `body.buffer`.
struct Exchange {
  mediagen_call* call = nullptr;
  int32_t status = 0;
  std::string_view headers;
  mediagen_body body{};
  bool at_once = false;  // head and body were there when mediagen_handle_begin came back

  std::string_view bytes() const;
  // The value of a header, "" without it; `name` in small letters.
  std::string Header(std::string_view name) const;
};

class HttpHost {
 public:
  // `config` is the engine's, a JSON object.
  explicit HttpHost(const std::string& config);
  ~HttpHost();
  HttpHost(const HttpHost&) = delete;
  HttpHost& operator=(const HttpHost&) = delete;

  // `headers` is "name: value\r\n"…. End frees what it holds.
  Exchange Ask(std::string_view method, std::string_view target, std::string_view headers = {},
               std::string_view body = {});
  static void End(Exchange* exchange);

  mediagen_engine* engine() const { return engine_; }

 private:
  mediagen_engine* engine_ = nullptr;
  mediagen_inbox* inbox_ = nullptr;
};

// Who asks: a user and an address, so that both rules of each limit are charged.
std::string_view BenchPrincipal();

}  // namespace mediagen::bench
