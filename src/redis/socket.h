// Addresses and sockets of a Redis: names are looked up beside the loop, connections begin without waiting.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "redis/url.h"

namespace mediagen::redis {

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

// One look-up. getaddrinfo cannot be interrupted and may take half a minute, so a name is looked up by a
// thread of its own, which ends by itself and holds on to nothing but this.
class Lookup {
 public:
  // Finished at once for a Unix socket, a numeric address, and without `beside` (the caller's thread then
  // does it). Otherwise `wake` is called, by the other thread, when it is.
  static std::shared_ptr<Lookup> Start(const RedisUrl& url, bool beside, std::function<void()> wake);

  bool finished();
  // kUnavailable when there is no such name. Only when finished.
  const StatusOr<std::vector<Address>>& addresses() const { return addresses_; }

 private:
  std::mutex mutex_;
  bool finished_ = false;
  StatusOr<std::vector<Address>> addresses_ = std::vector<Address>();
};

// A socket that is connected or about to be: it becomes writable when that is decided.
StatusOr<Fd> BeginConnect(const Address& address);
// How the connection that BeginConnect began ended.
Status ConnectOutcome(int fd);
// "could not connect: Connection refused": what the system says of `error`, an errno. kUnavailable.
Status SocketError(int error, std::string_view verb);

}  // namespace mediagen::redis
