// Served: a LoopbackServer whose connections carry one request each, taken apart, and answered with a status.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "support/loopback_server.h"

namespace mediagen::testing {

struct ServedRequest {
  std::string method, target;
  std::string headers;  // the header block, each line with its "\r\n"
  std::string body;
};

inline ServedRequest TakeApart(std::string_view text) {
  ServedRequest request;
  const size_t line = text.find("\r\n"), head = text.find("\r\n\r\n");
  const size_t first = text.find(' '), second = text.find(' ', first + 1);
  if (head == std::string_view::npos || second == std::string_view::npos || second > line) return request;
  request.method = text.substr(0, first);
  request.target = text.substr(first + 1, second - first - 1);
  request.headers = text.substr(line + 2, head - line);
  request.body = text.substr(head + 4);
  return request;
}

inline LoopbackServer::Script Serving(std::function<int(const ServedRequest&)> answer) {
  return [answer](LoopbackServer::Peer& peer) {
    if (auto text = peer.Read()) peer.Send(HttpAnswer(answer(TakeApart(*text)), ""));
  };
}

}  // namespace mediagen::testing
