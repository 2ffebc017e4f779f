// FakePlatform: see the header. Linked into guest-hosted in place of guest/platform.cpp,
// heap/heap.cpp and mm/user_copy.S.
#include "tests/unit/guest/fake_platform.h"

#include <cstdlib>
#include <new>
#include <utility>

#include "guest/heap/heap.h"
#include "guest/mm/address_space.h"
#include "guest/mm/frames.h"
#include "guest/mm/user_copy.h"

namespace guest_test {

namespace {

constexpr std::int64_t no_memory = -12, try_again = -11;
FakePlatform* platform = nullptr;

FakePlatform& p() {
  return FakePlatform::instance();
}

bool may_go_on(int& left) {
  if (left < 0) return true;
  if (left == 0) return false;
  --left;
  return true;
}

/// Does this call go well?
bool host_agrees() {
  if (may_go_on(p().mapping_calls_left)) return true;
  if (!p().failure_lasts) p().mapping_calls_left = -1;
  ++p().failures;
  return false;
}

/// How many of the pages a failing call gets done.
std::uint64_t applied_of(std::uint64_t pages) {
  switch (p().applied) {
    case Applied::half:
      return pages / 2;
    case Applied::all:
      return pages;
    default:
      return 0;
  }
}

void erase_pages(std::uint64_t va, std::uint64_t pages) {
  auto& mappings = p().mappings;
  mappings.erase(mappings.lower_bound(va), mappings.lower_bound(va + pages * vmi::page_size));
}

// -- Hypercalls.
std::int64_t create_space(vmi::SpaceId id) {
  if (p().creation_of_spaces_fails) return try_again;
  if (!host_agrees()) return no_memory;
  if (!p().spaces.insert(id).second) throw std::logic_error("space exists already");
  return 0;
}
void destroy_space(vmi::SpaceId id) {
  if (!p().spaces.erase(id)) throw std::logic_error("no such space");
  p().parked.erase(id);
}
void switch_space(vmi::SpaceId id, const vmi::Extent* extents) {
  const vmi::SpaceId before = std::exchange(p().current_space, id);
  if (p().pool && before != id) {
    if (p().spaces.count(before)) p().parked[before] = std::move(p().mappings);
    auto kept = p().parked.extract(id);
    if (!kept.empty()) {
      p().mappings = std::move(kept.mapped());
      return;
    }
  }
  p().mappings.clear();
  const bool all = host_agrees();
  std::uint64_t end = 0;
  for (; extents; extents = extents->next) {
    if (extents->va < end) throw std::logic_error("extents out of order or overlapping");
    const std::uint32_t count = extents->count.number;
    const std::uint64_t pages = all ? count : applied_of(count);
    for (std::uint32_t i = 0; i < pages; ++i) {
      p().mappings[extents->va + i * vmi::page_size] = {extents->frame + i, extents->protection};
    }
    end = extents->va + bytes_of(extents->count);
  }
}
std::int64_t map(std::uint64_t va, vmi::Frame frame, vmi::Frames count, std::uint32_t protection,
                 std::uint32_t flags) {
  const std::uint32_t pages = count.number;
  p().calls.push_back({MappingCall::map, va, pages, frame, protection, flags});
  if (va % vmi::page_size || pages == 0) throw std::logic_error("map: bad range");
  if (flags & vmi::map_zero && !(protection & vmi::prot_write)) {
    throw std::logic_error("map: zeroing needs write permission");
  }
  const bool agreed = host_agrees();
  if (!agreed && p().applied == Applied::old_gone) erase_pages(va, pages);
  const std::uint64_t done = agreed ? pages : applied_of(pages);
  for (std::uint32_t i = 0; i < done; ++i) {
    if (agreed && flags & vmi::map_zero) std::memset(p().frame(frame + i), 0, vmi::page_size);
    p().mappings[va + i * vmi::page_size] = {frame + i, protection};
  }
  return agreed ? 0 : no_memory;
}
std::int64_t unmap(std::uint64_t va, vmi::Pages count) {
  const std::uint64_t pages = count.number;
  p().calls.push_back({MappingCall::unmap, va, pages});
  // To unmap everything a host needs no room.
  const bool everything = va == vmi::user_begin && va + pages * vmi::page_size == vmi::user_end;
  const bool agreed = everything || host_agrees();
  erase_pages(va, agreed ? pages : applied_of(pages));
  return agreed ? 0 : no_memory;
}
std::int64_t protect(std::uint64_t va, vmi::Pages count, std::uint32_t protection) {
  const std::uint64_t pages = count.number;
  p().calls.push_back({MappingCall::protect, va, pages, 0, protection, 0});
  const bool agreed = host_agrees();
  const std::uint64_t done = agreed ? pages : applied_of(pages);
  for (std::uint64_t i = 0; i < done; ++i) {
    auto page = p().mappings.find(va + i * vmi::page_size);
    if (page == p().mappings.end()) {
      if (!p().failures) throw std::logic_error("protect: a hole in the range");
      return no_memory;
    }
    page->second.protection = protection;
  }
  return agreed ? 0 : no_memory;
}

/// Moves bytes page by page of user memory; stops where one is not accessible.
template <class Move>
std::uint64_t over_user_pages(std::uint64_t va, std::uint64_t bytes, bool write, Move move) {
  std::uint64_t done = 0;
  while (done < bytes) {
    std::uint8_t* user = p().user(va + done, write);
    if (!user) break;
    std::uint64_t part = vmi::page_size - (va + done) % vmi::page_size;
    if (part > bytes - done) part = bytes - done;
    move(user, done, part);
    done += part;
  }
  return done;
}

vmi::Bytes copy_frame_to_user(vmi::Frame frame, vmi::Bytes offset, std::uint64_t va,
                              vmi::Bytes bytes) {
  if (!host_agrees()) bytes.number = applied_of(bytes.number);
  return vmi::Bytes(over_user_pages(va, bytes.number, true, [&](auto* user, auto done, auto part) {
    // A file may be read to where it is mapped.
    std::memmove(user, p().frame(frame) + offset.number + done, part);
  }));
}
vmi::Bytes copy_user_to_frame(vmi::Frame frame, vmi::Bytes offset, std::uint64_t va,
                              vmi::Bytes bytes) {
  if (!host_agrees()) bytes.number = applied_of(bytes.number);
  return vmi::Bytes(over_user_pages(va, bytes.number, false, [&](auto* user, auto done, auto part) {
    std::memmove(p().frame(frame) + offset.number + done, user, part);
  }));
}
void zero_frames(vmi::Frame frame, vmi::Frames count) {
  std::memset(p().frame(frame), 0, bytes_of(count).number);
}
void copy_frames(vmi::Frame to, vmi::Frame from, vmi::Frames count) {
  std::memcpy(p().frame(to), p().frame(from), bytes_of(count).number);
  p().copied_frames += count.number;
}
void peek_frame(vmi::Frame frame, vmi::Bytes offset, void* to, vmi::Bytes bytes) {
  if (bytes) std::memcpy(to, p().frame(frame) + offset.number, bytes.number);
}
bool patch_text(vmi::TextOffer offer, vmi::Frame frame) {
  p().offered_text.emplace_back(offer.va, frame);
  return p().has_text_room;
}
bool may_rewrite(std::uint64_t, vmi::Frame, vmi::Frames) {
  return p().may_rewrite_text;
}
void restore_text(std::uint64_t va, vmi::Frame frame, vmi::Frames pages) {
  p().restored_text.push_back({va, frame, pages.number});
}
void forget_text() {
  ++p().text_forgotten;
}
void poke_frame(vmi::Frame frame, vmi::Bytes offset, const void* from, vmi::Bytes bytes) {
  if (bytes) std::memcpy(p().frame(frame) + offset.number, from, bytes.number);
}
void idle() {}
void save_vectors() {}
void load_vectors(void*, bool) {}
[[noreturn]] void return_to_user(vmi::TrapFrame*) {
  throw std::logic_error("return to user");
}
[[noreturn]] void shutdown(std::int32_t status) {
  throw GuestShutdown(status);
}
[[noreturn]] void panic(const char* message) {
  throw GuestPanic(message);
}
std::uint64_t device_read(std::uint32_t address) {
  auto found = p().device_values.find(address);
  return found == p().device_values.end() ? 0 : found->second;
}
void device_write(std::uint32_t address, std::uint64_t value) {
  p().device_writes.emplace_back(address, value);
}

}  // namespace

FakePlatform::FakePlatform(std::uint32_t frames) : ram(frames * vmi::page_size) {
  if (platform) throw std::logic_error("one FakePlatform at a time");
  platform = this;
  hypercalls = {.magic = vmi::Hypercalls::magic_value,
                .version = vmi::vmi_version,
                .bytes = sizeof(vmi::Hypercalls),
                .create_space = create_space,
                .destroy_space = destroy_space,
                .switch_space = switch_space,
                .map = map,
                .unmap = unmap,
                .protect = protect,
                .copy_frame_to_user = copy_frame_to_user,
                .copy_user_to_frame = copy_user_to_frame,
                .zero_frames = zero_frames,
                .copy_frames = copy_frames,
                .peek_frame = peek_frame,
                .poke_frame = poke_frame,
                .patch_text = patch_text,
                .may_rewrite = may_rewrite,
                .restore_text = restore_text,
                .forget_text = forget_text,
                .open_attic = [](const void*, std::uint64_t) {},
                .return_to_user = return_to_user,
                .idle = idle,
                .save_vectors = save_vectors,
                .load_vectors = load_vectors,
                .shutdown = shutdown,
                .panic = panic,
                .device_read = device_read,
                .device_write = device_write};
  shared_info.magic = vmi::SharedInfo::magic_value;
  shared_info.version = vmi::vmi_version;
  boot_info.magic = vmi::BootInfo::magic_value;
  boot_info.version = vmi::vmi_version;
  boot_info.frames = frames;
  boot_info.xsave_bytes = 832;
  guest::frames_init(guest::Frames(frames), {});
}

FakePlatform::~FakePlatform() {
  heap_allocations_left = mapping_calls_left = -1;
  guest::AddressSpace::deactivate();
  platform = nullptr;
}

FakePlatform& FakePlatform::instance() {
  if (!platform) throw std::logic_error("the test has no FakePlatform");
  return *platform;
}

std::uint8_t* FakePlatform::user(std::uint64_t va, bool write) {
  auto found = mappings.find(va & ~(vmi::page_size - 1));
  if (found == mappings.end()) return nullptr;
  std::uint32_t wanted =
      write ? vmi::prot_write : vmi::prot_read | vmi::prot_write | vmi::prot_exec;
  if (!(found->second.protection & wanted)) return nullptr;
  return frame(found->second.frame) + va % vmi::page_size;
}

namespace {

std::uint8_t& access_user(std::uint64_t va, bool write) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    if (std::uint8_t* byte = p().user(va, write)) return *byte;
    std::uint64_t code = vmi::fault_user | (write ? vmi::fault_write : 0);
    auto served = guest::AddressSpace::current()->fault(va, code);
    if (!served.ok()) throw FaultFailed(static_cast<int>(served.error()));
  }
  throw std::logic_error("a served fault comes back");
}

}  // namespace

std::uint8_t FakePlatform::load(std::uint64_t va) {
  return access_user(va, false);
}
void FakePlatform::store(std::uint64_t va, std::uint8_t value) {
  access_user(va, true) = value;
}

}  // namespace guest_test

namespace guest {

using guest_test::FakePlatform;

const vmi::Hypercalls& hypercalls() {
  return FakePlatform::instance().hypercalls;
}
vmi::SharedInfo& shared_info() {
  return FakePlatform::instance().shared_info;
}
const vmi::BootInfo& boot_info() {
  return FakePlatform::instance().boot_info;
}
vmi::Accounts& accounts() {
  return FakePlatform::instance().accounts;
}
vmi::Rings& rings() {
  return FakePlatform::instance().rings;
}

// The frame table's arrays live as long as the program, so they come from before any platform too.
void* heap_allocate(std::size_t bytes, HeapKind) {
  if (guest_test::platform && !guest_test::may_go_on(guest_test::platform->heap_allocations_left)) {
    return nullptr;
  }
  return std::malloc(bytes ? bytes : 1);
}
void heap_free(void* block) {
  std::free(block);
}
void heap_init(std::uintptr_t, std::uintptr_t) {}
HeapUse heap_use() {
  return {.total = vmi::window_size, .used = 0, .peak = 0};
}

}  // namespace guest

// -- The instructions that touch user memory.
namespace {

std::uint64_t fault_at(vmi::UserAccess* access, std::uint64_t va, bool write, std::uint64_t left) {
  access->fault_address = va;
  access->error_code = vmi::fault_user | (write ? vmi::fault_write : 0);
  return left;
}

}  // namespace

std::uint64_t user_copy_in(void* to, std::uint64_t from, std::uint64_t bytes,
                           vmi::UserAccess* access) {
  auto done = guest_test::over_user_pages(from, bytes, false, [&](auto* user, auto at, auto part) {
    std::memcpy(static_cast<std::uint8_t*>(to) + at, user, part);
  });
  return done == bytes ? 0 : fault_at(access, from + done, false, bytes - done);
}

std::uint64_t user_copy_out(std::uint64_t to, const void* from, std::uint64_t bytes,
                            vmi::UserAccess* access) {
  auto done = guest_test::over_user_pages(to, bytes, true, [&](auto* user, auto at, auto part) {
    std::memcpy(user, static_cast<const std::uint8_t*>(from) + at, part);
  });
  return done == bytes ? 0 : fault_at(access, to + done, true, bytes - done);
}

std::uint64_t user_clear(std::uint64_t to, std::uint64_t bytes, vmi::UserAccess* access) {
  auto done = guest_test::over_user_pages(
      to, bytes, true, [&](auto* user, auto, auto part) { std::memset(user, 0, part); });
  return done == bytes ? 0 : fault_at(access, to + done, true, bytes - done);
}

// -- Objects of the kernel come from its heap too: it never throws.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  if (guest_test::platform && !guest_test::may_go_on(guest_test::platform->heap_allocations_left)) {
    return nullptr;
  }
  return ::operator new(bytes);
}
