#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>

#include "capi/fake_engine.h"
#include "capi/host.h"
#include "capi/http_call.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

int32_t Handle(const OwnedEngine& engine, std::string_view method, std::string_view target,
               mediagen_inbox* inbox, OwnedCall* out) {
  mediagen_call* call = nullptr;
  int32_t state = mediagen_handle_begin(engine.get(), S(method), S(target), S("accept: */*\r\n"), S(""),
                                        S(""), inbox, 11, &call, nullptr);
  out->reset(call);
  return state;
}

int32_t StatusOf(const OwnedCall& call) {
  int32_t status = 0;
  mediagen_str headers{};
  REQUIRE(mediagen_response_head(call.get(), &status, &headers) == MEDIAGEN_OK);
  CHECK(Text(headers) == "content-type: text/plain\r\n");
  return status;
}

mediagen_body Body(const OwnedCall& call, int32_t expected = MEDIAGEN_OK) {
  mediagen_body body;
  std::memset(&body, 0xab, sizeof body);
  body.struct_size = sizeof body;
  CHECK(mediagen_response_body(call.get(), &body) == expected);
  return body;
}

std::string Bytes(const OwnedCall& call) {
  mediagen_body body = Body(call);
  REQUIRE((body.kind == MEDIAGEN_BODY_BYTES || body.kind == MEDIAGEN_BODY_STREAM));
  CHECK(body.fd == -1);
  return Take(body.buffer).substr(body.offset, body.length);
}

size_t Write(const OwnedCall& call, std::string_view chunk, int32_t expected = MEDIAGEN_OK) {
  size_t taken = 999;
  CHECK(mediagen_call_write(call.get(), S(chunk), &taken) == expected);
  return taken;
}

}  // namespace

TEST_CASE("a GET that is answered at once: OK, head and body, no notice") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall call;
  CHECK(Handle(engine, "GET", "/bytes", inbox.get(), &call) == MEDIAGEN_OK);
  CHECK(FakeEngine::Last()->last_headers() == "accept: */*\r\n");
  CHECK(StatusOf(call) == 200);
  CHECK(Bytes(call) == "hello");
  CHECK(Body(call).kind == MEDIAGEN_BODY_NONE);  // handed over once
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  mediagen_buffer* result = nullptr;
  CHECK(mediagen_call_result(call.get(), &result, nullptr) == MEDIAGEN_OK);
  CHECK(result == nullptr);
}

TEST_CASE("a GET that is answered later: HEAD, then DONE") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall call;
  CHECK(Handle(engine, "GET", "/later", inbox.get(), &call) == MEDIAGEN_PENDING);
  int32_t status = 0;
  mediagen_str headers{};
  CHECK(mediagen_response_head(call.get(), &status, &headers) == MEDIAGEN_PENDING);
  CHECK(Body(call, MEDIAGEN_PENDING).kind == MEDIAGEN_BODY_NONE);
  FakeEngine::Last()->AnswerAll();
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_HEAD);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_DONE);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  CHECK(StatusOf(call) == 200);
  CHECK(Bytes(call) == "hello");
}

TEST_CASE("a HEAD and a 304 have no body; a file is an open descriptor that is the host's") {
  OwnedEngine engine = OpenEngine();
  OwnedCall call;
  CHECK(Handle(engine, "HEAD", "/bytes", nullptr, &call) == MEDIAGEN_OK);
  CHECK(StatusOf(call) == 304);
  CHECK(Body(call).kind == MEDIAGEN_BODY_NONE);
  CHECK(Handle(engine, "GET", "/file", nullptr, &call) == MEDIAGEN_OK);
  mediagen_body body = Body(call);
  REQUIRE(body.kind == MEDIAGEN_BODY_FILE);
  CHECK(body.buffer == nullptr);
  char magic[3];
  CHECK(body.length == 3);
  CHECK(pread(body.fd, magic, 3, static_cast<off_t>(body.offset)) == 3);
  CHECK(std::string(magic, 3) == "ELF");
  CHECK(close(body.fd) == 0);
  CHECK(Body(call).kind == MEDIAGEN_BODY_NONE);
  Handle(engine, "GET", "/file", nullptr, &call);  // not taken: freed with the call
}

TEST_CASE("a POST waits for call_end, and its body arrives in pieces") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall call;
  CHECK(Handle(engine, "POST", "/echo", inbox.get(), &call) == MEDIAGEN_PENDING);
  CHECK(Write(call, "one ") == 4);
  CHECK(Write(call, "") == 0);
  CHECK(Write(call, "two") == 3);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  CHECK(mediagen_call_end(call.get()) == MEDIAGEN_OK);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_HEAD);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_DONE);
  CHECK(Bytes(call) == "one two");
  CHECK(Write(call, "three", MEDIAGEN_CLOSED) == 0);
  CHECK(mediagen_call_end(call.get()) == MEDIAGEN_INVALID);
}

TEST_CASE("an empty body is a body; a GET has none") {
  OwnedEngine engine = OpenEngine();
  OwnedCall call;
  Handle(engine, "DELETE", "/echo", nullptr, &call);
  CHECK(mediagen_call_end(call.get()) == MEDIAGEN_OK);
  CHECK(Bytes(call).empty());
  Handle(engine, "GET", "/later", nullptr, &call);
  CHECK(Write(call, "x", MEDIAGEN_INVALID) == 0);
  CHECK(mediagen_call_end(call.get()) == MEDIAGEN_OK);
}

TEST_CASE("a body past the limit is the engine's to refuse, and the rest of it is swallowed") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall call;
  std::string chunk(600'000, 'x');
  Handle(engine, "POST", "/echo", inbox.get(), &call);
  CHECK(Write(call, chunk) == chunk.size());
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  CHECK(Write(call, chunk) == chunk.size());
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_HEAD);
  CHECK(StatusOf(call) == 413);
  CHECK(Write(call, chunk, MEDIAGEN_CLOSED) == 0);
  CHECK(mediagen_call_end(call.get()) == MEDIAGEN_OK);

  Handle(engine, "POST", "/later", nullptr, &call);
  CHECK(Write(call, chunk + chunk) == 2 * chunk.size());
  CHECK(Write(call, chunk) == chunk.size());  // not answered yet
  FakeEngine::Last()->AnswerAll();
  CHECK(StatusOf(call) == 413);

  std::string largest(1 << 20, 'x');
  Handle(engine, "POST", "/echo", nullptr, &call);
  CHECK(Write(call, largest) == largest.size());
  CHECK(mediagen_call_end(call.get()) == MEDIAGEN_OK);
  CHECK(StatusOf(call) == 200);
  CHECK(Bytes(call) == largest);
}

TEST_CASE("too many bodies at once are refused, and what ends gives its room back") {
  OwnedEngine engine = OpenEngine();
  std::string largest(1 << 20, 'x');
  std::vector<OwnedCall> calls(capi::BodyBudget::kBytes / largest.size());
  for (OwnedCall& call : calls) {
    Handle(engine, "POST", "/echo", nullptr, &call);
    REQUIRE(Write(call, largest) == largest.size());
  }
  OwnedCall refused, taken;
  Handle(engine, "POST", "/echo", nullptr, &refused);
  CHECK(Write(refused, "x", MEDIAGEN_OVERLOADED) == 0);
  CHECK(mediagen_call_wait(refused.get(), 0, nullptr) == MEDIAGEN_OVERLOADED);
  calls.pop_back();
  Handle(engine, "POST", "/echo", nullptr, &taken);
  CHECK(Write(taken, "x") == 1);
}

TEST_CASE("a stream: HEAD, pieces, EMPTY and READABLE, its end, DONE") {
  OwnedEngine engine = OpenEngine();
  OwnedInbox inbox = NewInbox();
  OwnedCall call;
  CHECK(Handle(engine, "GET", "/stream", inbox.get(), &call) == MEDIAGEN_PENDING);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_HEAD);
  auto stream = FakeEngine::Last()->stream();
  stream->Feed("id: 1\n");
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);  // nobody has asked yet
  CHECK(Bytes(call) == "id: 1\n");
  CHECK(Body(call, MEDIAGEN_EMPTY).buffer == nullptr);
  stream->Feed("id: 2\n");
  stream->Feed("id: 3\n");
  Notice notice = Next(inbox);
  CHECK(notice.kind == MEDIAGEN_KIND_READABLE);
  CHECK(notice.tag == 11);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  CHECK(Bytes(call) == "id: 2\n");
  CHECK(Bytes(call) == "id: 3\n");
  Body(call, MEDIAGEN_EMPTY);
  stream->End();
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_READABLE);
  CHECK(Body(call).kind == MEDIAGEN_BODY_NONE);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_DONE);
  CHECK(Body(call).kind == MEDIAGEN_BODY_NONE);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
}

TEST_CASE("a client that goes away closes its stream, whenever it goes") {
  OwnedEngine engine = OpenEngine();
  OwnedCall call;
  Handle(engine, "GET", "/stream", nullptr, &call);
  auto stream = FakeEngine::Last()->stream();
  CHECK_FALSE(stream->closed());
  call.reset();
  CHECK(stream->closed());
  stream->Feed("to nobody");

  Handle(engine, "GET", "/later", nullptr, &call);
  mediagen_call_cancel(call.get());
  FakeEngine::Last()->AnswerAll();
  int32_t status = 0;
  mediagen_str headers{};
  CHECK(mediagen_response_head(call.get(), &status, &headers) == MEDIAGEN_CANCELED);
  CHECK(Body(call, MEDIAGEN_CANCELED).kind == MEDIAGEN_BODY_NONE);
}

TEST_CASE("a request whose engine has closed or gone is CLOSED") {
  OwnedEngine engine = OpenEngine();
  OwnedCall waiting, refused;
  Handle(engine, "POST", "/echo", nullptr, &waiting);
  mediagen_call* call = nullptr;
  CHECK(mediagen_close_begin(engine.get(), 0, nullptr, 0, &call, nullptr) == MEDIAGEN_OK);
  mediagen_call_free(call);
  CHECK(Handle(engine, "GET", "/bytes", nullptr, &refused) == MEDIAGEN_CLOSED);
  engine.reset();
  mediagen_call_end(waiting.get());
  CHECK(mediagen_call_wait(waiting.get(), 0, nullptr) == MEDIAGEN_CLOSED);
}

TEST_CASE("the body struct says its size, and other calls are no requests") {
  OwnedEngine engine = OpenEngine();
  OwnedCall call;
  Handle(engine, "GET", "/bytes", nullptr, &call);
  mediagen_body body{};
  CHECK(mediagen_response_body(call.get(), &body) == MEDIAGEN_INVALID);
  mediagen_call* other = nullptr;
  mediagen_submit_begin(engine.get(), S("now"), nullptr, 0, &other, nullptr);
  OwnedCall submitted(other);
  body.struct_size = sizeof body;
  int32_t status = 0;
  mediagen_str headers{};
  size_t taken = 0;
  CHECK(mediagen_response_body(other, &body) == MEDIAGEN_INVALID);
  CHECK(mediagen_response_head(other, &status, &headers) == MEDIAGEN_INVALID);
  CHECK(mediagen_call_write(other, S("x"), &taken) == MEDIAGEN_INVALID);
  CHECK(mediagen_call_end(other) == MEDIAGEN_INVALID);
}
