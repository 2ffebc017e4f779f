// StackSlots: see the header. Homes are taken when tenants begin to share, so that no switch fails.
#include "guest/sched/stack_slots.h"

#include <cstring>
#include <utility>

#include "guest/base/panic.h"
#include "guest/heap/heap.h"

namespace guest {

StackSlot& StackSlots::emptiest() {
  StackSlot* best = &slots_[0];
  for (StackSlot& slot : slots_) {
    if (slot.tenants == 0) return slot;
    if (slot.tenants < best->tenants) best = &slot;
  }
  return *best;
}

Result<> StackSlots::make_home(StackTenant& tenant) const {
  if (!tenant.home)
    tenant.home = static_cast<unsigned char*>(heap_allocate(bytes_, HeapKind::parked));
  return tenant.home ? Result<>() : Errno::nomem;
}

Result<> StackSlots::move_in(StackTenant& tenant, std::size_t bytes) {
  bytes_ = bytes;
  StackSlot& slot = emptiest();
  if (!slot.memory) slot.memory = static_cast<unsigned char*>(heap_allocate(bytes));
  if (!slot.memory) return Errno::nomem;
  if (slot.tenants != 0) {
    TRY(make_home(tenant));
    if (slot.resident) TRY(make_home(*slot.resident));
  }
  tenant.slot = &slot;
  if (slot.tenants++ == 0) slot.resident = &tenant;
  return {};
}

void StackSlots::move_out(StackTenant& tenant) {
  if (tenant.slot) {
    StackSlot& slot = *std::exchange(tenant.slot, nullptr);
    if (slot.resident == &tenant) slot.resident = nullptr;
    if (--slot.tenants == 0 && !keeps_empty_ones) heap_free(std::exchange(slot.memory, nullptr));
  }
  heap_free(tenant.home);
  tenant.home = nullptr;
}

void StackSlots::bring_in(StackTenant& tenant) {
  StackSlot& slot = *tenant.slot;
  if (StackTenant* before = slot.resident) {
    const std::size_t from = before->used_from;
    std::memcpy(before->home + from, slot.memory + from, bytes_ - from);
  }
  slot.resident = &tenant;
  const std::size_t from = tenant.used_from;
  std::memcpy(slot.memory + from, tenant.home + from, bytes_ - from);
}

// The heap goes on before the slots, not behind them: what every call touches shares a 2 MiB page
// with kernel and first slots, and the host forgets its translations whenever the window opens.
Result<> StackSlots::prepare(std::size_t bytes) {
  constexpr std::size_t first_objects = 256 * 1024;
  void* objects = heap_allocate(first_objects);
  auto* memory = static_cast<unsigned char*>(heap_allocate(count * bytes));
  heap_free(objects);
  if (!memory) return Errno::nomem;
  for (StackSlot& slot : slots_) slot.memory = std::exchange(memory, memory + bytes);
  return {};
}

}  // namespace guest
