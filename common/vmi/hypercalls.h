// Hypercalls: all that a guest kernel may ask of a monitor. The resident part puts this table at
// the start of its image (vmi::resident_base); the guest kernel calls through it, on its own
// kernel stack, in kernel mode. Failures come back as a negative host errno; where none is
// documented the call cannot fail. Nothing here blocks but idle().
#pragma once

#include <cstdint>

#include "vmi/address_map.h"
#include "vmi/trap_frame.h"

namespace vmi {

/// Page protections, the host's PROT_ values.
enum Protection : std::uint32_t { prot_none = 0, prot_read = 1, prot_write = 2, prot_exec = 4 };

/// A run of user pages mapped to a run of page frames: the guest's page table as the monitor reads
/// it. The guest kernel keeps one list for each address space, sorted by address, without overlap;
/// it derives its own bookkeeping from this node.
struct Extent {
  std::uint64_t va;
  Frame frame;
  Frames count;
  std::uint32_t protection;
  std::uint32_t reserved;
  Extent* next;
};

using SpaceId = std::uint32_t;

enum MapFlags : std::uint32_t {
  map_populate = 1,  // fill the host's page tables now: these pages will be touched
  map_zero = 2,      // zero the frames (protection must allow writing)
};

struct Hypercalls {
  static constexpr std::uint64_t magic_value = 0x74797065'74776f68;
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t bytes;  // sizeof(Hypercalls)

  // -- Address spaces. One is current; map, unmap, protect work on the current one only. Where the
  // host refuses one of these, it may have made a part of it. User memory that the host lacks is
  // reported as a page fault, which maps it again.
  /// A new space, empty (under remap: nothing to do). -ENOMEM, -EAGAIN.
  std::int64_t (*create_space)(SpaceId);
  /// Not the current one.
  void (*destroy_space)(SpaceId);
  /// Makes `id` current. `extents` is its page table: under remap the monitor unmaps all user
  /// memory and maps these runs, as far as the host has room; a pool monitor may ignore them.
  void (*switch_space)(SpaceId id, const Extent* extents);
  /// Maps `count` frames from `frame` on at `va`, replacing what was there. -ENOMEM.
  std::int64_t (*map)(std::uint64_t va, Frame frame, Frames count, std::uint32_t protection,
                      std::uint32_t flags);
  /// -ENOMEM, but not for all of user memory.
  std::int64_t (*unmap)(std::uint64_t va, Pages pages);
  /// Stops at a page that the host lacks. -ENOMEM.
  std::int64_t (*protect)(std::uint64_t va, Pages pages, std::uint32_t protection);

  // -- Page frames. The kernel has no pointer to a frame's contents.
  /// Copies between frames (from byte `offset` of `frame` on, may run over into the next frames)
  /// and current user memory. Returns the bytes copied: short when the user page at
  /// va + result is not accessible; the caller serves that fault and goes on.
  Bytes (*copy_frame_to_user)(Frame frame, Bytes offset, std::uint64_t va, Bytes bytes);
  Bytes (*copy_user_to_frame)(Frame frame, Bytes offset, std::uint64_t va, Bytes bytes);
  void (*zero_frames)(Frame frame, Frames count);
  void (*copy_frames)(Frame to, Frame from, Frames count);
  /// Small reads and writes between a frame and kernel memory; may run over into next frames.
  void (*peek_frame)(Frame frame, Bytes offset, void* to, Bytes bytes);
  void (*poke_frame)(Frame frame, Bytes offset, const void* from, Bytes bytes);

  // -- Rewritten code. The monitor makes an offer by an upcall (TextOffer); the guest kernel
  // accepts it by patch_text, once, or lets it be. It may wait for the page in between: others'
  // offers come meanwhile, and of several the monitor remembers the last few. An answer that names
  // none of those is refused, and counted. Until it is accepted the code stays as it is.
  /// Accepts, if the page at offer.va is text: mapped privately from a file, to be executed and not
  /// written. `frame` is what the page is mapped to now; nobody reads or writes files through it,
  /// and every mapping of it has the page at this same address. The monitor may rewrite its code.
  /// False: there is no room for more rewritten code, and it is time to begin anew. Then the guest
  /// kernel calls restore_text for all frames it has given so far and that still hold text, and
  /// forget_text, before any user code runs.
  bool (*patch_text)(TextOffer offer, Frame frame);
  /// Asked before, of what the file has for pages from `va` on: can the monitor tell code that it
  /// will rewrite there from what there is?
  bool (*may_rewrite)(std::uint64_t va, Frame frame, Frames pages);
  /// Undoes what was rewritten in frames that are mapped from `va` on, wherever they are mapped.
  void (*restore_text)(std::uint64_t va, Frame frame, Frames pages);
  void (*forget_text)();

  // -- The attic (address_map.h). Whatever touches it opens the slab, until the kernel is left.
  /// The same beforehand, and cheaper, for [begin, begin + bytes): within one slab, or elsewhere.
  void (*open_attic)(const void* begin, std::uint64_t bytes);

  // -- Control.
  /// Leaves the kernel: loads all of `frame`, closes the window. The kernel stack below `frame`
  /// is dead. The next upcall fills `frame` again and starts at the top of that stack.
  [[noreturn]] void (*return_to_user)(TrapFrame* frame);
  /// Nothing to run: waits on the host until an interrupt is pending or the timer deadline
  /// (SharedInfo) has passed. Returns with SharedInfo::pending set, or spuriously.
  void (*idle)();
  /// Vector state of a thread has a home: BootInfo::xsave_bytes in the layout of XSAVE, at a
  /// multiple of 64. User mode has what is at the home given last (null: it is nobody's, and lost).
  /// While it has, the monitor brings that home up to date whenever it needs the registers for
  /// another, and save_vectors() demands it. `written`: the guest kernel has changed the home since
  /// it was given before; as it has where threads take turns on one kernel stack.
  void (*save_vectors)();
  void (*load_vectors)(void* home, bool written);
  /// Ends the machine with the first process's wait status (as wait4 reports it).
  [[noreturn]] void (*shutdown)(std::int32_t wait_status);
  /// The guest kernel gives up. The launcher prints message, registers and kernel stack.
  [[noreturn]] void (*panic)(const char* message);

  // -- Devices. Addresses are on the device bus (vmi/devices.h), 4- or 8-byte registers.
  std::uint64_t (*device_read)(std::uint32_t address);
  void (*device_write)(std::uint32_t address, std::uint64_t value);
};

static_assert(sizeof(Hypercalls) == 16 + 25 * 8);

/// First bytes of the guest kernel's image (vmi::kernel_base): what the monitor calls.
struct KernelHeader {
  static constexpr std::uint64_t magic_value = 0x74797065'74776f6b;
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t reserved;
  /// First instruction, on boot_stack_top, in kernel mode, once.
  void (*boot)();
  /// Every upcall; never returns. Entered as a function is called: rdi the frame, which is 16-byte
  /// aligned, and rsp right below it, at a word that is 0 in place of a return address.
  void (*upcall)(TrapFrame*);
  std::uint64_t boot_stack_top;
  std::uint64_t image_end;  // end of bss: the heap may begin at the next page
};

static_assert(sizeof(KernelHeader) == 48);

}  // namespace vmi
