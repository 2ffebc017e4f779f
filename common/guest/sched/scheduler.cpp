// The scheduler. wake() is called by wait queues, timers and signals; block() and yield() by
// whatever waits; tick() by the trap path. All in kernel mode, which nothing pre-empts.
#include "guest/sched/scheduler.h"

#include <utility>

#include "guest/base/clock.h"
#include "guest/base/panic.h"
#include "guest/platform.h"
#include "guest/sched/interrupts.h"

extern "C" {
void switch_context(std::uint64_t* save_sp, std::uint64_t load_sp);
void switch_context_apart(std::uint64_t* save_sp, const std::uint64_t* load_sp, guest::Task* next);
}

namespace guest {

constinit Scheduler scheduler;

void Scheduler::wake(Task& task) {
  if (task.state != Task::State::blocked) return;
  task.state = Task::State::runnable;
  queue_.push(task);
  update_deadline();
}

Result<> Scheduler::block(std::uint64_t deadline_ns, Task::Interrupt interrupt) {
  Task& self = *current_;
  if (self.may_end(interrupt)) return Errno::restart;
  if (deadline_ns != 0 && deadline_ns <= monotonic_ns()) return Errno::timedout;
  self.interrupt = interrupt;
  self.timed_out = false;
  self.state = Task::State::blocked;
  if (deadline_ns != 0) set_timer(self.timer, deadline_ns);
  switch_away();
  cancel_timer(self.timer);
  // A signal is not reported here: what the task waited for may have come as well. The caller
  // looks, and if it has to block again, learns of the signal at once.
  return self.timed_out ? Errno::timedout : Errno::ok;
}

void Scheduler::yield() {
  must_yield_ = false;
  if (queue_.empty()) return;
  queue_.push(*current_);
  switch_away();
}

// Ticks that came meanwhile are the monitor's until the way out: the clock says what is due.
bool Scheduler::pause(Task::Interrupt interrupt) {
  if (!started()) return false;
  tick();
  if (must_yield_) yield();
  return current_->may_end(interrupt);
}

void Scheduler::exit_current() {
  Task& self = *current_;
  cancel_timer(self.timer);
  self.state = Task::State::dead;
  dead_ = &self;
  switch_away();
  panic("a dead task was scheduled");
}

void Scheduler::switch_away() {
  Task& self = *current_;
  charge_turn();
  Task& next = next_thread();
  if (&next == &self) {
    begin_turn();
    return self.switched_in();
  }
  self.check_canary();
  next.check_canary();
  current_ = &next;
  const std::uint32_t charged = accounts().charged;
  if (next.in_place()) [[likely]]
    switch_context(&self.kernel_sp, next.kernel_sp);
  else
    switch_context_apart(&self.kernel_sp, &next.kernel_sp, &next);
  if (boot_info().options & vmi::boot_account) accounts().charge(charged);
  finish_switch();
}

// Nobody may be left to run: then the task that just gave up the CPU lends its stack to idling.
// Even a dead one can: its memory goes after the switch.
Task& Scheduler::next_thread() {
  for (;;) {
    if (Task* next = queue_.pop()) return *next;
    load_.sample(monotonic_ns(), 1);  // until now somebody ran
    turn_began_ = 0;
    hypercalls().idle();
    load_.sample(monotonic_ns(), 0);
    take_interrupts();
    tick();
  }
}

void Scheduler::finish_switch() {
  ++shared_info().counters.context_switches;
  begin_turn();
  must_yield_ = false;
  queue_.start_slice();
  update_deadline();
  current_->switched_in();
  // Only here is a dead task's stack no longer in use.
  if (Task* dead = std::exchange(dead_, nullptr)) dead->left();
}

void Scheduler::adopt(Task& first) {
  current_ = &first;
  first.state = Task::State::runnable;
}

void Scheduler::start() {
  std::uint64_t boot_stack = 0;
  switch_context(&boot_stack, current_->kernel_sp);
  panic("the boot stack was scheduled");
}

void Scheduler::tick() {
  std::uint64_t now = monotonic_ns();
  sample_load(now);
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

// Behind this lies idling, or another's turn.
void Scheduler::begin_turn() {
  turn_began_ = tsc();
  ticks_in_user_ = shared_info().ticks_in_user.load(std::memory_order_relaxed);
  ticks_in_kernel_ = shared_info().ticks_in_kernel.load(std::memory_order_relaxed);
}

void Scheduler::charge_turn() {
  if (turn_began_ == 0) return;
  const std::uint64_t began = turn_began_;
  const std::uint32_t in_user = ticks_in_user_, in_kernel = ticks_in_kernel_;
  begin_turn();
  const CpuTime turn{turn_began_ - began, ticks_in_user_ - in_user, ticks_in_kernel_ - in_kernel};
  current_->cpu_time += turn;
  cpu_time_ += turn;
}

const CpuTime& Scheduler::cpu_time(Task& task) {
  if (&task == current_) charge_turn();
  return task.cpu_time;
}

const CpuShares& Scheduler::cpu_shares(Task& task) {
  task.cpu_shares.divide(cpu_time(task));
  return task.cpu_shares;
}

const CpuShares& Scheduler::cpu_shares() {
  charge_turn();
  cpu_shares_.divide(cpu_time_);
  return cpu_shares_;
}

void Scheduler::sample_load(std::uint64_t now) {
  load_.sample(now, queue_.size() + (current_->state == Task::State::runnable));
}

std::uint64_t Scheduler::load_average(int span) {
  sample_load(monotonic_ns());
  return load_.over(span);
}

}  // namespace guest
