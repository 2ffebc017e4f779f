// AddressSpace: birth, activation, fork and death. Faults are in faults.cpp, the mapping calls in
// mappings.cpp. Called by process creation, execve, the scheduler and exit.
//
// Fork shares: all private writable pages of the parent lose their write permission, both sides
// count the frames, and whoever writes first copies. What both will write at once (the top of the
// stack) is copied right away instead: a fault costs more than a page.
#include "guest/mm/address_space.h"

#include <algorithm>
#include <new>

#include "guest/base/panic.h"
#include "guest/platform.h"

namespace guest {

namespace {

/// Space numbers in use. A pool monitor keeps tables by number, so the lowest free one is taken.
class SpaceNumbers {
 public:
  Result<vmi::SpaceId> take() {
    for (std::uint32_t word = 0; word < words; ++word) {
      if (~used_[word] == 0) continue;
      auto bit = static_cast<std::uint32_t>(__builtin_ctzll(~used_[word]));
      used_[word] |= 1ull << bit;
      return word * 64 + bit;
    }
    return Errno::again;
  }
  void give_back(vmi::SpaceId id) { used_[id / 64] &= ~(1ull << (id % 64)); }

 private:
  static constexpr std::uint32_t words = 16;
  std::uint64_t used_[words] = {};
};

constinit SpaceNumbers space_numbers;
constinit AddressSpace* current_space = nullptr;  // holds a reference

constexpr Errno host_says_no(std::int64_t status) {
  return status == -static_cast<std::int64_t>(Errno::again) ? Errno::again : Errno::nomem;
}

/// The stack pages that parent and child both write as soon as they return from fork.
constexpr std::uint64_t hot_below = 1024, hot_above = 3072;

}  // namespace

Result<Ref<AddressSpace>> AddressSpace::create() {
  vmi::SpaceId id = TRY(space_numbers.take());
  std::int64_t status = hypercalls().create_space(id);
  if (status < 0) {
    space_numbers.give_back(id);
    return host_says_no(status);
  }
  auto* space = new (std::nothrow) AddressSpace(id);
  if (!space) {
    hypercalls().destroy_space(id);
    space_numbers.give_back(id);
    return Errno::nomem;
  }
  return Ref<AddressSpace>(space);
}

AddressSpace::~AddressSpace() {
  KERNEL_ASSERT(this != current_space);
  for (ExtentNode* run = extents_.first(); run; run = run->following()) {
    frames_release(run->run());
  }
  hypercalls().destroy_space(id_);
  space_numbers.give_back(id_);
}

AddressSpace* AddressSpace::current() {
  return current_space;
}

void AddressSpace::activate() {
  if (this == current_space) return;
  retain();
  hypercalls().switch_space(id_, extents_.first());
  AddressSpace* before = std::exchange(current_space, this);
  if (before && before->release()) delete before;
  if (regions_.any_behind) catch_up();
}

void AddressSpace::activate_again() {
  KERNEL_ASSERT(this == current_space);
  hypercalls().switch_space(id_, extents_.first());
}

void AddressSpace::deactivate() {
  AddressSpace* before = std::exchange(current_space, nullptr);
  if (before && before->release()) delete before;
}

Result<Ref<AddressSpace>> AddressSpace::fork() {
  KERNEL_ASSERT(this == current_space);
  std::uint64_t stack_pointer = 0;
  if (const vmi::TrapFrame* frame = shared_info().current_frame) stack_pointer = frame->rsp;
  Range hot;
  if (stack_pointer > hot_below && stack_pointer < vmi::user_end) {
    hot = {page_down(stack_pointer - hot_below), page_up(stack_pointer + hot_above)};
  }
  // Protect first: a monitor that clones the current space inherits it that way.
  for (const Region* region = regions_.first(); region; region = region->following()) {
    TRY(write_protect(*region, hot));
  }
  Ref<AddressSpace> child = TRY(create());
  for (Region* region = regions_.first(); region; region = region->following()) {
    TRY(copy_region_to(*child, *region, hot));
  }
  child->brk_begin_ = brk_begin_;
  child->brk_ = brk_;
  child->data_bytes_ = data_bytes_;
  child->mmap_top_ = mmap_top_;
  child->search_from_ = search_from_;
  child->program_strings = program_strings;
  return child;
}

Result<> AddressSpace::copy_region_to(AddressSpace& child, const Region& region, Range own) {
  TRY(child.regions_.add(region.va, region.end, region.source));
  for (ExtentNode* run = extents_.first_ending_after(region.va); run && run->va < region.end;
       run = run->following()) {
    bool hot = run->va >= own.begin && run->end() <= own.end && !region.source.shared &&
               run->protection & vmi::prot_write;
    if (hot) {
      TRY(own_copy_for(child, region, *run));
    } else {
      TRY(copy_extent_to(child, region, *run));
    }
  }
  return {};
}

Result<> AddressSpace::copy_extent_to(AddressSpace& child, const Region& region,
                                      const ExtentNode& extent) {
  TRY(child.extents_.add(extent.va, extent.run(), extent.protection, region.va, region.end));
  frames_retain(extent.run());
  return {};
}

Result<> AddressSpace::own_copy_for(AddressSpace& child, const Region& region,
                                    const ExtentNode& extent) {
  for (Frames done; done < extent.count;) {
    std::uint64_t va = extent.va + bytes_of(done);
    FrameRun run = TRY(child.allocate_near(va, extent.count - done));
    hypercalls().copy_frames(run.first, extent.frame + done, run.count);
    auto added = child.extents_.add(va, run, extent.protection, region.va, region.end);
    if (!added.ok()) {
      frames_release(run);
      return added;
    }
    done += run.count;
  }
  return {};
}

std::size_t AddressSpace::peek(std::uint64_t va, void* to, std::size_t bytes) const {
  std::size_t done = 0;
  while (done < bytes) {
    const ExtentNode* extent = extents_.find(va + done);
    if (!extent) break;
    const std::uint64_t in_page = (va + done) % vmi::page_size;
    const std::size_t part = std::min(bytes - done, vmi::page_size - in_page);
    hypercalls().peek_frame(extent->frame_at(page_down(va + done)), Bytes(in_page),
                            static_cast<char*>(to) + done, Bytes(part));
    done += part;
  }
  return done;
}

}  // namespace guest
