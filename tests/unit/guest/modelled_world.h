// ModelledWorld: processes' memory beside a model of what a program must find there, for tests that
// make hypercalls or the heap fail. After each call the invariants hold and all contents are what
// the model says: a call that failed has changed nothing.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/guest/invariants.h"
#include "tests/unit/guest/memory_file.h"

namespace guest_test {

class ModelledWorld {
 public:
  static constexpr std::uint64_t page = vmi::page_size, base = 0x10'0000'0000;
  static constexpr std::uint32_t frames = 512, read_write = vmi::prot_read | vmi::prot_write;

  explicit ModelledWorld(bool pool) {
    platform.pool = pool;
    soil_free_frames();
    for (std::uint64_t i = 0; i < 8 * page; ++i)
      contents_.push_back(static_cast<std::uint8_t>(0x80 + i / page));
    for (auto& file : files_) file = guest::Ref<MemoryFile>(new MemoryFile(contents_));
    free_ = guest::frames_free().number;
    spaces_.push_back({guest::AddressSpace::create().release(), {}});
    switch_to(0);
  }

  static std::uint64_t at(std::uint64_t index) { return base + index * page; }
  guest::AddressSpace& space() { return *spaces_[current_].space; }
  std::size_t processes() const { return spaces_.size(); }

  // -- What a program may do. Pages are counted from `base`.
  bool map(std::uint64_t first, std::uint64_t count, std::uint32_t protection = read_write,
           bool shared = false) {
    bool ok = space()
                  .map({.address = at(first),
                        .bytes = count * page,
                        .protection = protection,
                        .shared = shared,
                        .placement = guest::MapRequest::fixed})
                  .ok();
    for (std::uint64_t i = first; ok && i < first + count; ++i) cells()[at(i)] = cell(0, shared);
    return judge(ok, "map");
  }
  bool map_file(std::uint64_t first, std::uint64_t count, std::uint32_t protection, bool shared) {
    bool ok = space()
                  .map({.address = at(first),
                        .bytes = count * page,
                        .protection = protection,
                        .shared = shared,
                        .placement = guest::MapRequest::fixed,
                        .backing = files_[shared]})
                  .ok();
    for (std::uint64_t i = 0; ok && i < count; ++i)
      cells()[at(first + i)] = shared ? file_cell(i) : cell(contents_[i * page], false);
    return judge(ok, "map a file");
  }
  bool unmap(std::uint64_t first, std::uint64_t count) {
    bool ok = space().unmap(at(first), count * page).ok();
    if (ok) erase(first, count);
    return judge(ok, "unmap");
  }
  bool protect(std::uint64_t first, std::uint64_t count, std::uint32_t protection) {
    return judge(space().protect(at(first), count * page, protection).ok(), "protect");
  }
  /// Of private memory.
  bool discard(std::uint64_t first, std::uint64_t count) {
    bool ok = space().discard(at(first), count * page).ok();
    for (std::uint64_t i = first; ok && i < first + count; ++i)
      *cells()[at(i)].value = cells()[at(i)].initial;
    return judge(ok, "discard");
  }
  bool remap(std::uint64_t first, std::uint64_t count, std::uint64_t to, std::uint64_t new_count) {
    using guest::AddressSpace;
    bool ok = space()
                  .remap(at(first), count * page, new_count * page,
                         AddressSpace::remap_may_move | AddressSpace::remap_fixed, at(to))
                  .ok();
    if (ok) {
      auto moved = cells();
      erase(to, new_count);
      erase(first, count);
      for (std::uint64_t i = 0; i < new_count; ++i)
        cells()[at(to + i)] = i < count ? moved[at(first + i)] : cell(0, false);
    }
    return judge(ok, "remap");
  }
  bool set_break(std::uint64_t pages) {
    std::uint64_t before = space().set_brk(0), after = base + pages * page;
    bool ok = space().set_brk(after) == after;
    for (std::uint64_t va = before; ok && va < after; va += page) cells()[va] = cell(0, false);
    if (ok && after < before) erase(pages, (before - after) / page);
    return judge(ok, "set the break");
  }
  bool store(std::uint64_t index, std::uint8_t value) {
    int error = 0;
    try {
      platform.store(at(index), value);
    } catch (const FaultFailed& failed) {
      error = failed.error;
    }
    if (!error) *cells()[at(index)].value = value;
    EXPECT_TRUE(!error || error == static_cast<int>(guest::Errno::nomem)) << error;
    return judge(!error, "store");
  }
  bool load(std::uint64_t index) {
    bool ok = true;
    try {
      EXPECT_EQ(platform.load(at(index)), *cells()[at(index)].value) << index;
    } catch (const FaultFailed& failed) {
      EXPECT_EQ(failed.error, static_cast<int>(guest::Errno::nomem));
      ok = false;
    }
    return judge(ok, "load");
  }
  bool fork() {
    auto child = space().fork();
    if (child.ok()) {
      Cells cells;
      for (auto& [va, old] : this->cells()) {
        cells[va] = old;
        if (!old.shared) cells[va].value = std::make_shared<std::uint8_t>(*old.value);
      }
      spaces_.push_back({child.release(), std::move(cells)});
    }
    return judge(child.ok(), "fork");
  }
  bool exec() {
    auto fresh = guest::AddressSpace::create();
    if (fresh.ok()) {
      spaces_[current_] = {fresh.release(), {}};
      spaces_[current_].space->activate();
    }
    return judge(fresh.ok(), "exec");
  }
  void switch_to(std::size_t process) {
    current_ = process;
    space().activate();
    judge(true, "switch");
  }
  /// The last process ends; the first goes on.
  void exit() {
    switch_to(0);
    spaces_.pop_back();
    judge(true, "exit");
  }

  /// All is free again.
  void end() {
    spaces_.clear();
    guest::AddressSpace::deactivate();
    EXPECT_EQ(guest::frames_free().number, free_);
    EXPECT_TRUE(platform.spaces.empty());
  }
  [[nodiscard]] bool was_refused() const { return refused_; }

  FakePlatform platform{frames};

 private:
  struct Cell {
    std::shared_ptr<std::uint8_t> value;  // of the page's first byte
    bool shared = false;
    std::uint8_t initial = 0;  // what a page that was never touched will show
  };
  using Cells = std::map<std::uint64_t, Cell>;
  struct Process {
    guest::Ref<guest::AddressSpace> space;
    Cells cells;
  };

  static Cell cell(std::uint8_t value, bool shared) {
    return {std::make_shared<std::uint8_t>(value), shared, value};
  }
  Cell file_cell(std::uint64_t file_page) {
    Cell& known = file_cells_[file_page];
    if (!known.value) known = cell(contents_[file_page * page], true);
    return known;
  }
  Cells& cells() { return spaces_[current_].cells; }
  void erase(std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t i = first; i < first + count; ++i) cells().erase(at(i));
  }

  /// No frame is as the host gave it: what is not zeroed shows.
  void soil_free_frames() {
    std::vector<guest::FrameRun> all;
    while (guest::frames_free().number)
      all.push_back(guest::frames_allocate(guest::Frames(frames)).release());
    for (auto run : all) guest::frames_release(run);
    std::fill(platform.ram.begin(), platform.ram.end(), 0xee);
  }

  bool judge(bool ok, const char* call) {
    if (platform.heap_allocations_left == 0) {  // it failed for this call; the next may have it
      platform.heap_allocations_left = -1;
      refused_ = true;
    }
    refused_ |= platform.failures > 0;
    EXPECT_TRUE(ok || refused_) << call << " failed though nothing was refused";
    std::vector<const guest::AddressSpace*> all;
    for (auto& process : spaces_) all.push_back(process.space.get());
    EXPECT_EQ(Invariants::broken(all), "") << "after " << call;
    for (auto& process : spaces_) compare(process, call);
    return ok;
  }

  /// What the extents show is what the model has, or not there yet.
  void compare(Process& process, const char* call) {
    for (auto& [va, cell] : process.cells) {
      EXPECT_TRUE(process.space->regions().find(va)) << "after " << call;
      const guest::ExtentNode* extent = process.space->extents().find(va);
      if (!extent) {
        EXPECT_TRUE(cell.shared || *cell.value == cell.initial)
            << "page " << (va - base) / page << " was lost by " << call;
        continue;
      }
      EXPECT_EQ(*platform.frame(extent->frame_at(va)), *cell.value)
          << "page " << (va - base) / page << " of space " << process.space->id() << " after "
          << call;
    }
    for (auto* region = process.space->regions().first(); region; region = region->following())
      EXPECT_TRUE(process.cells.count(region->va)) << std::hex << region->va << " after " << call;
  }

  std::vector<std::uint8_t> contents_;
  // One is mapped privately, the other is written through shared mappings: a page of the first
  // that a process has not written yet is always the file's.
  guest::Ref<MemoryFile> files_[2];
  std::map<std::uint64_t, Cell> file_cells_;
  std::vector<Process> spaces_;
  std::size_t current_ = 0;
  std::uint32_t free_ = 0;
  bool refused_ = false;
};

}  // namespace guest_test
