// The accounts: what the guest asked for, by number of system call, and where its time went. An
// area of its own in the window (vmi::accounts_base), read by the launcher after the end.
//
// Counts are always kept. Time is kept only where BootInfo says so (boot_account): at any moment
// one account is charged, and whoever begins or ends something reads the TSC once and names the
// next. So the sums make up the whole run, and nothing is paid for twice.
#pragma once

#include <cstdint>

#include "vmi/address_map.h"
#include "vmi/trap_frame.h"

namespace vmi {

/// System calls beyond are counted as unknown only.
inline constexpr std::uint32_t system_call_slots = 480;

/// Who is charged. X(name)
#define VMI_ACCOUNTS(X)                                                                   \
  X(user)         /* guest user code; of a trap, the host's part before the gate, too */  \
  X(gate)         /* into the kernel and out of it: gate, window, resident part, stops */ \
  X(devices)      /* device hypercalls, with their host calls or stops */                 \
  X(spaces)       /* address-space switches, with their host calls or stops */            \
  X(idle)         /* nothing to run */                                                    \
  X(host_calls)   /* host calls of the guest kernel: user memory and page frames */       \
  X(page_faults)  /* the guest kernel, serving a page fault, but for its host calls */    \
  X(kernel)       /* likewise all else but system calls: boot, interrupts, exceptions */  \
  X(system_calls) /* likewise a call: as many accounts as there are numbers */

enum Account : std::uint32_t {
#define X(name) account_##name,
  VMI_ACCOUNTS(X)
#undef X
};

struct Accounts {
  std::uint64_t charged_until;  // TSC
  std::uint32_t charged;        // an Account, or account_system_calls + number
  std::uint32_t reserved;
  /// The shortest time in user mode that ended in a trap: the host's part of a trap is no longer.
  std::uint64_t shortest_trapped_stay;
  static constexpr std::uint32_t slots = account_system_calls + system_call_slots;
  std::uint64_t cycles[slots];
  std::uint64_t calls[system_call_slots];    // served by the guest kernel. Guest kernel
  std::uint64_t trapped[system_call_slots];  // of them, those that cost a host trap. Monitor

  void begin() {
    charged = account_kernel;
    charged_until = __builtin_ia32_rdtsc();
  }
  /// Charges what has passed until `now`; from then on pays `next`. Returns who paid so far. In the
  /// baseline the VMM process calls it, too, and the guest kernel may have written anything here.
  std::uint32_t charge_until(std::uint64_t now, std::uint32_t next) {
    const std::uint32_t written = charged, before = written < slots ? written : account_kernel;
    cycles[before] += now - charged_until;
    charged_until = now;
    charged = next;
    return before;
  }
  std::uint32_t charge(std::uint32_t next) { return charge_until(__builtin_ia32_rdtsc(), next); }

  static constexpr std::uint32_t system_call(std::uint64_t number) {
    return number < system_call_slots ? account_system_calls + static_cast<std::uint32_t>(number)
                                      : static_cast<std::uint32_t>(account_kernel);
  }
  void count_trapped(std::uint64_t number) {
    if (number < system_call_slots) ++trapped[number];
  }
  /// Guest user code ran for so long, and then trapped.
  void note_trapped_stay(std::uint64_t stay) {
    if (shortest_trapped_stay == 0 || stay < shortest_trapped_stay) shortest_trapped_stay = stay;
  }
};

/// What the guest kernel is about to do with an upcall.
inline std::uint32_t account_of(const TrapFrame& frame) {
  if (frame.kind == Upcall::syscall) return Accounts::system_call(frame.syscall_number);
  return frame.kind == Upcall::page_fault ? account_page_faults : account_kernel;
}

/// Charges `account` for as long as it lives; nobody if `accounts` is null. Host calls of another
/// account than the guest kernel's own are paid by that one.
class Charged {
 public:
  Charged(Accounts* accounts, Account account)
      : accounts_(accounts && (account != account_host_calls || accounts->charged > account)
                      ? accounts
                      : nullptr) {
    if (accounts_) before_ = accounts_->charge(account);
  }
  ~Charged() {
    if (accounts_) accounts_->charge(before_);
  }
  Charged(const Charged&) = delete;
  Charged& operator=(const Charged&) = delete;

 private:
  Accounts* const accounts_;
  std::uint32_t before_ = 0;
};

static_assert(sizeof(Accounts) <= accounts_bytes);

}  // namespace vmi
