// The kernel heap's algorithm on a piece of host memory.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "guest/heap/page_heap.h"

namespace {

constexpr std::size_t page = 4096;

class PageHeapTest : public ::testing::Test {
 protected:
  explicit PageHeapTest(std::size_t pages = 64)
      : memory_(static_cast<std::byte*>(std::aligned_alloc(page, pages * page)), std::free) {
    auto begin = reinterpret_cast<std::uintptr_t>(memory_.get());
    heap_.init(begin, begin + pages * page);
  }
  std::unique_ptr<std::byte, decltype(&std::free)> memory_;
  guest::PageHeap heap_;
};

TEST_F(PageHeapTest, BlocksAreAlignedAndApart) {
  void* a = heap_.allocate(1);
  void* b = heap_.allocate(17);
  void* c = heap_.allocate(5000);
  for (void* block : {a, b, c}) EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 16, 0u);
  std::memset(a, 1, 1);
  std::memset(b, 2, 17);
  std::memset(c, 3, 5000);
  EXPECT_EQ(*static_cast<char*>(a), 1);
  EXPECT_EQ(static_cast<char*>(b)[16], 2);
}

TEST_F(PageHeapTest, EverySizeHoldsItsBytes) {
  for (std::size_t bytes = 0; bytes <= 3 * page; bytes += 7) {
    void* block = heap_.allocate(bytes);
    ASSERT_NE(block, nullptr) << bytes;
    std::memset(block, 0xa5, bytes);
    heap_.free(block);
  }
  EXPECT_EQ(heap_.use().used, 0u);
}

TEST_F(PageHeapTest, FullHeapSaysSoAndRecovers) {
  std::vector<void*> blocks;
  while (void* block = heap_.allocate(2048)) blocks.push_back(block);
  EXPECT_GE(blocks.size() * 2048, heap_.use().total - page);
  EXPECT_EQ(heap_.allocate(page), nullptr);
  for (void* block : blocks) heap_.free(block);
  EXPECT_EQ(heap_.use().used, 0u);
  // All but the one page that a size class keeps is one run again.
  EXPECT_NE(heap_.allocate(heap_.use().total - page), nullptr);
}

TEST_F(PageHeapTest, ImpossibleSizesAreRefused) {
  EXPECT_EQ(heap_.allocate(heap_.use().total + 1), nullptr);
  EXPECT_EQ(heap_.allocate(~std::size_t{0}), nullptr);
}

TEST_F(PageHeapTest, NeighbouringRunsMerge) {
  void* a = heap_.allocate(3 * page);
  void* b = heap_.allocate(3 * page);
  void* c = heap_.allocate(3 * page);
  heap_.free(a);
  heap_.free(c);
  heap_.free(b);
  EXPECT_NE(heap_.allocate(heap_.use().total), nullptr);
}

TEST_F(PageHeapTest, PeakRemembers) {
  heap_.free(heap_.allocate(10 * page));
  EXPECT_EQ(heap_.use().used, 0u);
  EXPECT_EQ(heap_.use().peak, 10 * page);
}

TEST_F(PageHeapTest, RandomUseKeepsContentsApart) {
  struct Block {
    unsigned char* at;
    std::size_t bytes;
    unsigned char value;
  };
  std::mt19937 random(1);
  std::vector<Block> blocks;
  for (int step = 0; step < 20000; ++step) {
    if (blocks.empty() || random() % 5 < 3) {
      std::size_t bytes = 1 + random() % (random() % 8 ? 600 : 9000);
      auto* at = static_cast<unsigned char*>(heap_.allocate(bytes));
      if (!at) continue;
      auto value = static_cast<unsigned char>(random());
      std::memset(at, value, bytes);
      blocks.push_back({at, bytes, value});
    } else {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      Block block = blocks.back();
      blocks.pop_back();
      for (std::size_t i = 0; i < block.bytes; ++i) ASSERT_EQ(block.at[i], block.value);
      heap_.free(block.at);
    }
  }
  for (Block& block : blocks) heap_.free(block.at);
  EXPECT_EQ(heap_.use().used, 0u);
}

}  // namespace
