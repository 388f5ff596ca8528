#include "base/json.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

// Reads a text and says how far it has read, which nlohmann tells only with its own errors.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  size_t* count_;
};

// Watches the parse for duplicate keys; nlohmann itself keeps the last. Keys are compared by their 64-bit
// hash, which is seeded by the process: nobody can make two that are equal, and by chance there are none.
struct KeyCheck {
  static constexpr size_t kFew = 32;
  struct Object {
    size_t begin;                        // of its keys in `keys`
    absl::flat_hash_set<size_t> many{};  // the same keys, once there are more than a few
  };
  const size_t* read;
  std::vector<Object> objects = {};  // those that are open
  std::vector<size_t> keys = {};
  std::string problem = {};

  bool Insert(size_t key) {
    Object& object = objects.back();
    const auto begin = keys.begin() + static_cast<ptrdiff_t>(object.begin);
    const size_t count = keys.size() - object.begin;
    if (count == kFew) object.many.insert(begin, keys.end());
    const bool is_new =
        count < kFew ? std::find(begin, keys.end(), key) == keys.end() : object.many.insert(key).second;
    keys.push_back(key);
    return is_new;
  }

  bool operator()(int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) {
      objects.push_back({keys.size()});
    } else if (event == Json::parse_event_t::object_end && !objects.empty()) {
      keys.resize(objects.back().begin);
      objects.pop_back();
    } else if (event == Json::parse_event_t::key && !objects.empty()) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!Insert(absl::HashOf(std::string_view(key))) && problem.empty()) {
        problem = fmt::format("has the key \"{}\" twice in one object: see byte {}", Shorten(key, 60), *read);
      }
    }
    return true;
  }
};

// Where a bracket outside strings opens more than `max_depth` deep, counted from 1; 0: nowhere. Cheap, and
// before the parser builds a tree. A text that misleads it about what a string is, is malformed before that
// place.
size_t TooDeepAt(std::string_view text, int max_depth) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > max_depth) return i + 1;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return 0;
}

}  // namespace

StatusOr<Json> ParseJson(std::string_view text, std::string_view what, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return Error(Code::kTooLarge,
                 fmt::format("{} has {} bytes; at most {} are taken.", what, text.size(), limits.max_bytes));
  }
  auto invalid = [&](std::string_view why) {
    return Error(Code::kInvalid, fmt::format("{} {}.", what, why));
  };
  size_t valid = Utf8Prefix(text);
  if (valid < text.size()) return invalid(fmt::format("is not valid UTF-8 at byte {}", valid + 1));
  if (size_t at = TooDeepAt(text, limits.max_depth); at > 0) {
    return invalid(fmt::format("is nested more than {} deep at byte {}", limits.max_depth, at));
  }
  size_t read = 0;
  KeyCheck check{&read};
  try {
    const char* end = text.data() + text.size();
    Json json =
        Json::parse(CountingIterator(text.data(), &read), CountingIterator(end, &read), std::ref(check));
    if (!check.problem.empty()) return invalid(check.problem);
    return json;
  } catch (const Json::parse_error& error) {
    return invalid(fmt::format("is not valid JSON at byte {}", error.byte));
  } catch (const Json::exception& error) {
    return invalid(fmt::format("has a number out of range before byte {}", read));
  }
}

namespace {

// nlohmann's own writer looks at every character alone; most texts are appended whole here.
void AppendJson(const Json& json, std::string* out) {
  switch (json.type()) {
    case Json::value_t::object: {
      char before = '{';
      for (const auto& [key, value] : json.get_ref<const Json::object_t&>()) {
        out->push_back(std::exchange(before, ','));
        AppendJsonString(key, out);
        out->push_back(':');
        AppendJson(value, out);
      }
      out->append(before == '{' ? "{}" : "}");
      return;
    }
    case Json::value_t::array: {
      char before = '[';
      for (const Json& value : json.get_ref<const Json::array_t&>()) {
        out->push_back(std::exchange(before, ','));
        AppendJson(value, out);
      }
      out->append(before == '[' ? "[]" : "]");
      return;
    }
    case Json::value_t::string:
      return AppendJsonString(json.get_ref<const std::string&>(), out);
    default:
      out->append(json.dump());
  }
}

}  // namespace

std::string Dump(const Json& json) {
  std::string text;
  AppendJson(json, &text);
  return text;
}

bool IsPlainJson(std::string_view text) {
  // No early end: the loop becomes a few vector instructions, and most texts are plain.
  unsigned bad = 0;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    bad |= static_cast<unsigned>(byte < 0x20) | (byte >= 0x7F) | (byte == '"') | (byte == '\\');
  }
  return bad == 0;
}

void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  if (IsPlainJson(text)) {
    out->append(text);
    out->push_back('"');
    return;
  }
  std::string replaced;
  if (!IsUtf8(text)) text = replaced = ReplaceBadUtf8(text);
  size_t clean = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out->append(text.substr(clean, i - clean));
    clean = i + 1;
    switch (c) {
      case '"':
        out->append("\\\"");
        break;
      case '\\':
        out->append("\\\\");
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\t':
        out->append("\\t");
        break;
      case '\r':
        out->append("\\r");
        break;
      case '\b':
        out->append("\\b");
        break;
      case '\f':
        out->append("\\f");
        break;
      default:
        fmt::format_to(std::back_inserter(*out), "\\u{:04x}", c);
    }
  }
  out->append(text.substr(clean));
  out->push_back('"');
}

}  // namespace mediagen
