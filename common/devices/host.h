// Host: the monitor's way to the host, and all that the two monitors differ in here: by libc in the
// baseline's VMM process, by raw host calls from inside the window in the extended monitor. Devices
// do not use it: each has a port of its own (console_port.h, block_port.h, entropy_port.h), written
// once over this, so that a device does the same in both.
#pragma once

#include <asm/unistd_64.h>

#include <cstdint>

namespace devices {

/// All host calls of ports. The extended monitor's filter must know each of them, and does: see
/// extended-vmm/trap/host_call_numbers.h.
inline constexpr std::uint64_t port_calls[] = {__NR_read,     __NR_write,     __NR_ppoll,
                                               __NR_pread64,  __NR_pwrite64,  __NR_lseek,
                                               __NR_sendfile, __NR_fdatasync, __NR_getrandom};

void is_not_in_port_calls();  // nowhere defined

/// The number of one of them: any other does not compile.
struct PortCall {
  consteval PortCall(long wanted) : number(static_cast<std::uint64_t>(wanted)) {
    bool listed = false;
    for (const std::uint64_t one : port_calls) listed = listed || one == number;
    if (!listed) is_not_in_port_calls();
  }
  std::uint64_t number;
};

class Host {
 public:
  /// One host call; the host kernel's own result, so negative errno on failure. Pointers and
  /// integers alike.
  template <class... A>
  std::int64_t call(PortCall call, A... arguments) {
    static_assert(sizeof...(A) <= 6);
    const std::uint64_t all[6] = {(std::uint64_t)(arguments)...};
    return make(call.number, all);
  }
  /// CLOCK_MONOTONIC or CLOCK_REALTIME, nanoseconds.
  virtual std::uint64_t clock_ns(int clock) = 0;
  /// Where a host call finds [at, at + bytes) of guest memory; nullptr where that is not mapped, or
  /// is no guest memory.
  virtual void* mapped(std::uint64_t at, std::uint64_t bytes) = 0;
  /// Ends the machine: the host refused what no guest can do without.
  [[noreturn]] virtual void give_up(const char* call, std::int64_t result) = 0;

 protected:
  ~Host() = default;

 private:
  virtual std::int64_t make(std::uint64_t number, const std::uint64_t (&arguments)[6]) = 0;
};

}  // namespace devices
