#include "media/card.h"

#include <cstring>
#include <type_traits>

#include "store/output_fields.h"

namespace mediagen {
namespace {

struct Writer {
  std::string& out;
  void operator()(const std::string& text) const {
    (*this)(static_cast<uint32_t>(text.size()));
    out += text;
  }
  template <typename Plain, typename = std::enable_if_t<std::is_trivially_copyable_v<Plain>>>
  void operator()(const Plain& value) const {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
};

struct Reader {
  std::string_view& in;
  std::string_view Take(size_t size) const {
    std::string_view taken = in.substr(0, size);
    in.remove_prefix(taken.size());
    return taken;
  }
  void operator()(std::string& text) const {
    uint32_t size = 0;
    (*this)(size);
    text = Take(size);
  }
  template <typename Plain, typename = std::enable_if_t<std::is_trivially_copyable_v<Plain>>>
  void operator()(Plain& value) const {
    std::memcpy(&value, Take(sizeof value).data(), sizeof value);
  }
};

// A stored variant: its effort, the length of its recipe's name, the name.
template <typename Each>
void ForEachVariant(std::string_view variants, Each each) {
  while (variants.size() >= 2) {
    const size_t length = static_cast<uint8_t>(variants[1]);
    each(static_cast<int>(variants[0]), variants.substr(2, length));
    variants.remove_prefix(2 + length);
  }
}

}  // namespace

Card Card::Of(const Output& output, std::span<const Variant> variants) {
  std::string flat, stored;
  kVisitOutput(output, Writer{flat});
  for (const Variant& variant : variants) {
    if (variant.version != kCodecVersion || variant.recipe.size() > 255) continue;
    stored.push_back(static_cast<char>(variant.effort));
    stored.push_back(static_cast<char>(variant.recipe.size()));
    stored += variant.recipe;
  }
  return Read(BufferRef::Own(flat + stored));
}

Card Card::Read(BufferRef buffer) {
  Card card;
  std::string_view rest = buffer.view();
  kVisitOutput(card.output_, Reader{rest});
  card.variants_ = rest;
  card.buffer_ = std::move(buffer);
  return card;
}

std::optional<int> Card::StoredEffort(const Recipe& recipe) const {
  std::optional<int> found;
  if (variants_.empty()) return found;
  const std::string name = recipe.name();
  ForEachVariant(variants_, [&](int effort, std::string_view stored) {
    if (stored == name) found = effort;
  });
  return found;
}

bool Card::HasDrafts() const {
  bool drafts = false;
  ForEachVariant(variants_, [&](int effort, std::string_view name) {
    auto recipe = Recipe::Parse(name);
    drafts = drafts || (recipe.ok() && effort < FinalEffort(*recipe));
  });
  return drafts;
}

}  // namespace mediagen
