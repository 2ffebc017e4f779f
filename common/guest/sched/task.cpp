// Tasks: making and unmaking them, and where their vector state is. Called by fork, by the first
// process's start, and by the scheduler when a dead task's stack is no longer in use.
#include "guest/sched/task.h"

#include <cstring>
#include <new>
#include <utility>

#include "guest/base/panic.h"
#include "guest/heap/heap.h"
#include "guest/platform.h"
#include "guest/sched/kernel_stack.h"
#include "guest/sched/scheduler.h"

namespace guest {

namespace {

constexpr std::uint64_t canary = 0x7374'6163'6b20'656e;
constexpr std::uint64_t vector_alignment = 64;  // XSAVE's
constexpr std::size_t switch_frame_words = 6;   // what switch_context pops before it returns
constexpr std::size_t frame_at = kernel_stack_allocated - sizeof(vmi::TrapFrame);

constinit StackSlots stack_slots;

std::size_t slot_bytes() {
  return kernel_stack_allocated +
         (boot_info().xsave_bytes + vector_alignment - 1) / vector_alignment * vector_alignment;
}

std::uint64_t address_of(const void* memory) {
  return reinterpret_cast<std::uint64_t>(memory);
}

std::uint64_t& word_at(std::uint64_t address) {
  return *reinterpret_cast<std::uint64_t*>(address);
}

}  // namespace

Task* Task::vectors_in_cpu_ = nullptr;

Task::Task() : timer(time_is_up, this), listener(wake_sleeper, this), place_(this) {}

Result<> Task::take_stack() {
  TRY(stack_slots.move_in(place_, slot_bytes()));
  word_at(address_of(place_.slot->memory)) = canary;
  lay_out_stack();
  reset_vectors();
  return {};
}

Result<> Task::prepare_stacks() {
  return stack_slots.prepare(slot_bytes());
}

void Task::find_frame() {
  frame = reinterpret_cast<vmi::TrapFrame*>(place_.memory() + frame_at);
}

// switch_context returns into first_steps as if that had been called: the stack pointer is 8 off a
// multiple of 16 and finds a return address of 0, where stack traces end.
void Task::lay_out_stack() {
  find_frame();
  new (frame) vmi::TrapFrame{};
  const auto top = address_of(frame);
  word_at(top - 8) = 0;
  word_at(top - 16) = reinterpret_cast<std::uint64_t>(&first_steps);
  for (std::size_t i = 1; i <= switch_frame_words; ++i) word_at(top - 16 - i * 8) = 0;
  place_.used_from = frame_at - 16 - switch_frame_words * 8;
  kernel_sp = address_of(place_.slot->memory) + place_.used_from;
}

// A new task's first steps, on its own stack.
void Task::first_steps() {
  scheduler.finish_switch();
  scheduler.current().begin();
}

Task::~Task() {
  scheduler.cancel_timer(timer);
  run_node.unlink();
  free_memory();
}

void Task::free_memory() {
  vectors_changed();
  stack_slots.move_out(place_);
  frame = nullptr;
}

void Task::check_canary() const {
  if (word_at(address_of(place_.slot->memory)) != canary)
    panic("a kernel stack overflowed: its canary is gone");
}

// Another one needs the slot.
void Task::go_home() {
  (void)vectors_in_memory();
  vectors_changed();
  place_.used_from = kernel_sp - address_of(place_.slot->memory);
  hypercalls().open_attic(place_.home, slot_bytes());
}

void Task::come_back() {
  StackTenant* before = place_.slot->resident;
  Task* other = before ? static_cast<Task*>(before->owner) : nullptr;
  if (other) other->go_home();
  hypercalls().open_attic(place_.home, slot_bytes());
  stack_slots.bring_in(place_);
  if (other) other->find_frame();
  find_frame();
}

extern "C" void task_comes_back(Task* task) {
  task->come_back();
}

Listener Task::waker(Events wanted) {
  return {wake_sleeper, this, wanted};
}

void Task::wake_sleeper(Listener& listener, Events) {
  scheduler.wake(*static_cast<Task*>(listener.owner));
}

void Task::time_is_up(Timer& timer) {
  Task& self = *static_cast<Task*>(timer.owner);
  self.timed_out = true;
  scheduler.wake(self);
}

// The CPU keeps the vector state of the task that was last in user mode. It moves only when
// another task is about to enter user mode: tasks that merely pass through the kernel between
// two blocking calls cost nothing.
void Task::switch_vectors() {
  if (vectors_in_cpu_) hypercalls().save_vectors();
  hypercalls().load_vectors(vectors(), std::exchange(vectors_written_, false));
  vectors_in_cpu_ = this;
}

unsigned char* Task::vectors() const {
  return place_.memory() + kernel_stack_allocated;
}

unsigned char* Task::vectors_in_memory() {
  if (vectors_in_cpu_ == this) hypercalls().save_vectors();
  return vectors();
}

void Task::vectors_changed() {
  vectors_written_ = true;
  if (vectors_in_cpu_ != this) return;
  vectors_in_cpu_ = nullptr;
  hypercalls().load_vectors(nullptr, false);
}

void Task::copy_vectors(Task& from) {
  std::memcpy(vectors(), from.vectors_in_memory(), boot_info().xsave_bytes);
  vectors_changed();
}

// The initial state in XSAVE's layout: no component present. The legacy part's control words are
// read even so.
void Task::reset_vectors() {
  constexpr std::size_t fcw = 0, mxcsr = 24;
  unsigned char* area = vectors();
  std::memset(area, 0, boot_info().xsave_bytes);
  area[fcw] = 0x7f, area[fcw + 1] = 0x03;
  area[mxcsr] = 0x80, area[mxcsr + 1] = 0x1f;
  vectors_changed();
}

}  // namespace guest
