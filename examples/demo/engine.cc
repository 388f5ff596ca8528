#include "engine.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace demo {
namespace {

mediagen_str Str(const std::string& text) { return {text.data(), text.size()}; }

// The value of one field of a header block, or "".
std::string Field(const std::string& headers, const std::string& name) {
  size_t at = headers.find(name + ": ");
  if (at == std::string::npos) return "";
  at += name.size() + 2;
  return headers.substr(at, headers.find("\r\n", at) - at);
}

}  // namespace

void Fail(const std::string& what, mediagen_error* error) {
  std::string text = "no reason was given";
  if (error != nullptr) {
    mediagen_str json = mediagen_error_json(error);
    Json document = Json::parse(std::string(json.data, json.size), nullptr, false);
    if (document.is_object()) {
      text = document.value("message", text);
      if (document["hint"].is_string()) text += " " + document["hint"].get<std::string>();
    }
    mediagen_error_free(error);
  }
  std::fprintf(stderr, "demo: %s: %s\n", what.c_str(), text.c_str());
  std::exit(1);
}

Engine::Engine(const Json& config) {
  mediagen_error* error = nullptr;
  const std::string text = config.dump();
  if (mediagen_open(MEDIAGEN_ABI, Str(text), &engine_, &error) != MEDIAGEN_OK)
    Fail("the engine could not be opened", error);
}

Engine::~Engine() { mediagen_engine_free(engine_); }

Json Engine::Wait(mediagen_call* call, const char* what) {
  mediagen_error* error = nullptr;
  if (mediagen_call_wait(call, 60'000, &error) != MEDIAGEN_OK) Fail(what, error);
  mediagen_buffer* buffer = nullptr;
  if (mediagen_call_result(call, &buffer, &error) != MEDIAGEN_OK) Fail(what, error);
  Json result;
  if (buffer != nullptr) {
    mediagen_str view = mediagen_buffer_view(buffer);
    result = Json::parse(view.data, view.data + view.size);
  }
  mediagen_buffer_free(buffer);
  mediagen_call_free(call);
  return result;
}

Json Engine::Submit(const Json& request) {
  mediagen_call* call = nullptr;
  mediagen_error* error = nullptr;
  const std::string text = request.dump();
  if (mediagen_submit_begin(engine_, Str(text), nullptr, 0, &call, &error) < 0)
    Fail("a request was refused", error);
  return Wait(call, "a request was refused");
}

Json Engine::Get(const std::string& id) {
  mediagen_call* call = nullptr;
  mediagen_error* error = nullptr;
  if (mediagen_get_begin(engine_, Str(""), Str("generations"), Str(id), nullptr, 0, &call, &error) < 0)
    Fail("a record could not be read", error);
  return Wait(call, "a record could not be read");
}

Json Engine::List(const Json& query) {
  mediagen_call* call = nullptr;
  mediagen_error* error = nullptr;
  const std::string text = query.dump();
  if (mediagen_list_begin(engine_, Str(""), Str("generations"), Str(text), nullptr, 0, &call, &error) < 0)
    Fail("the list could not be read", error);
  return Wait(call, "the list could not be read");
}

Answer Engine::Fetch(const std::string& target, const std::string& headers) {
  mediagen_call* call = nullptr;
  mediagen_error* error = nullptr;
  if (mediagen_handle_begin(engine_, Str("GET"), Str(target), Str(headers), Str(""), Str(""), nullptr, 0,
                            &call, &error) < 0)
    Fail(target, error);
  if (mediagen_call_wait(call, 60'000, &error) != MEDIAGEN_OK) Fail(target, error);
  Answer answer;
  mediagen_str block = {nullptr, 0};
  mediagen_response_head(call, &answer.status, &block);
  answer.headers.assign(block.data, block.size);
  answer.etag = Field(answer.headers, "ETag");
  answer.content_type = Field(answer.headers, "Content-Type");
  mediagen_body body = {};
  body.struct_size = sizeof body;
  mediagen_response_body(call, &body);
  if (body.kind == MEDIAGEN_BODY_BYTES || body.kind == MEDIAGEN_BODY_FILE) answer.body_bytes = body.length;
  if (body.fd >= 0 && body.kind == MEDIAGEN_BODY_FILE) close(body.fd);
  mediagen_buffer_free(body.buffer);
  mediagen_call_free(call);
  return answer;
}

void Engine::Close(int64_t grace_ms) {
  mediagen_call* call = nullptr;
  mediagen_error* error = nullptr;
  if (mediagen_close_begin(engine_, grace_ms, nullptr, 0, &call, &error) < 0)
    Fail("the engine could not be closed", error);
  Wait(call, "the engine could not be closed");
}

}  // namespace demo
