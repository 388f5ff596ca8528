#include "simulator/webhooks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <charconv>
#include <chrono>

#include "base/clock.h"
#include "base/file.h"
#include "fmt/format.h"

namespace mediagen::simulator {
namespace {

constexpr int kMaxTries = 6;
constexpr int64_t kAgainMs = 100;  // doubled by every try
constexpr time_t kAnswerWithinS = 10;
constexpr std::chrono::seconds kCountWithin(15);

int64_t Now() { return SystemClock()->WallMs(); }

// The status of the answer; 0 when there is none, and for a URL that is not on loopback.
int Post(const std::string& url, const HttpHeaders& headers, const std::string& body) {
  StatusOr<Url> target = ParseUrl(url);
  if (!target.ok() || target->scheme != "http" || target->host != "127.0.0.1") return 0;
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{.tv_sec = kAnswerWithinS, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(target->port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 0;
  std::string request = fmt::format("POST {} HTTP/1.1\r\nHost: {}:{}\r\nContent-Type: application/json\r\n",
                                    target->path_and_query, target->host, target->port);
  for (const auto& [name, value] : headers) request += fmt::format("{}: {}\r\n", name, value);
  request += fmt::format("Content-Length: {}\r\nConnection: close\r\n\r\n{}", body.size(), body);
  for (std::string_view rest = request; !rest.empty();) {
    const ssize_t sent = send(fd.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent <= 0) return 0;
    rest.remove_prefix(static_cast<size_t>(sent));
  }
  std::string head;
  char chunk[4096];
  while (head.find("\r\n") == std::string::npos) {
    const ssize_t got = recv(fd.get(), chunk, sizeof chunk, 0);
    if (got <= 0) return 0;
    head.append(chunk, static_cast<size_t>(got));
  }
  int status = 0;
  if (head.starts_with("HTTP/1.1 ")) std::from_chars(head.data() + 9, head.data() + head.size(), status);
  return status;
}

}  // namespace

void Webhooks::SetUrl(const std::string& provider, const std::string& url) {
  std::lock_guard lock(mutex_);
  urls_[provider] = url;
}

void Webhooks::Expect(const std::string& provider, const Prediction& prediction, Body body) {
  const Json fault = prediction.fault.value("webhook", Json::object());
  if (IsTrue(fault, "never") || IsTrue(prediction.fault, "hang")) return;
  std::lock_guard lock(mutex_);
  Delivery delivery{.provider = provider,
                    .id = prediction.id,
                    .url = prediction.webhook.empty() ? urls_[provider] : prediction.webhook,
                    .fault = fault,
                    .body = std::move(body)};
  if (delivery.url.empty() || stopping_) return;
  delivery.times = IntOf(fault, "times", 1);
  const int64_t due = IsTrue(fault, "early") ? Now() : prediction.created_ms + prediction.work_ms;
  due_.emplace(due, std::move(delivery));
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  changed_.notify_all();
}

std::string Webhooks::Text(size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kCountWithin, [&] { return stopping_ || lines_ >= count; });
  return text_;
}

void Webhooks::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Webhooks::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const int64_t wait_ms = due_.empty() ? 3'600'000 : due_.begin()->first - Now();
    if (wait_ms > 0) {
      changed_.wait_for(lock, std::chrono::milliseconds(wait_ms));
      continue;
    }
    Delivery delivery = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    lock.unlock();
    Send(std::move(delivery));
    lock.lock();
  }
}

void Webhooks::Send(Delivery delivery) {
  const std::string body = delivery.body();
  const int64_t now_s = Now() / 1000 - (IsTrue(delivery.fault, "stale") ? 3600 : 0);
  HttpHeaders headers;
  if (!IsTrue(delivery.fault, "unsigned"))
    headers =
        SignWebhook(delivery.provider, delivery.id, body, now_s, IsTrue(delivery.fault, "badSignature"));
  const int status = Post(delivery.url, headers, body);
  const bool taken = status >= 200 && status < 300;
  const Json line = {{"provider", delivery.provider}, {"id", delivery.id}, {"status", status}};
  std::lock_guard lock(mutex_);
  text_ += Dump(line) + "\n";
  ++lines_;
  changed_.notify_all();
  if (taken && --delivery.times <= 0) return;
  if (!taken && ++delivery.tries >= kMaxTries) return;
  due_.emplace(Now() + (taken ? 0 : kAgainMs << delivery.tries), std::move(delivery));
}

}  // namespace mediagen::simulator
