// WireAdapter: what every provider over the wire shares: the key and where it may go, the shape of a paid
// request, the reading of failures, and downloads. An adapter adds its paths and its documents.
//
// Thread-safe: immutable.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "provider/endpoint.h"
#include "provider/provider.h"

namespace mediagen {

class WireAdapter : public Adapter {
 public:
  const ProviderConfig& config() const override { return config_; }
  bool billed() const override { return true; }
  Status CheckReady() const override;
  // With the key only where the output needs it and its URL is of the configured origin.
  StatusOr<HttpRequest> BuildDownload(const RemoteOutput& output) const override;

 protected:
  // `key_name`: the environment variable that a missing key's error names where the configuration names none;
  // "": the provider may work without a key.
  WireAdapter(ProviderConfig config, Endpoint endpoint, std::string_view key_name)
      : config_(std::move(config)), endpoint_(std::move(endpoint)), key_name_(key_name) {}

  // Puts the key into the headers. "Authorization: Bearer" unless overridden; called with a key only.
  virtual void AddKey(HttpRequest* request) const;
  // What a complete answer that is no success, or a broken exchange, says. FailureOf unless overridden.
  virtual Failure ReadFailure(const HttpResponse& response) const;
  // Whether the provider documents this complete answer to a paid request as neither done nor billed, beside
  // what RejectedForCertain knows. Each adapter that overrides it cites its source.
  virtual bool Unbilled(const HttpResponse&) const { return false; }

  // To `url` with the key, which must be of the configured origin; the timeout is a poll's.
  HttpRequest Ask(std::string_view method, std::string url) const;
  // The paid POST: sent once, with Idempotency-Key, and the configured timeout. kUnauthorized without a key.
  StatusOr<HttpRequest> Pay(std::string url, const Id& attempt, const Json& body) const;
  StatusOr<HttpRequest> Pay(std::string url, const Id& attempt, std::string content_type,
                            std::string body) const;

  // The part of ParseSubmit that is the same everywhere: true when the answer is a complete 2xx, for the
  // adapter to read; else *answer is kRejected or kUnknown. With true, it is kUnknown until the adapter says
  // better.
  bool IsAccepted(const HttpResponse& response, SubmitAnswer* answer) const;
  // The same for polls: the document of a complete 2xx; nullopt when *answer is kTransient or kFailed (a 404
  // or 410 by the word of the API itself).
  std::optional<Json> PollDocument(const HttpResponse& response, PollAnswer* answer) const;

  // A URL that an answer gave, absolute or a path on the configured origin; "" when it is not acceptable.
  std::string Resolve(std::string_view url) const;
  // An output to be downloaded; nullopt for a URL that is not acceptable.
  std::optional<RemoteOutput> UrlOutput(std::string_view url, std::string_view media_type) const;

  const ProviderConfig config_;
  const Endpoint endpoint_;

 private:
  const std::string key_name_;
};

// A complete answer of 200 to 299.
bool IsSuccess(const HttpResponse& response);

// The string under `name`, or "" when it is absent or of another type; the same for objects and arrays, of
// which an empty one stands for absent.
std::string TextOf(const Json& object, const char* name);
const Json& ListOf(const Json& object, const char* name);
const Json& ObjectOf(const Json& object, const char* name);
// A whole number, also as a digit string; nullopt otherwise.
std::optional<uint64_t> WholeNumberOf(const Json& object, const char* name);
// USD in micro-units out of a JSON number of USD that is finite and not negative.
std::optional<int64_t> MicrosOf(const Json& object, const char* name);

// Whether an id of a provider's may stand as one segment of a path: 1 to 200 of [A-Za-z0-9_.-], not "." or
// "..".
bool IsPathSegment(std::string_view id);

// The "id" of a document that is cut short or broken further on: only when it is the very first member, and
// may stand in a path. "" otherwise.
std::string_view FirstMemberId(std::string_view body);

// Documents of providers may hold whole pictures.
inline constexpr JsonLimits kAnswerLimits{.max_bytes = 96 << 20};

}  // namespace mediagen
