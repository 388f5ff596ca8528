#include "support/http_host.h"

#include <poll.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace mediagen::bench {
namespace {

mediagen_str Str(std::string_view text) { return {text.data(), text.size()}; }

// The error by reference: the call that sets it stands among the arguments.
void Check(int32_t code, mediagen_error* const& error) {
  if (code >= 0) return;
  std::string why;
  if (error != nullptr) why = {mediagen_error_json(error).data, mediagen_error_json(error).size};
  std::fprintf(stderr, "benchmark: %s %s\n", mediagen_code_name(code), why.c_str());
  std::exit(1);
}

// Waits until the inbox has something, and reads all of it.
void Await(mediagen_inbox* inbox) {
  pollfd ready{mediagen_inbox_fd(inbox), POLLIN, 0};
  poll(&ready, 1, -1);
  uint64_t tag = 0;
  int32_t kind = MEDIAGEN_KIND_DONE;
  mediagen_buffer* event = nullptr;
  while (kind != MEDIAGEN_KIND_EMPTY) Check(mediagen_inbox_next(inbox, &tag, &kind, &event), nullptr);
}

void WriteBody(mediagen_call* call, mediagen_inbox* inbox, std::string_view body) {
  while (!body.empty()) {
    size_t taken = 0;
    const int32_t code = mediagen_call_write(call, Str(body), &taken);
    if (code == MEDIAGEN_CLOSED) return;
    Check(code, nullptr);
    body.remove_prefix(taken);
    if (!body.empty()) Await(inbox);
  }
  Check(mediagen_call_end(call), nullptr);
}

}  // namespace

std::string_view BenchPrincipal() { return R"({"user": "u1", "ip": "203.0.113.7"})"; }

std::string_view Exchange::bytes() const {
  if (body.kind != MEDIAGEN_BODY_BYTES) return {};
  return {mediagen_buffer_view(body.buffer).data + body.offset, body.length};
}

std::string Exchange::Header(std::string_view name) const {
  for (std::string_view rest = headers; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(rest.size(), line.size() + 2));
    bool same = line.size() > name.size() && line[name.size()] == ':';
    for (size_t i = 0; same && i < name.size(); ++i) same = std::tolower(line[i]) == name[i];
    if (same) return std::string(line.substr(name.size() + 2));
  }
  return "";
}

HttpHost::HttpHost(const std::string& config) {
  mediagen_error* error = nullptr;
  Check(mediagen_open(MEDIAGEN_ABI, Str(config), &engine_, &error), error);
  Check(mediagen_inbox_new(&inbox_, &error), error);
}

HttpHost::~HttpHost() {
  mediagen_inbox_free(inbox_);
  mediagen_engine_free(engine_);
}

Exchange HttpHost::Ask(std::string_view method, std::string_view target, std::string_view headers,
                       std::string_view body) {
  Exchange exchange;
  exchange.body.struct_size = sizeof exchange.body;
  mediagen_error* error = nullptr;
  const int32_t begun =
      mediagen_handle_begin(engine_, Str(method), Str(target), Str(headers), Str(BenchPrincipal()),
                            {nullptr, 0}, inbox_, 1, &exchange.call, &error);
  Check(begun, error);
  exchange.at_once = begun == MEDIAGEN_OK;
  if (!exchange.at_once && method != "GET" && method != "HEAD") WriteBody(exchange.call, inbox_, body);
  mediagen_str head{};
  for (;;) {
    const int32_t code = mediagen_response_head(exchange.call, &exchange.status, &head);
    Check(code, nullptr);
    if (code != MEDIAGEN_PENDING) break;
    Await(inbox_);
  }
  exchange.headers = {head.data, head.size};
  for (;;) {
    const int32_t code = mediagen_response_body(exchange.call, &exchange.body);
    Check(code, nullptr);
    if (code == MEDIAGEN_OK) break;
    Await(inbox_);
  }
  return exchange;
}

void HttpHost::End(Exchange* exchange) {
  mediagen_buffer_free(exchange->body.buffer);
  mediagen_call_free(exchange->call);
}

}  // namespace mediagen::bench
