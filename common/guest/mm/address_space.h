// AddressSpace: the memory of one guest process. Two ordered lists describe it: regions (what mmap,
// brk and the program loader asked for) and extents (which page frames back which pages right now:
// the page table that the monitor reads). Faults turn the first into the second.
//
// Called from system calls, from the page-fault upcall and from user copies, always in kernel mode.
// Only the current space may change its extents, because hypercalls map, unmap and protect work on
// it alone; a space that is not current can only be destroyed.
#pragma once

#include <cstdint>

#include "guest/abi/structs.h"
#include "guest/base/result.h"
#include "guest/base/share.h"
#include "guest/heap/heap.h"
#include "guest/mm/extent_map.h"
#include "guest/mm/region_map.h"
#include "vmi/hypercalls.h"

namespace guest {

/// Where things lie in a guest process. No randomisation: runs must be comparable.
inline constexpr std::uint64_t stack_top = vmi::user_end - vmi::page_size;
inline constexpr std::uint64_t stack_limit = 8ul << 20;   // RLIMIT_STACK, unless changed
inline constexpr std::uint64_t stack_gap = 1ul << 20;     // kept free below a growing stack
inline constexpr std::uint64_t stack_room = 128ul << 20;  // at least: its limit may be raised
inline constexpr std::uint64_t mmap_top = (stack_top - stack_room) & ~0x1fffffull;
inline constexpr std::uint64_t pie_base = 0x5555'5555'4000;

/// Where mappings go, from there down, in a program that is loaded under this RLIMIT_STACK: as on
/// Linux, a stack of no limit gets most of the space.
constexpr std::uint64_t mmap_top_below(std::uint64_t limit) {
  constexpr std::uint64_t most = stack_top / 6 * 5;
  const std::uint64_t room = limit < most - stack_gap ? limit + stack_gap : most;
  return room < stack_room ? mmap_top : (stack_top - room) & ~0x1fffffull;
}

struct MapRequest {
  std::uint64_t address = 0;  // a hint, unless `placement` says otherwise
  std::uint64_t bytes = 0;
  std::uint32_t protection = 0;  // vmi::Protection bits
  bool shared = false;
  enum Placement { anywhere, fixed, fixed_no_replace } placement = anywhere;
  Ref<PageSource> backing = {};  // none: anonymous
  std::uint64_t offset = 0;
  bool may_write = true;         // false: a shared mapping of a file not open for writing
  bool reserve_nothing = false;  // MAP_NORESERVE: any size will do
};

/// Addresses of user memory.
struct MemoryRange {
  std::uint64_t begin = 0, end = 0;
  [[nodiscard]] std::uint64_t bytes() const { return end - begin; }
};

class AddressSpace : public Sharable, public Allocated<HeapKind::process> {
 public:
  /// A new, empty space; not current. EAGAIN, ENOMEM.
  static Result<Ref<AddressSpace>> create();
  ~AddressSpace();

  /// A copy-on-write twin of this space, which must be current.
  Result<Ref<AddressSpace>> fork();
  /// Makes this the current space. The one before stays alive until then, even if its process is
  /// gone: while it is mapped its frames must not be anybody else's.
  void activate();
  /// Unmaps what files no longer have. Done by activation, too.
  void catch_up() { (void)make_cuts(); }
  /// Did it? If not, no program may run here again.
  [[nodiscard]] bool intact() const { return !regions_.any_behind; }
  /// The current one has lost its mappings on the host.
  void activate_again();
  static AddressSpace* current();
  /// Afterwards no space is current (the host keeps what was mapped until the next activation).
  static void deactivate();

  /// Serves a page fault of the current space. EFAULT: nothing there (SIGSEGV, MAPERR); EACCES: not
  /// allowed (SIGSEGV, ACCERR); EIO: beyond the end of the file (SIGBUS); ENOMEM.
  Result<> fault(std::uint64_t va, std::uint64_t error_code);

  Result<std::uint64_t> map(const MapRequest& request);
  Result<> unmap(std::uint64_t va, std::uint64_t bytes);
  Result<> protect(std::uint64_t va, std::uint64_t bytes, std::uint32_t protection);
  enum RemapFlags : std::uint32_t { remap_may_move = 1, remap_fixed = 2 };
  Result<std::uint64_t> remap(std::uint64_t va, std::uint64_t bytes, std::uint64_t new_bytes,
                              std::uint32_t flags, std::uint64_t new_va);
  /// Drops the pages: private ones read as zero (or as the file) again.
  Result<> discard(std::uint64_t va, std::uint64_t bytes);
  /// Drops what `region` maps of its file from offset `from` on. ENOMEM.
  Result<> cut(const Region& region, std::uint64_t from);
  /// Is all of the range mapped? ENOMEM where not.
  Result<> check_mapped(std::uint64_t va, std::uint64_t bytes) const;
  /// The frame of the page of text at `va`, to be rewritten (own_text.cpp). EACCES: not text;
  /// EFAULT, ENOMEM.
  Result<Frame> own_text(std::uint64_t va);
  /// Is the page in memory, mapped or in its file's cache?
  [[nodiscard]] bool resident(std::uint64_t va) const;
  Result<> populate(std::uint64_t va, std::uint64_t bytes);
  /// What was written through shared mappings of files in the range is on stable storage.
  Result<> sync(std::uint64_t va, std::uint64_t bytes);

  /// The break after the call, as Linux's brk: unchanged when `va` cannot be had.
  std::uint64_t set_brk(std::uint64_t va);
  /// `data_bytes`: of the program's own data, which RLIMIT_DATA counts as well.
  void start_brk(std::uint64_t va, std::uint64_t data_bytes = 0) {
    brk_begin_ = brk_ = va;
    data_bytes_ = data_bytes;
  }
  [[nodiscard]] bool in_heap(std::uint64_t va) const { return va >= brk_begin_ && va < brk_; }
  /// The initial stack region, growing down from stack_top.
  Result<> map_stack(bool executable = false);

  /// Copies what is there, of any space, up to the first page that is not. Returns how many bytes.
  std::size_t peek(std::uint64_t va, void* to, std::size_t bytes) const;

  /// The limits of the process that runs here, of which RLIMIT_AS, _DATA and _STACK are the space's
  /// to keep. Told whenever another one gets the CPU: those who share a space have their own.
  void bind(const abi::ResourceLimit* limits) { limits_ = limits; }
  /// Before anything is mapped: where mappings go.
  void start_mappings(std::uint64_t top) { mmap_top_ = search_from_ = top; }

  /// Where execve has put what the program was given: for /proc.
  struct {
    MemoryRange arguments, environment;
  } program_strings;

  [[nodiscard]] const ExtentMap& extents() const { return extents_; }
  [[nodiscard]] const RegionMap& regions() const { return regions_; }
  [[nodiscard]] vmi::SpaceId id() const { return id_; }

 private:
  using Range = MemoryRange;

  explicit AddressSpace(vmi::SpaceId id) : id_(id) {}

  // -- address_space.cpp: life, and fork.
  Result<> copy_region_to(AddressSpace& child, const Region& region, Range own);
  Result<> copy_extent_to(AddressSpace& child, const Region& region, const ExtentNode& extent);
  Result<> own_copy_for(AddressSpace& child, const Region& region, const ExtentNode& extent);

  // -- faults.cpp.
  Region* region_at(std::uint64_t va);
  [[nodiscard]] std::uint64_t reach(const Region& region, std::uint64_t page_va) const;
  Result<> fill_anonymous(const Region& region, std::uint64_t page_va);
  Result<> fill_from_file(const Region& region, std::uint64_t page_va, bool write);
  Result<> install(const Region& region, std::uint64_t va, FrameRun run, std::uint32_t protection,
                   std::uint32_t flags);
  Result<> make_writable(const Region& region, std::uint64_t page_va);
  Range ours_alone_around(const Region& region, std::uint64_t page_va);
  Result<> share_around(const Region& region, Range mapped, std::uint64_t page_va);
  Result<> grant_write(const Region& region, Range range);
  Result<> copy_shared(const Region& region, const ExtentNode& extent, std::uint64_t page_va);
  Result<Frames> replace_with_copy(const Region& region, Range range);
  static Result<> map_again(const ExtentNode& extent);
  [[nodiscard]] Range unmapped_around(const Region& region, std::uint64_t page_va,
                                      std::uint64_t begin, std::uint64_t end) const;
  Result<FrameRun> allocate_near(std::uint64_t va, Frames wanted);

  // -- own_text.cpp.
  Result<> map_text_copy(const Region& region, const TextCopy& copy, Range range);
  Result<> drop_text_copies(Range range);

  // -- protection.cpp.
  void protect_region(Region& region, std::uint32_t protection);
  Result<> write_protect(const Region& region, Range kept);

  // -- limits.cpp.
  [[nodiscard]] std::uint64_t limit(abi::Resource which) const;
  [[nodiscard]] Result<> check_limits(std::uint64_t more, std::uint64_t more_data) const;
  [[nodiscard]] Result<> check_growth(const Region& region, std::uint64_t bytes,
                                      std::uint64_t new_bytes) const;
  [[nodiscard]] std::uint64_t mapped_bytes(Range range) const;
  [[nodiscard]] std::uint64_t bytes_made_data(Range range) const;

  // -- mappings.cpp: what system calls ask for.
  Result<> split_at(std::uint64_t va);
  Result<> make_cuts();
  Result<> drop_extents(std::uint64_t begin, std::uint64_t end);
  void remove_extents(Range range);
  void drop(Range range);
  Result<std::uint64_t> place(const MapRequest& request, std::uint64_t bytes);
  void gap_appeared(std::uint64_t va);
  Result<std::uint64_t> find_gap(std::uint64_t bytes);
  Result<std::uint64_t> resize(Range old, std::uint64_t new_bytes, std::uint32_t flags);
  Result<> move(Range old, Range to);

  vmi::SpaceId id_;
  RegionMap regions_;
  ExtentMap extents_;
  std::uint64_t brk_begin_ = 0, brk_ = 0, data_bytes_ = 0;
  std::uint64_t mmap_top_ = mmap_top;
  std::uint64_t search_from_ = mmap_top;  // no gap is known above
  const abi::ResourceLimit* limits_ = nullptr;
};

/// What a private page that others may share is mapped with until its first write.
constexpr std::uint32_t without_write(std::uint32_t protection) {
  return protection & vmi::prot_write ? (protection & ~vmi::prot_write) | vmi::prot_read
                                      : protection;
}
/// Code that is not written: in a private mapping of a file, it is the same in every process.
constexpr bool is_text(std::uint32_t protection) {
  return (protection & (vmi::prot_exec | vmi::prot_write)) == vmi::prot_exec;
}
constexpr std::uint64_t page_down(std::uint64_t va) {
  return va & ~(vmi::page_size - 1);
}
constexpr std::uint64_t page_up(std::uint64_t va) {
  return page_down(va + vmi::page_size - 1);
}

}  // namespace guest
