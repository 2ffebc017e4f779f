// Where in kernel memory a block goes, and who is refused first, on two pieces of host memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "guest/heap/kernel_heap.h"

namespace {

using guest::HeapKind;

constexpr std::size_t page = 4096, window_pages = 256, slabs = 4, slab_pages = 256;
constexpr std::size_t stride_pages = 300, attic_pages = slabs * stride_pages;
constexpr HeapKind kinds[] = {HeapKind::crowd,   HeapKind::inode,   HeapKind::file,
                              HeapKind::mapping, HeapKind::process, HeapKind::kernel};

class KernelHeapTest : public ::testing::Test {
 protected:
  KernelHeapTest() { heap_.init(begin(window_), begin(window_) + window_pages * page); }
  void build_attic() {
    heap_.init_attic({begin(attic_), slab_pages * page, stride_pages * page, slabs});
  }

  using Memory = std::unique_ptr<std::byte, decltype(&std::free)>;
  static Memory memory(std::size_t pages) {
    return {static_cast<std::byte*>(std::aligned_alloc(page, pages * page)), std::free};
  }
  static std::uintptr_t begin(const Memory& memory) {
    return reinterpret_cast<std::uintptr_t>(memory.get());
  }
  bool in_window(const void* block) const {
    auto where = reinterpret_cast<std::uintptr_t>(block);
    return where >= begin(window_) && where < begin(window_) + window_pages * page;
  }
  std::size_t take_all(HeapKind kind) {
    std::size_t blocks = 0;
    while (void* block = heap_.allocate(512, kind)) {
      blocks_.push_back(block);
      ++blocks;
    }
    return blocks;
  }

  Memory window_ = memory(window_pages), attic_ = memory(attic_pages);
  guest::KernelHeap heap_;
  std::vector<void*> blocks_;
};

TEST_F(KernelHeapTest, EachKindLeavesRoomToThoseBeforeIt) {
  for (HeapKind kind : kinds) EXPECT_GT(take_all(kind), 0u) << static_cast<int>(kind);
  EXPECT_LT(heap_.free_in_window(), page);
}

TEST_F(KernelHeapTest, TheSameWithAnAttic) {
  build_attic();
  for (HeapKind kind : kinds) EXPECT_GT(take_all(kind), 0u) << static_cast<int>(kind);
}

TEST_F(KernelHeapTest, ColdKindsBeginInTheWindowAndGoOnInTheAttic) {
  build_attic();
  EXPECT_TRUE(in_window(heap_.allocate(512, HeapKind::inode)));
  EXPECT_GT(take_all(HeapKind::inode), window_pages);
  EXPECT_FALSE(in_window(blocks_.back()));
  // Others still find room in the window, and the kernel has all of it.
  EXPECT_TRUE(in_window(heap_.allocate(512, HeapKind::process)));
  EXPECT_GT(heap_.free_in_window(), window_pages * page / 3);
}

TEST_F(KernelHeapTest, TheKernelsOwnIsNeverInTheAttic) {
  build_attic();
  take_all(HeapKind::kernel);
  for (void* block : blocks_) ASSERT_TRUE(in_window(block));
  EXPECT_EQ(heap_.allocate(page, HeapKind::kernel), nullptr);
  EXPECT_NE(heap_.allocate(page, HeapKind::process), nullptr);
}

TEST_F(KernelHeapTest, WhatIsFreedCanBeHadAgain) {
  build_attic();
  const std::size_t first = take_all(HeapKind::file);
  for (void* block : blocks_) heap_.free(block);
  EXPECT_EQ(heap_.use().used, 0u);
  blocks_.clear();
  EXPECT_EQ(take_all(HeapKind::file), first);
  heap_.free(nullptr);
}

TEST_F(KernelHeapTest, ParkedStacksAreInTheAttic) {
  build_attic();
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(in_window(heap_.allocate(5 * page, HeapKind::parked)));
}

TEST_F(KernelHeapTest, NothingLiesInTheGapsOfTheAttic) {
  build_attic();
  take_all(HeapKind::process);
  std::size_t in_slabs[slabs] = {};
  for (void* block : blocks_) {
    if (in_window(block)) continue;
    const std::size_t at = reinterpret_cast<std::uintptr_t>(block) - begin(attic_);
    ASSERT_LE(at % (stride_pages * page) + 512, slab_pages * page);
    ++in_slabs[at / (stride_pages * page)];
  }
  for (std::size_t count : in_slabs) EXPECT_GT(count, slab_pages);
}

TEST_F(KernelHeapTest, SlabsNobodyNeedsAreLeftAlone) {
  build_attic();
  std::fill_n(attic_.get(), attic_pages * page, std::byte{0x5a});
  while (in_window(heap_.allocate(512, HeapKind::inode))) {
  }
  for (std::size_t i = stride_pages * page; i < attic_pages * page; ++i)
    ASSERT_EQ(attic_.get()[i], std::byte{0x5a});
}

}  // namespace
