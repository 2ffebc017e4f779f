// Threads: making and unmaking them, and where their vector state is. Called by fork, by the first
// process's start, and by the scheduler when a dead thread's stack is no longer in use.
#include "guest/sched/thread.h"

#include <cstring>
#include <new>
#include <utility>

#include "guest/base/panic.h"
#include "guest/heap/heap.h"
#include "guest/mm/user.h"
#include "guest/platform.h"
#include "guest/proc/process.h"
#include "guest/sched/kernel_stack.h"
#include "guest/trap/upcall.h"

namespace guest {

namespace {

constexpr std::uint64_t canary = 0x7374'6163'6b20'656e;
constexpr std::uint64_t vector_alignment = 64;
constexpr std::size_t switch_frame_words = 6;  // what switch_context pops before it returns

std::uint64_t& word_at(std::uint64_t address) {
  return *reinterpret_cast<std::uint64_t*>(address);
}

// A new thread's first steps, on its own stack.
[[noreturn]] void thread_begins() {
  scheduler.finish_switch();
  Thread& self = current_thread();
  // CLONE_CHILD_SETTID: only now is the child's memory at hand. Linux ignores a bad address too.
  if (self.set_child_tid) (void)put_user(UserAddress{self.set_child_tid}, self.tid);
  leave_kernel();
}

}  // namespace

Thread* Thread::vectors_in_cpu_ = nullptr;

Thread::Thread(Process& process, int tid, unsigned char* stack, unsigned char* vectors)
    : process(process),
      tid(tid),
      timer(wake_sleeper, this),
      waiter{{}, this},
      futex_waiter{{}, this},
      owner_(&process),
      stack_(stack),
      vectors_(vectors) {
  alternate_stack.flags = abi::ss_disable;
  auto address = reinterpret_cast<std::uint64_t>(vectors);
  aligned_vectors_ = vectors + (-address & (vector_alignment - 1));
  reset_vectors();

  auto bottom = reinterpret_cast<std::uint64_t>(stack);
  word_at(bottom) = canary;
  frame = new (stack + kernel_stack_allocated - sizeof(vmi::TrapFrame)) vmi::TrapFrame{};
  // switch_context returns into thread_begins as if that had been called: the stack pointer is
  // 8 off a multiple of 16 and finds a return address of 0, where stack traces end.
  auto top = reinterpret_cast<std::uint64_t>(frame);
  word_at(top - 8) = 0;
  word_at(top - 16) = reinterpret_cast<std::uint64_t>(&thread_begins);
  kernel_sp = top - 16 - switch_frame_words * 8;
  for (std::uint64_t word = kernel_sp; word < top - 16; word += 8) word_at(word) = 0;
}

Result<Thread*> Thread::create(Process& process, int tid) {
  auto* stack = static_cast<unsigned char*>(heap_allocate(kernel_stack_allocated));
  auto* vectors =
      static_cast<unsigned char*>(heap_allocate(boot_info().xsave_bytes + vector_alignment));
  Thread* thread = nullptr;
  if (stack && vectors) thread = new (std::nothrow) Thread(process, tid, stack, vectors);
  if (!thread) {
    heap_free(stack);
    heap_free(vectors);
    return Errno::nomem;
  }
  return thread;
}

Thread::~Thread() {
  scheduler.cancel_timer(timer);
  run_node.unlink();
  vectors_changed();
  heap_free(vectors_);
  heap_free(stack_);
}

void Thread::check_canary() const {
  if (word_at(reinterpret_cast<std::uint64_t>(stack_)) != canary)
    panic("a kernel stack overflowed: its canary is gone");
}

void Thread::wake_sleeper(Timer& timer) {
  Thread& self = *static_cast<Thread*>(timer.owner);
  self.timed_out = true;
  scheduler.wake(self);
}

// The CPU keeps the vector state of the thread that was last in user mode. It moves only when
// another thread is about to enter user mode: threads that merely pass through the kernel between
// two blocking calls cost nothing.
void Thread::switch_vectors() {
  if (vectors_in_cpu_) hypercalls().save_vectors();
  hypercalls().load_vectors(aligned_vectors_, std::exchange(vectors_written_, false));
  vectors_in_cpu_ = this;
}

unsigned char* Thread::vectors_in_memory() {
  if (vectors_in_cpu_ == this) hypercalls().save_vectors();
  return aligned_vectors_;
}

void Thread::vectors_changed() {
  vectors_written_ = true;
  if (vectors_in_cpu_ != this) return;
  vectors_in_cpu_ = nullptr;
  hypercalls().load_vectors(nullptr, false);
}

void Thread::copy_vectors(Thread& from) {
  std::memcpy(aligned_vectors_, from.vectors_in_memory(), boot_info().xsave_bytes);
  vectors_changed();
}

// The initial state in XSAVE's layout: no component present. The legacy part's control words are
// read even so.
void Thread::reset_vectors() {
  constexpr std::size_t fcw = 0, mxcsr = 24;
  std::memset(aligned_vectors_, 0, boot_info().xsave_bytes);
  aligned_vectors_[fcw] = 0x7f, aligned_vectors_[fcw + 1] = 0x03;
  aligned_vectors_[mxcsr] = 0x80, aligned_vectors_[mxcsr + 1] = 0x1f;
  vectors_changed();
}

}  // namespace guest
