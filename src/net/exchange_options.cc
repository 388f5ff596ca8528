// The options of a curl handle: one for each hop of an exchange.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "fmt/format.h"
#include "net/exchange.h"
#include "net/redirect.h"

namespace mediagen {
namespace {

// "192.0.2.1" or "2001:db8::1"; "" for another family.
std::string AddressText(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address->sa_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
  } else if (address->sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text, sizeof text);
  }
  return text;
}

}  // namespace

Status Exchange::NewHop() {
  if (request_.https_only && url_.scheme != "https") {
    return Error(Code::kForbidden, fmt::format("{}: only https is allowed here.", Where()),
                 {.hint = "Use an https URL, or set allowPrivateNetwork for a server of your own."});
  }
  const int64_t left_ms = request_.timeout_ms - (SystemClock()->MonotonicMs() - wire_started_ms_);
  if (request_.timeout_ms > 0 && left_ms <= 0) {
    return Error(Code::kTimeout, fmt::format("{}: the {} ms were over before the request began.", Where(),
                                             request_.timeout_ms));
  }
  CurlEasy easy(curl_easy_init());
  if (easy == nullptr)
    return Error(Code::kOverloaded, fmt::format("{}: no memory for a connection.", Where()));
  header_bytes_ = 0;
  body_bytes_ = 0;
  moved_ = -1;
  curl_error_[0] = '\0';
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(request_.timeout_ms > 0 ? left_ms : 0));
  SetCommonOptions(easy.get());
  SetGuards(easy.get());
  RETURN_IF_ERROR(SetMethod(easy.get()));
  RETURN_IF_ERROR(SetHeaders(easy.get()));
  easy_ = std::move(easy);
  return OkStatus();
}

void Exchange::SetCommonOptions(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_URL, UrlText(url_).c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // a signed path is not to be tidied
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, curl_error_);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::max<int64_t>(request_.connect_timeout_ms, 1)));
  // A resolver that hangs must not hold up the loop when its exchange is over: the resolver's thread is left
  // to end by itself.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);

  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &Exchange::ProgressCallback);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Exchange::HeaderCallback);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Exchange::BodyCallback);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  if (request_.sink == nullptr) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");

  if (request_.once) {
    // libcurl resends a request whose reused connection died without an answer byte, and one whose HTTP/2
    // stream was refused. A connection of its own, in HTTP/1.1, leaves it no occasion for either.
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  }
}

void Exchange::SetGuards(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, request_.https_only ? "https" : "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY,
                   "");  // no proxy from the environment: it would do the connecting, unguarded
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Exchange::OpenSocketCallback);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  // Asked also for a connection out of the pool, which an unguarded exchange may have opened.
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &Exchange::PrereqCallback);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
}

Status Exchange::SetMethod(CURL* easy) {
  const std::string& method = request_.method;
  if (method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (method != "GET" &&
             (method == "POST" || method == "PUT" || method == "PATCH" || !request_.body.empty())) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    if (method != "POST") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  } else if (method != "GET") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  } else if (!request_.body.empty()) {
    return Error(Code::kInvalid, fmt::format("{}: a GET carries no body.", Where()));
  }
  return OkStatus();
}

Status Exchange::SetHeaders(CURL* easy) {
  CurlList list;
  bool agent = false, type = false, failed = false;
  auto append = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    failed = failed || longer == nullptr;
    if (longer != nullptr) {
      (void)list.release();
      list.reset(longer);
    }
  };
  for (const auto& [name, value] : request_.headers) {
    agent = agent || EqualsIgnoreCase(name, "user-agent");
    type = type || EqualsIgnoreCase(name, "content-type");
    // "Name;" is curl's way to send a header without a value; "Name:" would take it out.
    append(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  if (!agent) append("User-Agent: " + user_agent_);
  if (!type) append("Content-Type:");  // curl would claim that it is a form
  append("Expect:");                   // a 417 would have curl send the request again without it
  if (failed) return Error(Code::kOverloaded, fmt::format("{}: no memory for the headers.", Where()));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list.get());
  easy_.reset();  // the former hop's handle points into the former list
  header_list_ = std::move(list);
  return OkStatus();
}

curl_socket_t Exchange::OnOpenSocket(curl_sockaddr* address) {
  const std::string text = AddressText(&address->addr);
  if (request_.guard_address && !IsPublicAddress(text)) {
    refusal_ = Error(Code::kForbidden,
                     fmt::format("{}: the host's address {} is private or reserved.", Where(), text),
                     {.hint = "Only public addresses are fetched from. Set allowPrivateNetwork for a "
                              "provider of your own network."});
    return CURL_SOCKET_BAD;
  }
  int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  return fd < 0 ? CURL_SOCKET_BAD : fd;
}

bool Exchange::OnConnected(const char* address) {
  if (request_.guard_address && !IsPublicAddress(address)) {
    refusal_ = Error(Code::kForbidden,
                     fmt::format("{}: the host's address {} is private or reserved.", Where(), address));
    return false;
  }
  refusal_ = OkStatus();  // another address of the host may have been refused before this one connected
  may_be_sent_ = true;
  return true;
}

curl_socket_t Exchange::OpenSocketCallback(void* self, curlsocktype, curl_sockaddr* address) {
  return static_cast<Exchange*>(self)->OnOpenSocket(address);
}

int Exchange::PrereqCallback(void* self, char* address, char*, int, int) {
  return static_cast<Exchange*>(self)->OnConnected(address) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

}  // namespace mediagen
