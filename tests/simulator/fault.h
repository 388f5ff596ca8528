// Fault: what is to go wrong with one paid request, and later with its prediction. Comes as the field
// "simulate" of its input, or by POST /simulator/next for the requests that follow.
//
//   {"drop": "before-accept"}   the request is read, forgotten, and the connection reset
//   {"drop": "after-read"}      the request is accepted, and the connection reset without an answer
//   {"truncate": true | N}      accepted; the answer breaks off in the middle, or after N bytes of its body
//   {"truncateChunked": N}      the same with a chunked body
//   {"status": 429, "retryAfter": 2, "retryAs": "header" | "date" | "text" | "none", "html": false, "accept":
//   false, "times": 2}
//                               an error instead; with "accept" (a 5xx) the work is done all the same
//   {"code": "insufficient_quota"}
//                               OpenAI: the error's own word, of "status" or of {"output": "error"}
//   {"retryAs": "ms"}, {"shouldRetry": "false"}
//                               OpenAI: "retryAfter" in the header retry-after-ms; the header x-should-retry
//   {"output": "url" | "sse" | "error" | "none"}, {"padBytes": N}
//                               OpenAI: how pictures are given; each grows by N bytes behind its end
//   {"delayMs": N}              before the answer
//   {"workMs": N} {"fail": "NSFW content detected"} {"aborted": true} {"hang": true} {"unknownState": true}
//   {"nullFields": true} {"dataRemoved": true}
//   {"output": "array" | "string" | "object" | "nested" | "data" | "text" | "none"}
//   {"outputRedirect": "http://169.254.169.254/"} {"outputStatus": 404} {"outputTruncate": true}
//   {"outputDelayMs": N} {"outputTimes": 1}
//   {"pollStatus": 503, "pollTimes": 2, "pollRetryAfter": 60 (Replicate)}
//   {"webhook": {…}}            what goes wrong with its webhook (webhooks.h)
// and what only Gemini's wire can do (gemini.h): "finish", "block", "filtered", "endState", "daily", and
// "retryAs": "info".
//
// OpenRouter's:
//   {"error200": {…}, "cost": USD}   HTTP 200 with this top-level error, and that much reported as its cost
//   {"errorType": "…", "availability": {…}, "retryAs": "availability"}   with "status": members of its error
//   {"svg": N} {"pictures": N}  picture N is an SVG; so many pictures instead of those asked for
//   {"output": "url" | "text" | "none"}   of a chat: a URL instead of a data URI, words, or nothing
//   {"pollingUrl": "absolute"} {"end": "cancelled" | "expired" | "dead"}   of a video
//
// Only fal:
//   {"status": 503, "errorType": "runner_disconnected", "retryable": false}   a platform error; also with
//   "fail"
//   {"fail": "…", "failType": "content_policy_violation", "failStatus": 422}
//                               the result is the model's error; with "errorType" the status tells the
//                               failure
//   {"resultStatus": 503, "resultTimes": 2} {"resultEarly": N}   the first results fail, or come too early
//   {"nsfw": true | [false, true]}   flags {"output": "video" | "image"}   one file under that name
//   {"foreignUrls": "https://evil.example"}   the URLs of the submit's answer are of that origin
//   {"cancelIgnored": true}     the request runs on
//
// "times" limits an inline fault to so many requests with the same input; after them the request succeeds.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/json.h"

namespace mediagen::simulator {

// The integer, text or truth under `name`, or the default when it is absent or of another type.
int64_t IntOf(const Json& object, const char* name, int64_t otherwise);
std::string TextOf(const Json& object, const char* name, const std::string& otherwise = "");
bool IsTrue(const Json& object, const char* name);

// Thread-safe.
class Faults {
 public:
  // The next `times` paid requests suffer `fault`, before any that is inline.
  void Queue(const Json& fault, int64_t times);
  // What the request with this input suffers; an empty object for nothing.
  Json Take(const Json& input);

 private:
  std::mutex mutex_;
  std::deque<Json> queued_;
  std::map<std::string, int64_t> seen_;  // by input: how often
};

}  // namespace mediagen::simulator
