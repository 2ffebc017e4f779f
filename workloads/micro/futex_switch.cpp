// futex-switch: two threads hand a turn to each other and sleep until it comes back: two system
// calls and a switch of threads each way, in one address space. The check value is how many turns
// found the counter as the other thread must have left it.
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>

#include <atomic>

#include "marker.h"

namespace {

constexpr const char* name = "futex-switch";
enum Turn : unsigned { mine, theirs, over };

std::atomic<unsigned> turn{mine};
std::uint64_t counter;  // whose turn it is may touch it

void futex(int operation, unsigned value) {
  syscall(SYS_futex, &turn, operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0);
}
void hand_to(Turn next) {
  turn.store(next, std::memory_order_release);
  futex(FUTEX_WAKE, 1);
}
unsigned sleep_while(Turn other) {
  unsigned now = 0;
  while ((now = turn.load(std::memory_order_acquire)) == other) futex(FUTEX_WAIT, other);
  return now;
}

void* partner(void*) {
  while (sleep_while(mine) != over) {
    ++counter;
    hand_to(mine);
  }
  return nullptr;
}

std::uint64_t hand_over(std::uint64_t count) {
  std::uint64_t right = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t before = counter;
    hand_to(theirs);
    sleep_while(theirs);
    right += counter == before + 1;
  }
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 1000);
  pthread_t thread;
  if (pthread_create(&thread, nullptr, partner, nullptr) != 0) {
    micro::fail(name, "pthread_create failed");
  }
  const std::uint64_t right = micro::measure(name, arguments, arguments.count / 10 + 1, hand_over);
  hand_to(over);
  pthread_join(thread, nullptr);
  return micro::report(name, right);
}
