#include "api/previews.h"

#include "base/base64.h"
#include "base/json.h"
#include "codec/image.h"

namespace mediagen {
namespace {

constexpr int kQuality = 60;

bool AddTo(Json* record) {
  if (!record->is_object()) return false;
  bool added = false;
  if (auto hash = record->find("thumbHash"); hash != record->end() && hash->is_string()) {
    const std::string url = PreviewDataUrl(hash->get_ref<const std::string&>());
    (*record)["preview"] = url.empty() ? Json() : Json(url);
    added = true;
  }
  if (auto outputs = record->find("outputs"); outputs != record->end() && outputs->is_array()) {
    for (Json& output : *outputs) added = AddTo(&output) || added;
  }
  return added;
}

}  // namespace

std::string PreviewDataUrl(std::string_view thumb_hash) {
  auto hash = Base64Decode(thumb_hash);
  if (!hash.ok()) return "";
  auto pixels = ThumbHashPixels(*hash);
  if (!pixels.ok()) return "";
  auto webp = Encode(*pixels, {.format = Format::kWebp, .quality = kQuality});
  if (!webp.ok()) return "";
  return "data:image/webp;base64," + Base64Encode(webp->view());
}

std::string WithPreviews(std::string_view document) {
  Json json = Json::parse(document, nullptr, false);
  if (!json.is_object()) return std::string(document);
  auto data = json.find("data");
  const bool added = AddTo(data != json.end() && data->is_object() ? &*data : &json);
  return added ? Dump(json) : std::string(document);
}

}  // namespace mediagen
