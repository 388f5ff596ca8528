// Every document of fal's wire with every value replaced and cut at every byte: nothing crashes, and nothing
// is believed that should not be.
#include <doctest/doctest.h>

#include <set>

#include "provider/fal_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::fal::New;

const char* const kDocuments[] = {
    R"({"status":"IN_QUEUE","request_id":"764c","gateway_request_id":"764c","queue_position":0,
        "response_url":"https://queue.fal.run/fal-ai/flux/requests/764c",
        "status_url":"https://queue.fal.run/fal-ai/flux/requests/764c/status",
        "cancel_url":"https://queue.fal.run/fal-ai/flux/requests/764c/cancel"})",
    R"({"status":"IN_PROGRESS","request_id":"764c","logs":[{"timestamp":"2026-01-01T00:00:00Z",
        "level":"INFO","source":"USER","message":"50%"}]})",
    R"({"status":"COMPLETED","request_id":"764c","logs":null,"metrics":{"inference_time":2.1},
        "error":"it broke","error_type":"runner_disconnected"})",
    R"({"images":[{"url":"https://v3.fal.media/files/x/y.jpeg","content_type":"image/jpeg","width":1024,
        "height":1024,"file_name":null,"file_size":null}],"seed":17454220438242315174,
        "has_nsfw_concepts":[false],"timings":{"inference":2.1},"prompt":"x"})",
    R"({"video":{"url":"https://v3.fal.media/v.mp4","content_type":"video/mp4","duration":5,"fps":24}})",
    R"({"detail":[{"loc":["body","prompt"],"msg":"no","type":"content_policy_violation","url":"https://h/",
        "ctx":{},"input":"x"}]})",
    R"({"detail":"Request timed out","error_type":"request_timeout"})",
    R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}]})",
};

bool IsSane(const PollAnswer& answer) {
  const bool told = answer.kind == PollAnswer::kFailed || answer.kind == PollAnswer::kTransient;
  bool sane = answer.failure.message.empty() != told &&
              answer.outputs.empty() == (answer.kind != PollAnswer::kSucceeded);
  for (const RemoteOutput& output : answer.outputs)
    sane = sane && (output.url.starts_with("https://") || !output.bytes.view().empty());
  const double fraction = answer.progress.fraction.value_or(0);
  return sane && fraction >= 0 && fraction <= 1;
}

bool IsSane(const SubmitAnswer& answer) {
  bool sane = (answer.kind == SubmitAnswer::kSubmitted) == !answer.remote.id.empty() &&
              answer.kind != SubmitAnswer::kReceived;
  for (const std::string& url :
       {answer.remote.status_url, answer.remote.result_url, answer.remote.cancel_url})
    sane = sane && (url.empty() || url.starts_with("https://"));
  return sane;
}

bool ReadsSanely(const Adapter& adapter, const HttpResponse& response) {
  (void)adapter.ParseWebhookKeys(response);
  return IsSane(adapter.ParseSubmit(response)) && IsSane(adapter.ParsePoll(response)) &&
         IsSane(adapter.ParseResult(response));
}

TEST_CASE("fal: any value may be of any type, anywhere") {
  const std::unique_ptr<Adapter> adapter = New();
  const Json odd[] = {Json(),
                      Json(true),
                      Json(-1),
                      Json(1.5e300),
                      Json(""),
                      Json("../x"),
                      Json(UINT64_MAX),
                      Json("http://10.0.0.1/x"),
                      Json::array(),
                      Json::object(),
                      Json::array({Json()}),
                      Json("\xff\xfe"),
                      Json("data:,"),
                      Json{{"url", Json()}},
                      Json(std::string(500, 'a'))};
  for (const char* text : kDocuments) {
    const Json document = Json::parse(text);
    const Json flat = document.flatten();
    std::set<std::string> places;
    for (auto leaf = flat.begin(); leaf != flat.end(); ++leaf) {
      for (Json::json_pointer at(leaf.key()); !at.empty(); at = at.parent_pointer()) {
        if (!places.insert(at.to_string()).second) continue;
        for (const Json& value : odd) {
          Json changed = document;
          changed[at] = value;
          const std::string body = Dump(changed);
          CAPTURE(body);
          CHECK(ReadsSanely(*adapter, Answer(document.contains("detail") ? 422 : 200, body)));
        }
      }
    }
  }
}

TEST_CASE("fal: an answer may end at any byte, and only a whole id is believed") {
  const std::unique_ptr<Adapter> adapter = New();
  for (const std::string text : kDocuments) {
    for (size_t size = 0; size < text.size(); ++size) {
      const std::string cut = text.substr(0, size);
      CAPTURE(cut);
      CHECK(ReadsSanely(*adapter, Answer(200, cut)));
      const bool whole_id = cut.find(R"("request_id":"764c")") != std::string::npos;
      const SubmitAnswer answer = adapter->ParseSubmit(Broken(200, cut));
      CHECK(answer.kind == (whole_id ? SubmitAnswer::kSubmitted : SubmitAnswer::kUnknown));
    }
  }
}

}  // namespace
}  // namespace mediagen
