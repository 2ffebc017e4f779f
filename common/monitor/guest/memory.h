// Guest memory as a launcher holds it: one memfd (window, attic, RAM; see vmi/address_map.h),
// mapped once in the launcher's own address space wherever the host likes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "monitor/machine/machine_config.h"
#include "vmi/accounts.h"
#include "vmi/boot_info.h"
#include "vmi/devices.h"
#include "vmi/hypercalls.h"
#include "vmi/shared_info.h"

namespace monitor {

/// Between vmi::ram_min and ram_max, whole pages.
bool is_ram_size(std::uint64_t bytes);

class GuestMemory {
 public:
  /// Throws HostError (no memory, size out of vmi::ram_min..ram_max).
  explicit GuestMemory(std::uint64_t ram_bytes);
  ~GuestMemory();
  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::uint64_t ram_bytes() const { return ram_bytes_; }
  [[nodiscard]] std::uint64_t total_bytes() const { return vmi::ram_offset + ram_bytes_; }
  /// An eighth of RAM, but 16 MiB at least. Like RAM they count as memory that the host must have.
  [[nodiscard]] std::uint32_t attic_slabs() const;

  /// Fills what `fill` wants filled before the guest starts (so that no measured fault pays for the
  /// host's allocation) and collapses the window into 2 MiB pages. Returns the seconds it took;
  /// window_is_huge() tells the latter. Of the attic it fills what the host needs to collapse a
  /// slab later on.
  double prefault(Fill fill = Fill::before);
  /// Gives RAM from byte `from` on memory of its own; what is in it stays.
  void fill_ram(std::uint64_t from, std::uint64_t bytes);
  [[nodiscard]] bool window_is_huge() const { return window_is_huge_; }

  /// The launcher's address of an address in the window or in a slab of the attic; nullptr
  /// elsewhere.
  [[nodiscard]] std::byte* at(std::uint64_t address) const;
  /// The launcher's address of [offset, offset + bytes) of guest memory; nullptr outside of it.
  [[nodiscard]] std::byte* bytes(std::uint64_t offset, std::uint64_t bytes) const {
    return offset <= total_bytes() && bytes <= total_bytes() - offset ? base_ + offset : nullptr;
  }
  [[nodiscard]] std::byte* frame(vmi::Frame frame) const;
  [[nodiscard]] vmi::SharedInfo& shared_info() const;
  [[nodiscard]] vmi::BootInfo& boot_info() const;
  [[nodiscard]] vmi::Rings& rings() const;
  [[nodiscard]] vmi::Accounts& accounts() const;
  [[nodiscard]] vmi::KernelHeader& kernel_header() const;

  /// Copies the PT_LOAD segments of a freestanding image into the window; checks that they lie in
  /// [begin, end). Throws HostError.
  void load_image(std::span<const std::byte> elf, std::uint64_t begin, std::uint64_t end);

 private:
  /// The most that it can take of the host's memory.
  [[nodiscard]] std::uint64_t used_bytes() const;

  int fd_ = -1;
  std::uint64_t ram_bytes_ = 0;
  std::byte* base_ = nullptr;
  bool window_is_huge_ = false;
};

/// All that is the same before either monitor starts its guest-machine process: loads resident part
/// and guest kernel, lays the boot tree (argv, env), fills boot info, shared info and the time
/// scale.
void prepare_guest(GuestMemory&, const MachineConfig&, std::span<const std::byte> resident_elf);

/// The embedded guest kernel.
std::span<const std::byte> kernel_image();

/// Shared info's counters and the accounts, by name, into the outcome.
void collect_counters(const GuestMemory&, Outcome&);

/// Registers of a guest kernel that died, for describe_death.
struct KernelRegisters {
  std::uint64_t rip, rsp, rbp, rbx, r12, r13, r14, r15;
  std::uint64_t rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11, rflags;
};

/// Message, registers and the guest kernel's stack, unwound with libunwind over the memfd and the
/// embedded images: several lines for Outcome::failure.
std::string describe_death(const GuestMemory&, const std::string& message, const KernelRegisters&,
                           std::span<const std::byte> resident_elf);

}  // namespace monitor
