#include "net/exchange.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <new>

#include "fmt/format.h"
#include "net/redirect.h"

namespace mediagen {
namespace {

// The wire runs in real time, whatever the engine's clock says: turning a fake clock forward must not make a
// healthy exchange look stalled.
int64_t WireMs() { return SystemClock()->MonotonicMs(); }

}  // namespace

Exchange::Exchange(HttpCallId id, HttpRequest request, HttpDone done, Clock* clock,
                   const std::string& user_agent)
    : id_(id), request_(std::move(request)), done_(std::move(done)), clock_(clock), user_agent_(user_agent) {
  started_ms_ = clock_->MonotonicMs();
  wire_started_ms_ = last_moved_ms_ = WireMs();
}

Status Exchange::Begin() {
  ASSIGN_OR_RETURN(url_, ParseUrl(request_.url));
  RETURN_IF_ERROR(CheckRequest());
  return NewHop();
}

Status Exchange::CheckRequest() const {
  constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";  // RFC 9110 §5.6.2
  auto is_token = [&](std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
      return (c < 0x80 && std::isalnum(c)) ||
             kTokenMarks.find(static_cast<char>(c)) != std::string_view::npos;
    });
  };
  if (!is_token(request_.method))
    return Error(Code::kInvalid, fmt::format("{}: the method is not a token.", Where()));
  for (const auto& [name, value] : request_.headers) {
    // A line break in a value would smuggle in another header, or another request.
    if (!is_token(name) || value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return Error(Code::kInvalid,
                   fmt::format("{}: the header \"{}\" has a character that headers cannot carry.", Where(),
                               Shorten(name, 60)));
    }
  }
  return OkStatus();
}

std::string Exchange::Where() const {
  return fmt::format("{} {}", Shorten(request_.method, 16), url_.origin());
}

bool Exchange::WantsRedirect() const {
  const bool readable = request_.method == "GET" || request_.method == "HEAD";
  return readable && !request_.once && request_.max_redirects > 0 && IsRedirect(response_.status) &&
         !response_.Header("location").empty();
}

bool Exchange::HopDone(CURLcode code) {
  if (code == CURLE_OK && refusal_.ok()) {
    if (!head_complete_) {  // libcurl takes a connection that ends within the head for an answer
      Finish(Error(Code::kUnavailable,
                   fmt::format("{}: the connection ended within the answer's head.", Where())));
      return true;
    }
    if (!WantsRedirect()) {
      response_.progress = HttpProgress::kAnswered;
      Finish(OkStatus());
      return true;
    }
    Status followed = Follow();
    if (followed.ok()) return false;
    Finish(std::move(followed));
    return true;
  }
  Finish(refusal_.ok() ? TransportError(code) : refusal_);
  return true;
}

Status Exchange::Follow() {
  if (++hops_ > request_.max_redirects) {
    return Error(Code::kUnavailable,
                 fmt::format("{}: more than {} redirects.", Where(), request_.max_redirects));
  }
  StatusOr<Url> next = ResolveLocation(url_, response_.Header("location"));
  if (!next.ok()) return Annotate(next.status(), fmt::format("{} redirects", Where()));
  if (next->origin() != url_.origin()) request_.headers = WithoutCredentials(request_.headers);
  url_ = std::move(*next);
  response_.headers.clear();
  response_.body.clear();
  response_.status = 0;
  head_complete_ = false;
  return NewHop();
}

void Exchange::Abort(Status why) { Finish(std::move(why)); }

void Exchange::Finish(Status transport) {
  if (!transport.ok()) {
    response_.progress = may_be_sent_ ? HttpProgress::kSent : HttpProgress::kNotSent;
  }
  response_.transport = std::move(transport);
  response_.final_url = url_.host.empty() ? request_.url : UrlText(url_);
  response_.elapsed_ms = clock_->MonotonicMs() - started_ms_;
  request_.sink = nullptr;
}

int64_t Exchange::stall_at_ms() const {
  return request_.stall_timeout_ms > 0 ? last_moved_ms_ + request_.stall_timeout_ms : INT64_MAX;
}

Status Exchange::TransportError(CURLcode code) const {
  std::string_view said = curl_error_[0] != '\0' ? std::string_view(curl_error_) : curl_easy_strerror(code);
  const std::string message = fmt::format("{}: {}.", Where(), Shorten(said, 200));
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Error(Code::kTimeout, message,
                   {.hint = "The other side or the network is slow; try again later."});
    case CURLE_OUT_OF_MEMORY:
      return Error(Code::kOverloaded, message);
    case CURLE_COULDNT_RESOLVE_HOST:
      return Error(Code::kUnavailable, message, {.hint = "Check the host name and this machine's DNS."});
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
      return Error(Code::kUnavailable, message,
                   {.hint = "Check the server's certificate and this machine's CA bundle and time."});
    default:
      return Error(Code::kUnavailable, message);
  }
}

// --- what curl calls ---

size_t Exchange::OnHeader(std::string_view line) {
  if (line.empty()) return 0;
  constexpr size_t kMaxHeaderBytes = 256 << 10;
  if ((header_bytes_ += line.size()) > kMaxHeaderBytes) {
    refusal_ = Error(Code::kTooLarge, fmt::format("{}: the answer's headers have more than {} bytes.",
                                                  Where(), kMaxHeaderBytes));
    return 0;
  }
  if (line.starts_with("HTTP/")) {  // a new head; what an interim 1xx said is forgotten
    response_.headers.clear();
    response_.status = 0;
    head_complete_ = false;
    size_t space = line.find(' ');
    if (space != std::string_view::npos) {
      std::from_chars(line.data() + space + 1, line.data() + line.size(), response_.status);
    }
    return line.size();
  }
  size_t colon = line.find(':');
  if (line == "\r\n" || line == "\n") head_complete_ = response_.status >= 200;
  const bool continued = line.front() == ' ' || line.front() == '\t';  // obsolete folding, RFC 9112 §5.2
  if (!continued && colon != std::string_view::npos && colon > 0) {
    response_.headers.emplace_back(ToLower(Trim(line.substr(0, colon))),
                                   std::string(Trim(line.substr(colon + 1))));
  }
  return line.size();
}

size_t Exchange::OnBody(std::string_view bytes) {
  refusal_ = TakeBody(bytes);
  return refusal_.ok() ? bytes.size() : 0;
}

Status Exchange::TakeBody(std::string_view bytes) {
  constexpr uint64_t kMaxErrorBytes = 64 << 10;  // enough of a failed download's page to say why
  body_bytes_ += bytes.size();
  if (body_bytes_ > request_.max_body_bytes) {
    return Error(Code::kTooLarge,
                 fmt::format("{}: the answer has more than {} bytes.", Where(), request_.max_body_bytes));
  }
  if (WantsRedirect()) return OkStatus();
  if (request_.sink == nullptr) {
    response_.body.append(bytes);
  } else if (response_.status >= 200 && response_.status < 300) {
    return request_.sink(bytes);
  } else {
    response_.body.append(
        bytes.substr(0, kMaxErrorBytes - std::min(kMaxErrorBytes, uint64_t{response_.body.size()})));
  }
  return OkStatus();
}

// False ends the transfer.
bool Exchange::OnProgress(int64_t moved) {
  const int64_t now = WireMs();
  if (moved != moved_) {
    moved_ = moved;
    last_moved_ms_ = now;
    return true;
  }
  if (now < stall_at_ms()) return true;
  refusal_ = Error(Code::kTimeout,
                   fmt::format("{}: no byte came or went for {} ms.", Where(), request_.stall_timeout_ms));
  return false;
}

size_t Exchange::HeaderCallback(char* data, size_t size, size_t count, void* self) {
  try {
    return static_cast<Exchange*>(self)->OnHeader({data, size * count});
  } catch (const std::bad_alloc&) {
    return 0;  // curl then reports a write error
  }
}

size_t Exchange::BodyCallback(char* data, size_t size, size_t count, void* self) {
  try {
    return static_cast<Exchange*>(self)->OnBody({data, size * count});
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

int Exchange::ProgressCallback(void* self, curl_off_t, curl_off_t down, curl_off_t, curl_off_t up) {
  return static_cast<Exchange*>(self)->OnProgress(int64_t{down} + int64_t{up}) ? 0 : 1;
}

}  // namespace mediagen
