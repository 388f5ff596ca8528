#include "redis/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <system_error>

#include "base/executor.h"
#include "fmt/format.h"

namespace mediagen::redis {
namespace {

Address UnixAddress(const std::string& path) {
  Address address;
  auto* name = reinterpret_cast<sockaddr_un*>(&address.bytes);
  name->sun_family = AF_UNIX;
  std::memcpy(name->sun_path, path.data(), path.size());  // ParseRedisUrl made sure that it fits
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

// The addresses of a TCP URL; numeric ones only where `flags` says so.
StatusOr<std::vector<Address>> Ask(const std::string& host, int port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0)
    return Error(Code::kUnavailable,
                 fmt::format("the host \"{}\" is not found: {}", host, gai_strerror(error)));
  std::vector<Address> addresses;
  for (const addrinfo* each = found; each != nullptr && addresses.size() < 8; each = each->ai_next) {
    Address address;
    std::memcpy(&address.bytes, each->ai_addr, each->ai_addrlen);
    address.size = each->ai_addrlen;
    addresses.push_back(address);
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

std::shared_ptr<Lookup> Lookup::Start(const RedisUrl& url, bool beside, std::function<void()> wake) {
  auto lookup = std::make_shared<Lookup>();
  lookup->finished_ = true;
  if (!url.path.empty()) {
    lookup->addresses_ = std::vector<Address>{UnixAddress(url.path)};
    return lookup;
  }
  lookup->addresses_ = Ask(url.host, url.port, beside ? AI_NUMERICHOST : 0);
  if (lookup->addresses_.ok() || !beside) return lookup;
  lookup->finished_ = false;
  try {
    Thread thread("mediagen-dns", [lookup, host = url.host, port = url.port, wake = std::move(wake)] {
      auto addresses = Ask(host, port, 0);
      {
        std::lock_guard lock(lookup->mutex_);
        lookup->addresses_ = std::move(addresses);
        lookup->finished_ = true;
      }
      wake();
    });
    thread.Detach();
  } catch (const std::system_error&) {
    lookup->addresses_ = Error(Code::kUnavailable, "there is no thread to look up the host with");
    lookup->finished_ = true;
  }
  return lookup;
}

bool Lookup::finished() {
  std::lock_guard lock(mutex_);
  return finished_;
}

Status SocketError(int error, std::string_view verb) {
  return Error(Code::kUnavailable,
               fmt::format("could not {}: {}", verb, std::generic_category().message(error)));
}

StatusOr<Fd> BeginConnect(const Address& address) {
  const int family = address.bytes.ss_family;
  Fd fd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return SocketError(errno, "make a socket");
  if (family != AF_UNIX) {
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  }
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.size) == 0) return fd;
  if (errno == EINPROGRESS) return fd;
  return SocketError(errno, "connect");
}

Status ConnectOutcome(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return error == 0 ? OkStatus() : SocketError(error, "connect");
}

}  // namespace mediagen::redis
