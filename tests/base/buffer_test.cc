#include "base/buffer.h"

#include <doctest/doctest.h>

#include <cstring>
#include <thread>
#include <vector>

using namespace mediagen;

TEST_CASE("bytes are copied, owned or aliased, and all read the same") {
  std::string text("a\0b", 3);
  BufferRef copy = BufferRef::Copy(text);
  text[0] = 'x';
  CHECK(copy.view() == std::string_view("a\0b", 3));

  std::string large(1000, 'l');
  const char* data = large.data();
  BufferRef owned = BufferRef::Own(std::move(large));
  CHECK(owned->data() == data);  // no copy
  CHECK(owned.size() == 1000);

  std::vector<uint8_t> bytes = {1, 2, 3};
  const void* first = bytes.data();
  BufferRef vector = BufferRef::Own(std::move(bytes));
  CHECK(vector->bytes().data() == first);
  CHECK(vector->bytes()[2] == 3);

  auto owner = std::make_shared<const std::string>("0123456789");
  BufferRef part = BufferRef::Alias(std::string_view(*owner).substr(2, 3), owner);
  std::weak_ptr<const std::string> watch = owner;
  owner.reset();
  CHECK(part.view() == "234");
  part = nullptr;
  CHECK(watch.expired());
}

TEST_CASE("empty and null are told apart") {
  for (const BufferRef& empty :
       {BufferRef::Copy(""), BufferRef::Own(std::string()), BufferRef::Own(std::vector<uint8_t>())}) {
    CHECK(empty);
    CHECK(empty.size() == 0);
  }
  BufferRef null;
  CHECK_FALSE(null);
  CHECK(null.view().empty());
  CHECK(null.get() == nullptr);
}

TEST_CASE("references are counted through copies, moves and raw pointers") {
  BufferRef a = BufferRef::Copy("x");
  CHECK_FALSE(a->shared());
  BufferRef b = a;
  CHECK(a->shared());
  BufferRef c = std::move(b);
  CHECK_FALSE(b);  // NOLINT(bugprone-use-after-move): that it is empty is the rule
  CHECK(c.get() == a.get());
  BufferRef& same = c;
  c = same;
  c = nullptr;
  CHECK_FALSE(a->shared());

  const Buffer* raw = a.Release();
  CHECK_FALSE(a);
  raw->Ref();
  CHECK(raw->shared());
  raw->Unref();
  BufferRef back = BufferRef::Adopt(raw);
  CHECK(back.view() == "x");
}

TEST_CASE("threads share a buffer and the last one frees it") {
  auto owner = std::make_shared<const std::string>(1000, 'y');
  std::weak_ptr<const std::string> watch = owner;
  BufferRef buffer = BufferRef::Alias(*owner, owner);
  owner.reset();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([mine = buffer] {
      for (int j = 0; j < 1000; ++j) {
        BufferRef copy = mine;
        REQUIRE(copy.view()[999] == 'y');
      }
    });
  }
  buffer = nullptr;
  for (auto& thread : threads) thread.join();
  threads.clear();
  CHECK(watch.expired());
}

TEST_CASE(
    "a buffer inside a block frees the block with its last reference, and nothing is read past its end") {
  void* block = ::operator new(24 + sizeof(Buffer) + 5);
  std::memset(block, 'x', 24);
  Buffer* buffer = Buffer::Embed(block, 24, "hello");
  CHECK(static_cast<const void*>(buffer) == static_cast<char*>(block) + 24);
  BufferRef reader = BufferRef::Adopt(buffer);
  BufferRef other = reader;
  CHECK(reader->shared());
  CHECK(other.view() == "hello");
  reader = nullptr;
  CHECK(other.view() == "hello");
  CHECK(static_cast<char*>(block)[23] == 'x');
  other = nullptr;  // the sanitizer's leak check sees whether the block is gone
}
