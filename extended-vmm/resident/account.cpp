// Accounts of time (vmi/accounts.h), for a run that keeps them. Nothing here is on the way of one
// that does not: what charges is put into the hypercall table and before the guest kernel's upcall
// when the machine starts, and the gate that stamps is a variant of its own (trap/gate.S).
#include "extended-vmm/trap/gate.h"
#include "extended-vmm/trap/trap_state.h"
#include "extended-vmm/trap/upcall.h"
#include "monitor/resident/enter_kernel.h"

namespace extended {
namespace {

/// The hypercalls as they are without accounts.
vmi::Hypercalls plain;

/// On the kernel's stack, as the guest kernel itself would be.
void account_direct_upcall(vmi::TrapFrame* frame) {
  account_entry(accounts(), false, vmi::account_of(*frame));
  monitor::enter_kernel(frame, kernel().upcall);
}

void charge_hypercalls(vmi::Hypercalls& table) {
  plain = table;
  table.return_to_user = [](vmi::TrapFrame* frame) {
    accounts().charge(vmi::account_gate);
    return_to_user(frame);
  };
  table.switch_space = [](vmi::SpaceId id, const vmi::Extent* extents) {
    const vmi::Charged charged(&accounts(), vmi::account_spaces);
    plain.switch_space(id, extents);
  };
  table.device_read = [](std::uint32_t address) {
    const vmi::Charged charged(&accounts(), vmi::account_devices);
    return plain.device_read(address);
  };
  table.device_write = [](std::uint32_t address, std::uint64_t value) {
    const vmi::Charged charged(&accounts(), vmi::account_devices);
    plain.device_write(address, value);
  };
  table.idle = [] {
    const vmi::Charged charged(&accounts(), vmi::account_idle);
    plain.idle();
  };
}

}  // namespace

void set_up_accounts() {
  trap_state.direct_upcall = kernel().upcall;
  if (!time_accounts()) return;
  accounts().begin();
  trap_state.direct_upcall = account_direct_upcall;
  charge_hypercalls(image().hypercalls);
}

/// Stamps that cannot be are those of an exit that a signal made start again, or a guest's forgery.
void account_entry(vmi::Accounts& accounts, bool trapped, std::uint32_t next) {
  const auto& stamps = *reinterpret_cast<const volatile Stamps*>(stamps_base);
  const std::uint64_t left = stamps.left, entered = stamps.entered, now = __builtin_ia32_rdtsc();
  if (accounts.charged_until <= left && left <= entered && entered <= now) {
    accounts.charge_until(left, vmi::account_user);
    accounts.charge_until(entered, vmi::account_gate);
    if (trapped) accounts.note_trapped_stay(entered - left);
  }
  accounts.charge_until(now, next);
}

}  // namespace extended
