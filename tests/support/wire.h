// Answers as they come from the wire, for tests that parse them.
#pragma once

#include <string>
#include <utility>

#include "base/text.h"
#include "net/http_client.h"

namespace mediagen::testing {

// A complete answer. Header names in lower case.
inline HttpResponse Answer(int status, std::string body, HttpHeaders headers = {}) {
  HttpResponse response;
  response.progress = HttpProgress::kAnswered;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

// The request went out; the answer broke off after this much (status 0: before its head).
inline HttpResponse Broken(int status, std::string body) {
  HttpResponse response = Answer(status, std::move(body));
  response.progress = HttpProgress::kSent;
  response.transport = Error(Code::kUnavailable, "the connection broke");
  return response;
}

// No byte of the request was written.
inline HttpResponse NotSent(Status why) {
  HttpResponse response;
  response.transport = std::move(why);
  return response;
}

}  // namespace mediagen::testing
