// HostedMachine: the whole guest kernel on the host, from boot to the end, with its processes,
// threads and stacks, under the sanitizers. What the monitor and guest programs would do, its user
// does: whenever the kernel returns to user mode, run() is over, and the frame that it left may be
// changed and entered again with any upcall. Time stands still but for advance(), so a run is the
// same each time. One in a program's life: the kernel's globals are not made twice.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "guest/mm/address_space.h"
#include "tests/unit/guest/fake_platform.h"
#include "vmi/trap_frame.h"

namespace fuzz {

class HostedMachine {
 public:
  /// Where the first program has its code: nothing of it is ever executed.
  static constexpr std::uint64_t text = 0x400000, text_pages = 2;

  explicit HostedMachine(std::uint32_t frames);
  ~HostedMachine();

  /// To the first process's first instruction. The root: /bin/p, /dev, /proc, /tmp, /fuzz; on a
  /// disk, if `disk` is not empty (an ext2 image that has these).
  void boot();
  /// Into the kernel by the frame that it left, and out again, maybe by another one.
  void enter(vmi::Upcall kind);
  /// The current thread's.
  [[nodiscard]] vmi::TrapFrame& frame() { return *frame_; }
  /// The machine has ended, and how: "shutdown", or a panic's message. Empty: it has not.
  [[nodiscard]] const std::string& end() const { return end_; }

  void advance(std::uint64_t ns);
  /// Nobody can run, and no timer is near: makes that end.
  std::function<void()> on_deadlock;

  /// All spaces that the kernel has.
  std::vector<const guest::AddressSpace*> spaces();

  guest_test::FakePlatform platform;
  std::vector<std::uint8_t> disk;
  int disk_requests_left = -1;  // then one fails

  /// The first program: an ELF file.
  static std::vector<std::uint8_t> program();

 private:
  void lay_boot_tree();
  void run(std::uint64_t stack_pointer);
  [[noreturn]] void leave(const std::string& end);
  void idle();
  void device_write(std::uint32_t address);
  void serve_disk();
  static void enter_kernel();
  static void start_kernel();

  vmi::TrapFrame* frame_ = nullptr;
  std::uint64_t host_sp_ = 0;
  bool inside_ = false;  // on a stack of the kernel's
  int idle_ = 0;         // how often since it was entered
  std::string end_;
  std::vector<std::uint8_t> boot_stack_;
};

}  // namespace fuzz
