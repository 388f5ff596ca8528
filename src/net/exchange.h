// Exchange: one request on its way, over one or more curl handles (one a redirect hop). What libcurl reports
// is turned into an HttpResponse here.
//
// Not thread-safe: only the thread that drives the curl-multi loop touches it, after it was handed over.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "net/http_client.h"

namespace mediagen {

struct CurlEasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using CurlEasy = std::unique_ptr<CURL, CurlEasyDeleter>;

struct CurlListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlListDeleter>;

class Exchange {
 public:
  Exchange(HttpCallId id, HttpRequest request, HttpDone done, Clock* clock, const std::string& user_agent);

  HttpCallId id() const { return id_; }

  // Checks the request and makes the first handle. An error: nothing may be sent.
  Status Begin();
  // The handle of the present hop; owned here, its private pointer is this object.
  CURL* easy() const { return easy_.get(); }

  // What curl said of the present hop (the handle has left the multi). True: the exchange is over, response()
  // holds the outcome. False: a redirect is followed and easy() is a new handle.
  bool HopDone(CURLcode code);
  // Ends the exchange from outside, with the true progress.
  void Abort(Status why);

  // Real monotonic ms at which silence becomes a stall, or INT64_MAX.
  int64_t stall_at_ms() const;

  HttpResponse& response() { return response_; }
  HttpDone& done() { return done_; }

 private:
  Status CheckRequest() const;
  Status NewHop();
  void SetCommonOptions(CURL* easy);
  void SetGuards(CURL* easy);
  Status SetMethod(CURL* easy);
  Status SetHeaders(CURL* easy);
  bool WantsRedirect() const;
  Status Follow();
  void Finish(Status transport);
  Status TransportError(CURLcode code) const;
  std::string Where() const;

  size_t OnHeader(std::string_view line);
  size_t OnBody(std::string_view bytes);
  Status TakeBody(std::string_view bytes);
  bool OnProgress(int64_t moved);
  curl_socket_t OnOpenSocket(curl_sockaddr* address);
  bool OnConnected(const char* address);

  static size_t HeaderCallback(char* data, size_t size, size_t count, void* self);
  static size_t BodyCallback(char* data, size_t size, size_t count, void* self);
  static int ProgressCallback(void* self, curl_off_t, curl_off_t down, curl_off_t, curl_off_t up);
  static curl_socket_t OpenSocketCallback(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int PrereqCallback(void* self, char* address, char*, int, int);

  const HttpCallId id_;
  HttpRequest request_;
  HttpDone done_;
  Clock* clock_;
  const std::string& user_agent_;

  Url url_;  // of the present hop
  int hops_ = 0;
  CurlList header_list_;  // outlives easy_, which points into it
  CurlEasy easy_;
  char curl_error_[CURL_ERROR_SIZE] = {};

  HttpResponse response_;
  Status refusal_;              // why a callback of ours ended the transfer
  bool may_be_sent_ = false;    // a connection stood and curl was about to write the request, on any hop
  bool head_complete_ = false;  // of the final answer, its empty line included
  size_t header_bytes_ = 0;
  uint64_t body_bytes_ = 0;
  int64_t started_ms_ = 0;       // the engine's clock
  int64_t wire_started_ms_ = 0;  // real time, as the timeouts
  int64_t last_moved_ms_ = 0;    // real time of the last byte either way
  int64_t moved_ = -1;
};

}  // namespace mediagen
