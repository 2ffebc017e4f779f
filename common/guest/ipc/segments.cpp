// See segments.h. Called by the system calls of shared memory.
#include "guest/ipc/segments.h"

#include "guest/heap/make.h"
#include "guest/mm/address_space.h"
#include "guest/proc/process.h"

namespace guest {

constinit Segments segments;

namespace {

Caller caller() {
  return current_thread().credentials.caller();
}

/// The attached segment of which `region` maps what would be at `at` if all of it were there.
Segment* attached_at(const Region& region, std::uint64_t at) {
  if (!region.source.backing || region.va - region.source.offset != at) return nullptr;
  for (std::uint32_t i = 0; i < Segments::capacity; ++i)
    if (Segment* segment = segments.at(i); segment && segment == region.source.backing.get())
      return segment;
  return nullptr;
}

}  // namespace

Segment::~Segment() {
  segments.forget(*this);
}

abi::ShmStatus Segment::status() {
  abi::ShmStatus out{};
  out.permissions = permissions_of(owner, number);
  out.permissions.mode |= (removed ? abi::shm_dest : 0u) | (locked ? abi::shm_locked : 0u);
  out.bytes = bytes;
  out.attach_time = attached;
  out.detach_time = detached;
  out.change_time = changed;
  out.creator = creator;
  out.last = last;
  out.attached = mappings.count();
  return out;
}

Result<int> get_segment(int key, std::uint64_t bytes, std::uint32_t flags) {
  const auto suits = [&](Segment& found) -> Result<> {
    return bytes > found.bytes ? Errno::inval : Result<>();
  };
  const auto make = [&]() -> Result<Ref<Segment>> {
    if (bytes == 0 || bytes > vmi::user_end) return Errno::inval;
    const bool absurd = vmi::whole_pages(Bytes(bytes)) > pages_of(frames_total());
    if (flags & abi::shm_hugetlb || absurd) return Errno::nomem;
    return make_ref<Segment>(IpcOwner(key, flags, caller()), bytes, current_process().pid);
  };
  return segments.get(key, flags, caller(), suits, make);
}

Result<std::uint64_t> attach_segment(int number, std::uint64_t at, std::uint32_t flags) {
  if (number < 0) return Errno::inval;
  if (at % vmi::page_size) {
    if (!(flags & abi::shm_rnd)) return Errno::inval;
    at = page_down(at);
    if (at == 0 && flags & abi::shm_remap) return Errno::inval;
  } else if (at == 0 && flags & abi::shm_remap) {
    return Errno::inval;
  }
  Ref<Segment> segment = TRY(segments.find(number));
  const bool writes = !(flags & abi::shm_rdonly), runs = flags & abi::shm_exec;
  TRY(segment->owner.check(ipc_reads | (writes ? ipc_writes : 0) | (runs ? 0111 : 0), caller()));
  MapRequest request{.address = at,
                     .bytes = segment->bytes,
                     .protection = vmi::prot_read,
                     .shared = true,
                     .backing = segment,
                     .may_write = writes};
  if (writes) request.protection |= vmi::prot_write;
  if (runs) request.protection |= vmi::prot_exec;
  if (at)
    request.placement = flags & abi::shm_remap ? MapRequest::fixed : MapRequest::fixed_no_replace;
  auto mapped = current_process().space->map(request);
  if (!mapped.ok()) return mapped.error() == Errno::exist ? Errno::inval : mapped.error();
  segment->attached = ipc_now();
  segment->last = current_process().pid;
  return mapped.value();
}

Result<> detach_segment(std::uint64_t at) {
  if (at % vmi::page_size) return Errno::inval;
  AddressSpace& space = *current_process().space;
  Ref<Segment> segment;
  // Parts of it may have been unmapped, and others have taken their place.
  const auto next = [&](std::uint64_t from) -> const Region* {
    const Region* region = space.regions().first_ending_after(from);
    while (region && (!segment || region->va < at + segment->bytes)) {
      Segment* found = attached_at(*region, at);
      if (found && (!segment || found == segment.get())) {
        segment = Ref<Segment>(found);
        return region;
      }
      region = region->following();
    }
    return nullptr;
  };
  while (const Region* region = next(at)) TRY(space.unmap(region->va, region->bytes()));
  if (!segment) return Errno::inval;
  segment->detached = ipc_now();
  segment->last = current_process().pid;
  return {};
}

void remove_segment(Segment& segment) {
  segment.removed = true;
  segments.let_go(segment);
}

}  // namespace guest
