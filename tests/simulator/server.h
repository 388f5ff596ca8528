// A small HTTP/1.1 server on 127.0.0.1: a thread a connection, keep-alive, and answers that can be late, cut
// short or withheld.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/file.h"
#include "net/http_client.h"

namespace mediagen::simulator {

struct Request {
  std::string method, path, query;             // `path` without the query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  // The header of that (lower-case) name, or "".
  std::string Header(const std::string& name) const;
  // The decoded query parameter, or "".
  std::string Parameter(std::string_view name) const;
};

struct Reply {
  enum Cut {
    kWhole,
    kDropped,     // not a byte is sent; the connection is reset
    kTruncated,   // the head promises more than is sent
    kChunkedCut,  // a chunked body whose last chunk never comes
  };
  int status = 200;
  std::string content_type = "application/json";
  HttpHeaders headers;
  std::string body;
  Cut cut = kWhole;
  size_t cut_at = 0;     // bytes of the body that are sent all the same
  int64_t delay_ms = 0;  // before the first byte
};

// Called on the connection's thread; must be thread-safe.
using Handler = std::function<Reply(const Request&)>;

class Server {
 public:
  explicit Server(Handler handler) : handler_(std::move(handler)) {}
  ~Server() { Stop(); }

  // Listens on 127.0.0.1:`port` (0: any). False when the port is taken.
  bool Listen(int port);
  int port() const { return port_; }
  // Accepts until `stop_fd` is readable.
  void Run(int stop_fd);
  // Cuts every connection and joins its thread.
  void Stop();

 private:
  void Serve(int fd);
  bool ReadRequest(int fd, std::string* buffered, Request* request);
  // False: the connection is over.
  bool WriteReply(int fd, const Reply& reply);
  bool Sleep(int64_t ms);

  const Handler handler_;
  Fd listener_;
  int port_ = 0;
  std::mutex mutex_;
  bool stopping_ = false;
  std::map<int, std::thread>
      connections_;  // by descriptor; a finished one is joined when its descriptor is taken again
  std::vector<std::thread> finished_;
};

}  // namespace mediagen::simulator
