// Conformance, futexes between threads: every operation, what it returns, and what it refuses.
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "check.h"

namespace {

constexpr int priv = FUTEX_PRIVATE_FLAG;

long futex(void* word, int operation, long value, const void* timeout = nullptr,
           void* second = nullptr, unsigned third = 0) {
  return syscall(SYS_futex, word, operation, value, timeout, second, third);
}
const void* number(long count) {
  return reinterpret_cast<const void*>(count);
}

/// Threads that sleep at `word` until woken.
struct Sleepers {
  Sleepers(unsigned* word, int count) : word(word), count(count) {
    for (int i = 0; i < count; ++i) REQUIRE(pthread_create(&threads[i], nullptr, sleep, this) == 0);
    while (__atomic_load_n(&begun, __ATOMIC_ACQUIRE) < count) sched_yield();
    usleep(20000);  // those who have not fallen asleep by then would be counted as missing
  }
  void join() {
    for (int i = 0; i < count; ++i) pthread_join(threads[i], nullptr);
  }
  static void* sleep(void* it) {
    auto& self = *static_cast<Sleepers*>(it);
    __atomic_fetch_add(&self.begun, 1, __ATOMIC_ACQ_REL);
    if (futex(self.word, FUTEX_WAIT | priv, 0) != 0)
      __atomic_fetch_add(&self.wrong, 1, __ATOMIC_ACQ_REL);
    return nullptr;
  }
  unsigned* word;
  int count, begun = 0, wrong = 0;
  pthread_t threads[8];
};

unsigned first, second;

}  // namespace

TEST(wake_counts_and_is_in_order_of_need) {
  Sleepers sleepers(&first, 3);
  CHECK_EQ(futex(&first, FUTEX_WAKE | priv, 2), 2);
  CHECK_EQ(futex(&first, FUTEX_WAKE | priv, 5), 1);
  CHECK_EQ(futex(&first, FUTEX_WAKE | priv, 5), 0);
  sleepers.join();
  CHECK_EQ(sleepers.wrong, 0);
}

TEST(requeue_wakes_some_and_moves_some) {
  Sleepers sleepers(&first, 5);
  CHECK_EQ(futex(&first, FUTEX_REQUEUE | priv, 1, number(2), &second), 3);
  CHECK_EQ(futex(&first, FUTEX_WAKE | priv, INT_MAX), 2);
  CHECK_EQ(futex(&second, FUTEX_WAKE | priv, INT_MAX), 2);
  sleepers.join();
  CHECK_EQ(sleepers.wrong, 0);
}

TEST(requeue_to_where_they_are) {
  Sleepers sleepers(&first, 4);
  CHECK_EQ(futex(&first, FUTEX_REQUEUE | priv, 1, number(INT_MAX), &first), 4);
  CHECK_EQ(futex(&first, FUTEX_WAKE | priv, INT_MAX), 3);
  sleepers.join();
}

TEST(cmp_requeue_looks_first) {
  Sleepers sleepers(&first, 3);
  CHECK_ERRNO(futex(&first, FUTEX_CMP_REQUEUE | priv, 1, number(1), &second, 7), EAGAIN);
  CHECK_EQ(futex(&first, FUTEX_CMP_REQUEUE | priv, 1, number(1), &second, 0), 2);
  CHECK_EQ(futex(&second, FUTEX_WAKE | priv, 1), 1);
  CHECK_EQ(futex(&first, FUTEX_WAKE | priv, 1), 1);
  sleepers.join();
}

TEST(requeue_refuses) {
  CHECK_ERRNO(futex(&first, FUTEX_REQUEUE | priv, -1, number(1), &second), EINVAL);
  CHECK_ERRNO(futex(&first, FUTEX_REQUEUE | priv, 1, number(-1), &second), EINVAL);
  CHECK_ERRNO(futex(&first, FUTEX_REQUEUE | priv, 1, number(1), (char*)&second + 1), EINVAL);
  CHECK_ERRNO(futex(nullptr, FUTEX_CMP_REQUEUE | priv, 1, number(1), &second, 0), EFAULT);
}

// The packed forms: change the second word, wake at the first, and at the second if it was so.
TEST(wake_op_changes_and_compares) {
  struct {
    int operation, operand, comparison, compared;
    unsigned before, after;
    int woken;
  } const cases[] = {
      {FUTEX_OP_SET, 5, FUTEX_OP_CMP_EQ, 3, 3, 5, 2},
      {FUTEX_OP_ADD, -1, FUTEX_OP_CMP_NE, 3, 3, 2, 1},
      {FUTEX_OP_OR, 12, FUTEX_OP_CMP_LT, 4, 3, 15, 2},
      {FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_LE, 2, 3, 2, 1},
      {FUTEX_OP_XOR, 7, FUTEX_OP_CMP_GT, -1, 3, 4, 2},
      {FUTEX_OP_OR | 8, 31, FUTEX_OP_CMP_GE, 0, 0, 0x80000000, 2},
      {FUTEX_OP_SET, -2048, FUTEX_OP_CMP_LT, 0, 0xfffff000, 0xfffff800, 2},
  };
  for (const auto& one : cases) {
    first = second = 0;
    Sleepers at_first(&first, 1), at_second(&second, 1);
    second = one.before;
    CHECK_EQ(futex(&first, FUTEX_WAKE_OP | priv, 1, number(1), &second,
                   FUTEX_OP(one.operation, one.operand, one.comparison, one.compared)),
             one.woken);
    CHECK_EQ(second, one.after);
    futex(&second, FUTEX_WAKE | priv, 1);
    at_first.join();
    at_second.join();
  }
}

TEST(wake_op_refuses) {
  second = 3;
  CHECK_ERRNO(futex(&first, FUTEX_WAKE_OP | priv, 1, number(1), &second, FUTEX_OP(7, 1, 0, 0)),
              ENOSYS);
  CHECK_EQ(second, 3);
  CHECK_ERRNO(futex(&first, FUTEX_WAKE_OP | priv, 1, number(1), &second, FUTEX_OP(0, 1, 9, 0)),
              ENOSYS);
  CHECK_ERRNO(futex(&first, FUTEX_WAKE_OP | priv, 1, number(1), nullptr, FUTEX_OP(0, 1, 0, 0)),
              EFAULT);
  static const unsigned constant = 1;
  CHECK_ERRNO(
      futex(&first, FUTEX_WAKE_OP | priv, 1, number(1), (void*)&constant, FUTEX_OP(0, 1, 0, 0)),
      EFAULT);
  CHECK_ERRNO(
      futex(&first, FUTEX_WAKE_OP | priv, 1, number(1), (char*)&second + 2, FUTEX_OP(0, 1, 0, 0)),
      EINVAL);
}

TEST(unknown_operations_and_flags) {
  CHECK_ERRNO(futex(&first, 2, 1), ENOSYS);  // FUTEX_FD
  CHECK_ERRNO(futex(&first, 77, 1), ENOSYS);
  CHECK_ERRNO(futex(&first, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1), ENOSYS);
  CHECK_ERRNO(futex((char*)&first + 1, FUTEX_WAKE, 1), EINVAL);
  CHECK_ERRNO(futex(&first, FUTEX_WAKE_BITSET, 1, nullptr, nullptr, 0), EINVAL);
  CHECK_ERRNO(futex(&first, FUTEX_WAIT_BITSET, 0, nullptr, nullptr, 0), EINVAL);
}

TEST(a_waiter_whose_page_goes_away_sleeps_on) {
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  auto* word = static_cast<unsigned*>(page);
  Sleepers sleepers(word, 1);
  munmap(page, 4096);
  REQUIRE(mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) == page);
  CHECK_EQ(futex(word, FUTEX_WAKE | priv, 1), 1);
  sleepers.join();
}

TEST(membarrier_is_there) {
  const long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
  CHECK(commands & MEMBARRIER_CMD_GLOBAL);
  CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0), 0);
  CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
  CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
  CHECK_ERRNO(syscall(SYS_membarrier, 3, 0, 0), EINVAL);
  CHECK_ERRNO(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 1, 0), EINVAL);
  CHECK_ERRNO(syscall(SYS_membarrier, -1, 0, 0), EINVAL);
}
