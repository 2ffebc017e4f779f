// The scheduler. wake() is called by wait queues, timers and signals; block() and yield() by
// whatever waits; tick() by the trap path. All in kernel mode, which nothing pre-empts.
#include "guest/sched/scheduler.h"

#include <utility>

#include "guest/base/clock.h"
#include "guest/base/panic.h"
#include "guest/mm/address_space.h"
#include "guest/platform.h"
#include "guest/proc/process.h"
#include "guest/trap/upcall.h"

extern "C" void switch_context(std::uint64_t* save_sp, std::uint64_t load_sp);

namespace guest {

constinit Scheduler scheduler;

namespace {

bool may_interrupt(const Thread& thread, Thread::Interrupt interrupt) {
  switch (interrupt) {
    case Thread::Interrupt::never:
      return false;
    case Thread::Interrupt::by_kill:
      return (thread.process.pending.set() & signal_bit(sig_kill)) != 0;
    case Thread::Interrupt::by_any_signal:
      return signal_pending(thread);
  }
  return false;
}

}  // namespace

void Scheduler::wake(Thread& thread) {
  if (thread.state != Thread::State::blocked) return;
  thread.state = Thread::State::runnable;
  queue_.push(thread);
  update_deadline();
}

Scheduler::Woken Scheduler::block(Thread::Interrupt interrupt, std::uint64_t deadline) {
  Thread& self = *current_;
  if (may_interrupt(self, interrupt)) return Woken::by_signal;
  if (deadline != 0 && deadline <= monotonic_ns()) return Woken::by_timeout;
  self.interrupt = interrupt;
  self.timed_out = false;
  self.state = Thread::State::blocked;
  if (deadline != 0) set_timer(self.timer, deadline);
  switch_away();
  cancel_timer(self.timer);
  // A signal is not reported here: what the thread waited for may have come as well. The caller
  // looks, and if it has to block again, learns of the signal at once.
  return self.timed_out ? Woken::by_timeout : Woken::by_wake;
}

void Scheduler::yield() {
  must_yield_ = false;
  if (queue_.empty()) return;
  queue_.push(*current_);
  switch_away();
}

// Ticks that came meanwhile are the monitor's until the way out: the clock says what is due.
bool Scheduler::pause(Thread::Interrupt interrupt) {
  if (!started()) return false;
  tick();
  if (must_yield_) yield();
  return may_interrupt(*current_, interrupt);
}

void Scheduler::exit_current() {
  Thread& self = *current_;
  cancel_timer(self.timer);
  self.state = Thread::State::dead;
  dead_ = &self;
  switch_away();
  panic("a dead thread was scheduled");
}

void Scheduler::switch_away() {
  Thread& self = *current_;
  self.cpu_ticks += tsc() - turn_began_;
  Thread& next = next_thread();
  if (&next == &self) {
    turn_began_ = tsc();
    return;
  }
  self.check_canary();
  next.check_canary();
  current_ = &next;
  const std::uint32_t charged = accounts().charged;
  switch_context(&self.kernel_sp, next.kernel_sp);
  if (boot_info().options & vmi::boot_account) accounts().charge(charged);
  finish_switch();
}

// Nobody may be left to run: then the thread that just gave up the CPU lends its stack to idling.
// Even a dead one can: its memory goes after the switch.
Thread& Scheduler::next_thread() {
  for (;;) {
    if (Thread* next = queue_.pop()) return *next;
    hypercalls().idle();
    take_interrupts();
    tick();
  }
}

void Scheduler::finish_switch() {
  ++shared_info().counters.context_switches;
  turn_began_ = tsc();
  must_yield_ = false;
  queue_.start_slice();
  update_deadline();
  // Wherever this thread goes on, it may touch its own user memory.
  if (AddressSpace* space = current_->process.space.get()) {
    space->activate();
    if (!space->intact()) force_signal(signal_from_kernel(sig_kill));
  }
  // Only here is a dead thread's stack no longer in use.
  delete std::exchange(dead_, nullptr);
}

void Scheduler::adopt(Thread& first) {
  current_ = &first;
  first.state = Thread::State::runnable;
}

void Scheduler::start() {
  std::uint64_t boot_stack = 0;
  switch_context(&boot_stack, current_->kernel_sp);
  panic("the boot stack was scheduled");
}

void Scheduler::tick() {
  std::uint64_t now = monotonic_ns();
  timers_.run(now);
  if (queue_.slice_over(now)) must_yield_ = true;
  update_deadline();
}

void Scheduler::set_timer(Timer& timer, std::uint64_t deadline) {
  timers_.set(timer, deadline);
  update_deadline();
}

void Scheduler::cancel_timer(Timer& timer) {
  if (!timer.armed()) return;
  timers_.cancel(timer);
  update_deadline();
}

// Tells the monitor when to raise irq_timer next: 0, never, unless somebody needs it.
void Scheduler::update_deadline() {
  std::uint64_t slice = queue_.slice_end(monotonic_ns), timer = timers_.next_deadline();
  std::uint64_t deadline = slice == 0 || (timer != 0 && timer < slice) ? timer : slice;
  auto& shared = shared_info().timer_deadline;
  if (shared.load(std::memory_order_relaxed) != deadline)
    shared.store(deadline, std::memory_order_relaxed);
}

std::uint64_t Scheduler::cpu_ticks(const Thread& thread) const {
  return thread.cpu_ticks + (&thread == current_ ? tsc() - turn_began_ : 0);
}

}  // namespace guest
