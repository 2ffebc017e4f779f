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
constexpr std::uint64_t vector_alignment = 64;
constexpr std::size_t switch_frame_words = 6;  // what switch_context pops before it returns

std::uint64_t& word_at(std::uint64_t address) {
  return *reinterpret_cast<std::uint64_t*>(address);
}

}  // namespace

Task* Task::vectors_in_cpu_ = nullptr;

Task::Task(const Memory& memory)
    : timer(time_is_up, this), listener(wake_sleeper, this), memory_(memory) {
  auto address = reinterpret_cast<std::uint64_t>(memory.vectors);
  aligned_vectors_ = memory.vectors + (-address & (vector_alignment - 1));
  reset_vectors();

  auto bottom = reinterpret_cast<std::uint64_t>(memory.stack);
  word_at(bottom) = canary;
  frame = new (memory.stack + kernel_stack_allocated - sizeof(vmi::TrapFrame)) vmi::TrapFrame{};
  // switch_context returns into first_steps as if that had been called: the stack pointer is
  // 8 off a multiple of 16 and finds a return address of 0, where stack traces end.
  auto top = reinterpret_cast<std::uint64_t>(frame);
  word_at(top - 8) = 0;
  word_at(top - 16) = reinterpret_cast<std::uint64_t>(&first_steps);
  kernel_sp = top - 16 - switch_frame_words * 8;
  for (std::uint64_t word = kernel_sp; word < top - 16; word += 8) word_at(word) = 0;
}

// A new task's first steps, on its own stack.
void Task::first_steps() {
  scheduler.finish_switch();
  scheduler.current().begin();
}

Result<Task::Memory> Task::allocate() {
  Memory memory{
      static_cast<unsigned char*>(heap_allocate(kernel_stack_allocated)),
      static_cast<unsigned char*>(heap_allocate(boot_info().xsave_bytes + vector_alignment))};
  if (memory.stack && memory.vectors) return memory;
  free(memory);
  return Errno::nomem;
}

void Task::free(const Memory& memory) {
  heap_free(memory.vectors);
  heap_free(memory.stack);
}

Task::~Task() {
  scheduler.cancel_timer(timer);
  run_node.unlink();
  free_memory();
}

void Task::free_memory() {
  vectors_changed();
  free(std::exchange(memory_, {}));
  frame = nullptr;
}

void Task::check_canary() const {
  if (word_at(reinterpret_cast<std::uint64_t>(memory_.stack)) != canary)
    panic("a kernel stack overflowed: its canary is gone");
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
  hypercalls().load_vectors(aligned_vectors_, std::exchange(vectors_written_, false));
  vectors_in_cpu_ = this;
}

unsigned char* Task::vectors_in_memory() {
  if (vectors_in_cpu_ == this) hypercalls().save_vectors();
  return aligned_vectors_;
}

void Task::vectors_changed() {
  vectors_written_ = true;
  if (vectors_in_cpu_ != this) return;
  vectors_in_cpu_ = nullptr;
  hypercalls().load_vectors(nullptr, false);
}

void Task::copy_vectors(Task& from) {
  std::memcpy(aligned_vectors_, from.vectors_in_memory(), boot_info().xsave_bytes);
  vectors_changed();
}

// The initial state in XSAVE's layout: no component present. The legacy part's control words are
// read even so.
void Task::reset_vectors() {
  constexpr std::size_t fcw = 0, mxcsr = 24;
  std::memset(aligned_vectors_, 0, boot_info().xsave_bytes);
  aligned_vectors_[fcw] = 0x7f, aligned_vectors_[fcw + 1] = 0x03;
  aligned_vectors_[mxcsr] = 0x80, aligned_vectors_[mxcsr + 1] = 0x1f;
  vectors_changed();
}

}  // namespace guest
