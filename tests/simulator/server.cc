#include "simulator/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/text.h"
#include "fmt/format.h"

namespace mediagen::simulator {
namespace {

constexpr size_t kMaxHeadBytes = 64 << 10;
constexpr size_t kMaxBodyBytes = 64 << 20;

bool SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool ReceiveMore(int fd, std::string* buffered) {
  char chunk[16 << 10];
  ssize_t got = recv(fd, chunk, sizeof chunk, 0);
  if (got <= 0) return false;
  buffered->append(chunk, static_cast<size_t>(got));
  return true;
}

// The next close resets the connection instead of ending it in order.
void ArmReset(int fd) {
  linger hard{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

bool ParseHead(std::string_view head, Request* request) {
  size_t line_end = head.find("\r\n");
  std::string_view line = head.substr(0, line_end);
  size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || last <= first) return false;
  request->method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  size_t question = target.find('?');
  request->path = target.substr(0, question);
  request->query = question == std::string_view::npos ? "" : target.substr(question + 1);
  while (line_end != std::string_view::npos) {
    head.remove_prefix(line_end + 2);
    line_end = head.find("\r\n");
    line = head.substr(0, line_end);
    size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      request->headers[ToLower(Trim(line.substr(0, colon)))] = Trim(line.substr(colon + 1));
    }
  }
  return true;
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      out.push_back(static_cast<char>(value));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

}  // namespace

std::string Request::Header(const std::string& name) const {
  auto it = headers.find(name);
  return it == headers.end() ? "" : it->second;
}

std::string Request::Parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name)
      return PercentDecode(pair.substr(equals + 1));
  }
  return "";
}

bool Server::Listen(int port) {
  listener_ = Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int on = 1;
  setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_.get(), 512) != 0)
    return false;
  getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  return true;
}

void Server::Run(int stop_fd) {
  while (true) {
    pollfd watched[] = {{listener_.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
    if (poll(watched, 2, -1) < 0 && errno != EINTR) return;
    if ((watched[1].revents & (POLLIN | POLLHUP)) != 0) return;
    if ((watched[0].revents & POLLIN) == 0) continue;
    int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::vector<std::thread> finished;
    {
      std::lock_guard lock(mutex_);
      finished.swap(finished_);
      connections_.emplace(fd, std::thread([this, fd] { Serve(fd); }));
    }
    for (std::thread& thread : finished) thread.join();
  }
}

void Server::Stop() {
  std::map<int, std::thread> connections;
  std::vector<std::thread> finished;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& [fd, thread] : connections_) shutdown(fd, SHUT_RDWR);
    connections.swap(connections_);
    finished.swap(finished_);
  }
  for (auto& [fd, thread] : connections) thread.join();
  for (std::thread& thread : finished) thread.join();
}

void Server::Serve(int fd) {
  std::string buffered;
  Request request;
  while (ReadRequest(fd, &buffered, &request)) {
    if (!WriteReply(fd, handler_(request))) break;
    if (EqualsIgnoreCase(request.Header("connection"), "close")) break;
    request = {};
  }
  std::lock_guard lock(mutex_);
  auto it = connections_.find(fd);
  if (it != connections_.end()) {
    finished_.push_back(std::move(it->second));
    connections_.erase(it);
  }
  close(fd);  // under the lock: the number must not be given out again before it left the map
}

// One whole request. False when the client went away before its last byte: such a request was never accepted.
bool Server::ReadRequest(int fd, std::string* buffered, Request* request) {
  size_t end;
  while ((end = buffered->find("\r\n\r\n")) == std::string::npos) {
    if (buffered->size() > kMaxHeadBytes || !ReceiveMore(fd, buffered)) return false;
  }
  if (!ParseHead(std::string_view(*buffered).substr(0, end), request)) return false;
  buffered->erase(0, end + 4);
  const std::string length_text = request->Header("content-length");
  size_t length = 0;
  std::from_chars(length_text.data(), length_text.data() + length_text.size(), length);
  if (length > kMaxBodyBytes) return false;
  while (buffered->size() < length) {
    if (!ReceiveMore(fd, buffered)) return false;
  }
  request->body = buffered->substr(0, length);
  buffered->erase(0, length);
  return true;
}

// In small steps, so that Stop need not wait for it.
bool Server::Sleep(int64_t ms) {
  for (; ms > 0; ms -= 20) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min<int64_t>(ms, 20)));
    std::lock_guard lock(mutex_);
    if (stopping_) return false;
  }
  return true;
}

bool Server::WriteReply(int fd, const Reply& reply) {
  if (!Sleep(reply.delay_ms)) return false;
  if (reply.cut == Reply::kDropped) {
    ArmReset(fd);
    return false;
  }
  std::string head =
      fmt::format("HTTP/1.1 {} Simulated\r\nContent-Type: {}\r\n", reply.status, reply.content_type);
  for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
  const std::string_view sent =
      std::string_view(reply.body).substr(0, reply.cut == Reply::kWhole ? reply.body.size() : reply.cut_at);
  if (reply.cut == Reply::kChunkedCut) {
    SendAll(fd, fmt::format("{}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n", head, sent.size(), sent));
    return false;
  }
  const bool sent_all =
      SendAll(fd, fmt::format("{}Content-Length: {}\r\n\r\n", head, reply.body.size())) && SendAll(fd, sent);
  return sent_all && reply.cut == Reply::kWhole;
}

}  // namespace mediagen::simulator
