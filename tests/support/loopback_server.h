// LoopbackServer: a server on 127.0.0.1 for tests that decides every byte. Each connection runs a script on a
// thread of its own.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "fmt/format.h"

namespace mediagen::testing {

// "HTTP/1.1 <status> X" with a Content-Length; `headers` are whole lines with their "\r\n".
inline std::string HttpAnswer(int status, std::string_view body, std::string_view headers = "") {
  return fmt::format("HTTP/1.1 {} X\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(), body);
}

class LoopbackServer {
 public:
  // One connection, as the script sees it. Leaving the script closes it in order.
  class Peer {
   public:
    explicit Peer(LoopbackServer* server, int fd, int index) : server_(server), fd_(fd), index_(index) {}
    // Counts from 0, over all connections of the server.
    int index() const { return index_; }
    // The next whole request, head and body; nullopt when the client has closed.
    std::optional<std::string> Read() {
      size_t end;
      while ((end = buffered_.find("\r\n\r\n")) == std::string::npos) {
        if (!More()) return std::nullopt;
      }
      size_t length = 0, at = buffered_.find("Content-Length: ");
      if (at != std::string::npos && at < end)
        length = std::strtoull(buffered_.c_str() + at + 16, nullptr, 10);
      while (buffered_.size() < end + 4 + length) {
        if (!More()) return std::nullopt;
      }
      std::string request = buffered_.substr(0, end + 4 + length);
      buffered_.erase(0, request.size());
      server_->Note(request);
      return request;
    }
    // What came up to `end` and with it, for other protocols; nullopt when the client has closed.
    std::optional<std::string> ReadTo(std::string_view end) {
      size_t at;
      while ((at = buffered_.find(end)) == std::string::npos) {
        if (!More()) return std::nullopt;
      }
      std::string piece = buffered_.substr(0, at + end.size());
      buffered_.erase(0, piece.size());
      return piece;
    }
    void Send(std::string_view bytes) {
      while (!bytes.empty()) {
        ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes.remove_prefix(static_cast<size_t>(sent));
      }
    }
    // The close to come is a reset.
    void ResetOnClose() {
      linger hard{.l_onoff = 1, .l_linger = 0};
      setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    // Keeps still until the client, or the server's destructor, ends the connection.
    void WaitForClose() {
      while (More()) {
      }
    }

   private:
    bool More() {
      char chunk[8192];
      ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
      if (got <= 0) return false;
      buffered_.append(chunk, static_cast<size_t>(got));
      return true;
    }
    LoopbackServer* server_;
    const int fd_;
    const int index_;
    std::string buffered_;
  };
  using Script = std::function<void(Peer&)>;

  explicit LoopbackServer(Script script) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 64) != 0)
      std::abort();
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~LoopbackServer() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      for (int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    close(listener_);
  }

  // Answers every request of every connection with what `answer` makes of it.
  static Script Answering(std::function<std::string(const std::string& request)> answer) {
    return [answer](Peer& peer) {
      while (auto request = peer.Read()) peer.Send(answer(*request));
    };
  }

  int port() const { return port_; }
  std::string url(std::string_view path = "/") const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
  }
  int connections() const { return connections_; }
  std::vector<std::string> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void Note(const std::string& request) {
    std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  void Accept() {
    while (true) {
      int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      std::lock_guard lock(mutex_);
      if (stopping_) {
        close(fd);
        return;
      }
      open_.push_back(fd);
      threads_.emplace_back([this, fd, index = connections_++] { Serve(fd, index); });
    }
  }
  void Serve(int fd, int index) {
    Peer peer(this, fd, index);
    script_(peer);
    std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    close(fd);
  }

  const Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::thread acceptor_;
  mutable std::mutex mutex_;
  bool stopping_ = false;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::vector<std::string> requests_;
};

}  // namespace mediagen::testing
