// FakePlatform: what guest/platform.h promises, on the host. Page frames are a vector of bytes,
// user memory is a page table over them, hypercalls are ordinary functions that keep a record, and
// the kernel heap is the host's. A test makes one, and at its end nothing is left.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "guest/platform.h"

namespace guest_test {

/// What hypercalls().panic and shutdown do here.
struct GuestPanic : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct GuestShutdown : std::runtime_error {
  explicit GuestShutdown(int status) : std::runtime_error("shutdown"), wait_status(status) {}
  int wait_status;
};

/// One map, unmap or protect hypercall.
struct MappingCall {
  enum Kind { map, unmap, protect } kind;
  std::uint64_t va;
  std::uint64_t pages;
  vmi::Frame frame = 0;
  std::uint32_t protection = 0;
  std::uint32_t flags = 0;
};

/// What a call that fails has done all the same.
enum class Applied { nothing, half, all, old_gone };  // old_gone: map has only unmapped

class FakePlatform {
 public:
  explicit FakePlatform(std::uint32_t frames = 4096);
  ~FakePlatform();
  FakePlatform(const FakePlatform&) = delete;
  FakePlatform& operator=(const FakePlatform&) = delete;
  static FakePlatform& instance();

  // -- What hypercalls did.
  struct Mapping {
    vmi::Frame frame;
    std::uint32_t protection;
  };
  using Mappings = std::map<std::uint64_t, Mapping>;  // by page address
  Mappings mappings;                                  // of the current space
  std::map<vmi::SpaceId, Mappings> parked;            // of the others, with `pool`
  bool pool = false;  // spaces keep their mappings while they are not current
  std::vector<MappingCall> calls;
  std::set<vmi::SpaceId> spaces;
  vmi::SpaceId current_space = ~0u;
  std::uint64_t copied_frames = 0;
  std::vector<std::pair<std::uint64_t, vmi::Frame>> offered_text;
  bool has_text_room = true, may_rewrite_text = true;
  struct Restored {
    std::uint64_t va;
    vmi::Frame frame;
    std::uint32_t pages;
  };
  std::vector<Restored> restored_text;
  int text_forgotten = 0;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> device_writes;
  std::map<std::uint32_t, std::uint64_t> device_values;  // what device_read gives

  // -- Made to fail.
  int heap_allocations_left = -1;  // -1: no limit
  /// Then map, unmap, protect, create_space give -ENOMEM, copies with user memory stop short, and
  /// switch_space maps a part.
  int mapping_calls_left = -1;
  Applied applied = Applied::nothing;
  bool failure_lasts = true;  // or only one call fails
  int failures = 0;           // so far
  bool creation_of_spaces_fails = false;

  // -- Memory.
  std::uint8_t* frame(vmi::Frame number) { return &ram.at(number * vmi::page_size); }
  /// User memory as a program sees it, without serving faults; nullptr where that would fault.
  std::uint8_t* user(std::uint64_t va, bool write = false);
  /// A program's access: faults are served by the current AddressSpace. Throws the Errno's number.
  std::uint8_t load(std::uint64_t va);
  void store(std::uint64_t va, std::uint8_t value);
  /// Does every frame that nothing in the test holds have no references? Checked by tests.
  std::vector<std::uint8_t> ram;

  vmi::Hypercalls hypercalls{};
  vmi::SharedInfo shared_info{};
  vmi::BootInfo boot_info{};
  vmi::Rings rings{};
  vmi::Accounts accounts{};
};

/// A program's access failed with this Errno.
struct FaultFailed : std::runtime_error {
  explicit FaultFailed(int error)
      : std::runtime_error("fault " + std::to_string(error)), error(error) {}
  int error;
};

}  // namespace guest_test
