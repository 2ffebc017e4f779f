// System calls on a process's own memory: mmap and its family. Called by dispatch; what they mean
// is AddressSpace's, here are the ABI's flags and the checks of arguments.
#include "guest/abi/file_flags.h"
#include "guest/drivers/device_files.h"
#include "guest/mm/address_space.h"
#include "guest/proc/process.h"
#include "guest/sched/scheduler.h"
#include "guest/syscall/handlers.h"
#include "guest/vfs/file_table.h"

namespace guest {

namespace {

enum MapFlag : std::uint32_t {
  map_shared = 1,
  map_private = 2,
  map_shared_validate = 3,
  map_type = 0xf,
  map_fixed = 0x10,
  map_anonymous = 0x20,
  map_no_reserve = 0x4000,
  map_populate = 0x8000,
  map_huge = 0x40000,
  map_fixed_no_replace = 0x100000,
};
// Those that programs had before there was MAP_SHARED_VALIDATE, which checks for others.
constexpr std::uint32_t map_known = 0x7f973;
constexpr std::uint32_t all_protections = vmi::prot_read | vmi::prot_write | vmi::prot_exec;
constexpr std::uint32_t prot_sem = 8;  // "may be used for atomic operations": always
constexpr std::uint32_t mremap_may_move = 1, mremap_fixed = 2;
constexpr std::uint32_t msync_async = 1, msync_invalidate = 2, msync_sync = 4;
constexpr std::uint32_t mlock_on_fault = 1;
constexpr std::uint32_t mlockall_flags = 7;

/// Advice by number: those that may be taken without effect. DONTNEED (4) is served; the rest, such
/// as REMOVE (9) or DONTFORK (10), would change what a program sees.
constexpr bool harmless_advice(int advice) {
  bool usual = advice >= 0 && advice <= 3;  // NORMAL, RANDOM, SEQUENTIAL, WILLNEED
  bool free = advice == 8;                  // FREE: may keep the pages
  bool merge_huge_dump = advice >= 12 && advice <= 17;
  bool reclaim = advice == 20 || advice == 21;  // COLD, PAGEOUT
  return usual || free || merge_huge_dump || reclaim;
}
constexpr int advice_dontneed = 4;

AddressSpace& space() {
  return *current_process().space;
}

bool page_aligned(std::uint64_t va) {
  return va % vmi::page_size == 0;
}

/// What the file must be open for, and what a shared mapping of it may become.
Result<> take_file(MapRequest& request, int fd) {
  Ref<File> file = TRY(current_process().files->get(fd));
  std::uint32_t access = file->flags & abi::o_access;
  if (file->flags & abi::o_path) return Errno::badf;
  if (access == abi::o_wronly) return Errno::acces;
  if (request.shared) {
    request.may_write = access == abi::o_rdwr;
    if (request.protection & vmi::prot_write && !request.may_write) return Errno::acces;
    if (auto seals = file->inode().seals();
        seals.ok() && seals.value() & (abi::seal_write | abi::seal_future_write)) {
      if (request.protection & vmi::prot_write) return Errno::perm;
      request.may_write = false;
    }
  }
  // /dev/zero is another name for memory.
  if (file->inode().is(mode_character) && file->inode().stat().rdev == device_zero) {
    request.offset = 0;
    request.may_write = true;
    return {};
  }
  // Only regular files have pages; devices and pipes say so now, not at the first fault.
  if ((file->inode().mode() & mode_type) != mode_regular) return Errno::nodev;
  request.backing = file->inode_ref();
  file->note_access();
  return {};
}

/// mlock and its like: guest memory is never swapped out, so the range matters, and that its pages
/// are there.
Result<std::int64_t> lock_range(const Args& args, bool brings_in) {
  std::uint64_t begin = page_down(args.u64(0));
  std::uint64_t bytes = args.u64(1) + (args.u64(0) - begin);
  if (bytes < args.u64(1)) return Errno::inval;
  TRY(space().check_mapped(begin, bytes));
  if (!brings_in) return 0;
  for (const Region* region = space().regions().first_ending_after(begin);
       region && region->va < begin + bytes; region = region->following())
    if (region->source.protection == vmi::prot_none) return Errno::nomem;
  auto there = space().populate(begin, bytes);
  if (there.ok()) return 0;
  return there.error() == Errno::nomem ? Errno::again : Errno::nomem;  // as Linux says it
}

}  // namespace

Result<std::int64_t> sys_mmap(const Args& args) {
  std::uint32_t flags = args.u32(3), type = flags & map_type;
  if (type != map_shared && type != map_private && type != map_shared_validate) return Errno::inval;
  if (!page_aligned(args.u64(5)) || args.u64(1) == 0) {
    if (!(flags & map_anonymous)) TRY(current_process().files->get(args.i32(4)));
    return Errno::inval;
  }
  if (type == map_shared_validate && flags & map_anonymous) return Errno::inval;
  if (type == map_shared_validate && flags & ~map_known) return Errno::notsup;
  if (flags & map_huge) return Errno::nomem;  // none are configured
  MapRequest request{.address = args.u64(0),
                     .bytes = args.u64(1),
                     .protection = args.u32(2) & all_protections,
                     .shared = type != map_private,
                     .offset = args.u64(5),
                     .reserve_nothing = (flags & map_no_reserve) != 0};
  if (flags & map_fixed) request.placement = MapRequest::fixed;
  if (flags & map_fixed_no_replace) request.placement = MapRequest::fixed_no_replace;
  if (!(flags & map_anonymous)) TRY(take_file(request, args.i32(4)));
  std::uint64_t va = TRY(space().map(request));
  if (flags & map_populate && request.protection != vmi::prot_none) {
    (void)space().populate(va, request.bytes);  // as much as there is memory for
  }
  return static_cast<std::int64_t>(va);
}

Result<std::int64_t> sys_munmap(const Args& args) {
  TRY(space().unmap(args.u64(0), args.u64(1)));
  return 0;
}

Result<std::int64_t> sys_mprotect(const Args& args) {
  if (args.u64(2) & ~std::uint64_t{all_protections | prot_sem}) return Errno::inval;
  TRY(space().protect(args.u64(0), args.u64(1), args.u32(2) & all_protections));
  return 0;
}

Result<std::int64_t> sys_brk(const Args& args) {
  return static_cast<std::int64_t>(space().set_brk(args.u64(0)));
}

Result<std::int64_t> sys_mremap(const Args& args) {
  std::uint32_t flags = args.u32(3);
  if (flags & ~(mremap_may_move | mremap_fixed)) return Errno::inval;
  std::uint32_t wanted = 0;
  if (flags & mremap_may_move) wanted |= AddressSpace::remap_may_move;
  if (flags & mremap_fixed) wanted |= AddressSpace::remap_fixed;
  return static_cast<std::int64_t>(
      TRY(space().remap(args.u64(0), args.u64(1), args.u64(2), wanted, args.u64(4))));
}

Result<std::int64_t> sys_msync(const Args& args) {
  std::uint32_t flags = args.u32(2);
  if (flags & ~(msync_async | msync_invalidate | msync_sync)) return Errno::inval;
  if (flags & msync_async && flags & msync_sync) return Errno::inval;
  if (!page_aligned(args.u64(0))) return Errno::inval;
  const std::uint64_t va = args.u64(0), bytes = page_up(args.u64(1));
  if (bytes == 0) return 0;
  if (bytes > ~va) return Errno::nomem;
  // What is mapped is written even if there are holes.
  if (flags & msync_sync) TRY(space().sync(va, bytes));
  TRY(space().check_mapped(va, bytes));
  return 0;
}

Result<std::int64_t> sys_mincore(const Args& args) {
  std::uint64_t va = args.u64(0), bytes = args.u64(1);
  if (!page_aligned(va)) return Errno::inval;
  TRY(space().check_mapped(va, bytes));
  unsigned char present[1024];
  UserAddress to = args.user(2);
  for (std::uint64_t pages = page_up(bytes) / vmi::page_size; pages;) {
    std::size_t part = pages < sizeof present ? pages : sizeof present;
    for (std::size_t i = 0; i < part; ++i) {
      present[i] = space().resident(va + i * vmi::page_size) ? 1 : 0;
    }
    TRY(copy_to_user(to, present, part));
    to = to + part;
    va += part * vmi::page_size;
    pages -= part;
    if (scheduler.pause(Thread::Interrupt::by_kill)) return Errno::intr;
  }
  return 0;
}

Result<std::int64_t> sys_madvise(const Args& args) {
  std::uint64_t va = args.u64(0), bytes = args.u64(1);
  int advice = args.i32(2);
  if (!page_aligned(va)) return Errno::inval;
  if (advice != advice_dontneed && !harmless_advice(advice)) return Errno::inval;
  if (page_up(bytes) < bytes) return Errno::inval;
  if (bytes == 0) return 0;
  if (advice == advice_dontneed) {
    TRY(space().discard(va, bytes));
  } else {
    TRY(space().check_mapped(va, bytes));
  }
  return 0;
}

Result<std::int64_t> sys_mlock(const Args& args) {
  return lock_range(args, true);
}
Result<std::int64_t> sys_munlock(const Args& args) {
  return lock_range(args, false);
}
Result<std::int64_t> sys_mlock2(const Args& args) {
  if (args.u32(2) & ~mlock_on_fault) return Errno::inval;
  return lock_range(args, !(args.u32(2) & mlock_on_fault));
}
Result<std::int64_t> sys_mlockall(const Args& args) {
  if (args.u32(0) == 0 || args.u32(0) & ~mlockall_flags) return Errno::inval;
  return 0;
}
Result<std::int64_t> sys_munlockall(const Args&) {
  return 0;
}

}  // namespace guest
