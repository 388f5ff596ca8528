// HttpClient: one curl-multi loop. All HTTP of mediagen leaves through it.
//
// Thread-safe. A paid request (`once`) is sent on a fresh connection, never redirected, never retried by any
// layer: libcurl 7.88 itself resends a POST whose reused connection died with no answer byte. Requests to
// addresses that came from outside (`guard`) may connect to public addresses only; the check is made on the
// connected address (CURLOPT_OPENSOCKETFUNCTION), which defeats DNS rebinding and odd spellings of IPv4.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "base/status.h"

namespace mediagen {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  HttpHeaders headers;  // values may be secret: never logged
  std::string body;
  int64_t timeout_ms = 60'000;  // the whole exchange
  int64_t connect_timeout_ms = 10'000;
  int64_t stall_timeout_ms = 30'000;    // no byte either way for so long
  uint64_t max_body_bytes = 64u << 20;  // of the answer, decoded; more ends the exchange with kTooLarge
  bool once = false;                    // a paid request: fresh connection, no redirect, no retry
  int max_redirects =
      0;  // followed by hand, each hop checked again, credentials dropped when the origin changes
  bool guard_address = true;  // refuse private and reserved addresses
  bool https_only = true;     // plain http only where the caller opted in
  // Takes a 2xx body in pieces (other bodies are collected, 64 KB of them); an error ends the exchange.
  // Called on the net thread: must not block long.
  std::function<Status(std::string_view)> sink;
};

// How far an exchange came; what pipeline.md step 3 decides by.
enum class HttpProgress {
  kNotSent,   // no request byte was written: rejected for certain
  kSent,      // some request byte may have reached the server; no complete answer
  kAnswered,  // a complete answer
};

struct HttpResponse {
  HttpProgress progress = HttpProgress::kNotSent;
  Status transport;     // OK exactly when progress is kAnswered
  int status = 0;       // of the answer, when its head arrived
  HttpHeaders headers;  // names in lower case
  std::string body;
  std::string final_url;
  int64_t elapsed_ms = 0;

  // The first header of that (lower-case) name, or "".
  std::string_view Header(std::string_view name) const;
};

using HttpDone = std::function<void(HttpResponse)>;
using HttpCallId = uint64_t;

class HttpClient {
 public:
  virtual ~HttpClient() = default;

  // Starts the exchange; `done` is called exactly once, through the executor the client was made with. Never
  // blocks.
  virtual HttpCallId Send(HttpRequest request, HttpDone done) = 0;
  // Ends an exchange early; `done` still comes, with kCanceled and the true progress.
  virtual void Cancel(HttpCallId call) = 0;
  // Drives the loop on the caller's thread for at most wait_ms (no thread of its own: `workers: "manual"`).
  // True when something happened. One at a time.
  virtual bool Poll(int64_t wait_ms) = 0;
  // Interrupts a Poll. Thread-safe.
  virtual void Wake() = 0;
  // How many exchanges are under way.
  virtual size_t active() const = 0;
  // Cancels what is under way, waits for its `done` calls to be posted, joins the thread. Not from within a
  // sink or an inline `done`.
  virtual void Stop() = 0;
};

struct HttpClientOptions {
  bool threaded = true;  // false: somebody calls Poll
  size_t max_connections = 256;
  std::string user_agent = "mediagen/0.1";
};
StatusOr<std::unique_ptr<HttpClient>> NewHttpClient(Clock* clock, Executor* executor, Metrics* metrics,
                                                    const HttpClientOptions& options);

// Whether `address` (text, IPv4 or IPv6) is one that a guarded request may connect to.
bool IsPublicAddress(std::string_view address);

// A URL split up, percent-encoding kept. kInvalid for anything but absolute http(s) without credentials.
struct Url {
  std::string scheme, host, path_and_query;
  int port = 0;                // 443 and 80 where absent
  std::string origin() const;  // "https://host:port", lower case
};
StatusOr<Url> ParseUrl(std::string_view text);
// Percent-encodes all but RFC 3986 unreserved characters.
std::string PercentEncode(std::string_view text);

}  // namespace mediagen
