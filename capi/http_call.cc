#include "capi/http_call.h"

#include <algorithm>
#include <utility>

#include "capi/guard.h"

namespace mediagen::capi {

HttpCall::HttpCall(std::shared_ptr<Inbox> inbox, uint64_t tag, Drive drive,
                   const std::shared_ptr<Engine>& engine, std::shared_ptr<BodyBudget> bodies,
                   RequestLine line)
    : Call(std::move(inbox), tag, std::move(drive)),
      engine_(engine),
      bodies_(std::move(bodies)),
      line_(std::move(line)),
      max_body_bytes_(engine->MaxBodyBytes()) {}

HttpCall::~HttpCall() { GiveBack(); }

void HttpCall::GiveBack() { bodies_->Give(std::exchange(charged_, 0)); }

void HttpCall::Start() {
  if (line_.has_body()) return;
  {
    std::lock_guard lock(mutex_);
    stage_ = Stage::kSent;
  }
  Send(nullptr);
}

Status HttpCall::Write(std::string_view chunk) {
  if (!line_.has_body()) {
    return Error(Code::kInvalid, "A request of this method has no body.", {.object = line_.method});
  }
  if (done()) return ClosedError();
  std::unique_lock lock(mutex_);
  if (ended_) return Error(Code::kInvalid, "The request's body was ended already.");
  if (stage_ == Stage::kAnswered) return ClosedError();
  if (stage_ == Stage::kSent) return OkStatus();
  uint64_t fits = std::min<uint64_t>(chunk.size(), max_body_bytes_ + 1 - body_.size());
  if (!bodies_->Take(fits)) {
    lock.unlock();
    Status overloaded = Error(Code::kOverloaded, "Too many request bodies are being received at once.",
                              {.hint = "Try again in a moment.", .retry_after_ms = 1000});
    Complete(overloaded);
    return overloaded;
  }
  charged_ += fits;
  body_.append(chunk.substr(0, fits));
  if (body_.size() <= max_body_bytes_) return OkStatus();
  stage_ = Stage::kSent;
  BufferRef body = BufferRef::Own(std::exchange(body_, {}));
  lock.unlock();
  Send(std::move(body));
  return OkStatus();
}

Status HttpCall::End() {
  if (!line_.has_body()) return OkStatus();
  std::unique_lock lock(mutex_);
  if (ended_) return Error(Code::kInvalid, "The request's body was ended already.");
  ended_ = true;
  if (stage_ != Stage::kCollecting) return OkStatus();
  if (done()) return ClosedError();
  stage_ = Stage::kSent;
  BufferRef body = BufferRef::Own(std::exchange(body_, {}));
  lock.unlock();
  Send(std::move(body));
  return OkStatus();
}

void HttpCall::Send(BufferRef body) {
  std::shared_ptr<Engine> engine = engine_.lock();
  if (engine == nullptr) {
    Complete(ClosedError());
    return;
  }
  engine->Handle(line_.method, line_.target, line_.headers, line_.principal, line_.mount, std::move(body),
                 [self = self()](Response response) { self->Answer(std::move(response)); });
}

void HttpCall::Answer(Response response) {
  std::shared_ptr<BodyStream> stream;
  if (auto* streamed = std::get_if<std::shared_ptr<BodyStream>>(&response.body)) stream = *streamed;
  {
    std::lock_guard lock(mutex_);
    stage_ = Stage::kAnswered;
    status_ = response.status;
    headers_ = FormatHeaderBlock(response.headers);
    answer_ = std::move(response.body);
    GiveBack();
  }
  if (stream == nullptr) {
    CompleteWithHead();
    return;
  }
  stream->OnReadable([weak = std::weak_ptr<HttpCall>(self())] {
    std::shared_ptr<HttpCall> call = weak.lock();
    if (call != nullptr && call->starved_.exchange(false)) call->Notify(NoticeKind::kReadable);
  });
  if (OnCancel([stream] { stream->Close(); })) {
    Notify(NoticeKind::kHead);
  } else {
    stream->Close();  // the client went away before the answer was there
  }
}

StatusOr<int32_t> HttpCall::Head(int32_t* status, std::string_view* headers) {
  if (auto ended = result(); ended && !ended->status.ok()) return ended->status;
  std::lock_guard lock(mutex_);
  if (stage_ != Stage::kAnswered) return MEDIAGEN_PENDING;
  *status = status_;
  *headers = headers_;
  return MEDIAGEN_OK;
}

StatusOr<int32_t> HttpCall::Body(mediagen_body* out) {
  if (auto ended = result(); ended && !ended->status.ok()) return ended->status;
  std::unique_lock lock(mutex_);
  if (stage_ != Stage::kAnswered) return MEDIAGEN_PENDING;
  if (auto* streamed = std::get_if<std::shared_ptr<BodyStream>>(&answer_);
      streamed != nullptr && *streamed != nullptr) {
    std::shared_ptr<BodyStream> stream = *streamed;
    lock.unlock();
    return Pull(*stream, out);
  }
  auto body = std::exchange(answer_, std::monostate());
  if (auto* bytes = std::get_if<BytesBody>(&body)) {
    out->kind = MEDIAGEN_BODY_BYTES;
    out->buffer = Export(std::move(bytes->buffer));
    out->offset = bytes->offset;
    out->length = bytes->length;
  } else if (auto* file = std::get_if<FileBody>(&body)) {
    out->kind = MEDIAGEN_BODY_FILE;
    out->fd = file->fd.Release();
    out->offset = file->offset;
    out->length = file->length;
  }
  return MEDIAGEN_OK;
}

StatusOr<int32_t> HttpCall::Pull(BodyStream& stream, mediagen_body* out) {
  // Set before the pull, for the stream may become readable before the pull's answer is looked at. A READABLE
  // that this makes superfluous is harmless: the next pull says EMPTY again.
  starved_ = true;
  BufferRef piece;
  switch (stream.Next(&piece)) {
    case BodyStream::Pull::kEmpty:
      return MEDIAGEN_EMPTY;
    case BodyStream::Pull::kData:
      starved_ = false;
      out->kind = MEDIAGEN_BODY_STREAM;
      out->length = piece.size();
      out->buffer = Export(std::move(piece));
      return MEDIAGEN_OK;
    case BodyStream::Pull::kEnd:
      break;
  }
  starved_ = false;
  Complete(OkStatus());
  return MEDIAGEN_OK;
}

}  // namespace mediagen::capi
