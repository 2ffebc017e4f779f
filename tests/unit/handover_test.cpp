// spaces/handover.S over host calls whose results a test chooses: a hand-over goes on after
// whatever a healthy host may answer, and the machine dies of anything else. Not sanitized: it runs
// on a parking stack of 248 bytes, where neither a sanitizer nor a lazy symbol has room.
#include <asm/unistd_64.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "extended-vmm/resident/image.h"

using extended::Member;

namespace {

constexpr int died_of_futex = 50, died_of_another = 51, parked = 52;

struct Answer {
  std::int64_t result;
  bool turn_comes;  // meanwhile
};
Answer answers[8];
int asked;
Member members[2];

[[noreturn]] void leave(int status) {
  asm volatile("syscall" ::"a"(__NR_exit_group), "D"(status));
  __builtin_unreachable();
}

}  // namespace

extern "C" {
void hand_over(Member* from, Member* to);
std::int64_t clone_member(Member* made, std::uint64_t flags);
extern std::int32_t launcher_pid;
extern const char entry_stack_top[];
const char entry_stack_top[16] = {};

std::int64_t host_call(std::uint64_t number, std::uint64_t, std::uint64_t, std::uint64_t,
                       std::uint64_t, std::uint64_t, std::uint64_t) {
  if (number == __NR_exit_group) leave(parked);
  const Answer& answer = answers[asked++];
  if (answer.turn_comes) members[0].turn = extended::turn_run;
  return answer.result;
}

[[noreturn]] void die_of_host_call(const char* call, std::int64_t) {
  leave(call[0] == 'f' ? died_of_futex : died_of_another);
}

[[noreturn]] Member* take_dead_ones_place(Member*) {
  leave(1);
}
}

namespace {

/// The answers to: wake the other, wait for the own turn (again and again).
void hand_over_with(std::initializer_list<Answer> given) {
  asked = 0;
  std::copy(given.begin(), given.end(), answers);
  hand_over(&members[0], &members[1]);
}

TEST(HandOver, GoesOnAfterWhatAHealthyHostAnswers) {
  hand_over_with({{1, false}, {0, true}});
  hand_over_with({{0, false}, {-EAGAIN, true}});
  hand_over_with({{1, false}, {-EINTR, false}, {0, false}, {-EAGAIN, false}, {0, true}});
  EXPECT_EQ(asked, 5);
  EXPECT_EQ(members[0].turn, extended::turn_at_work);
}

TEST(HandOverDeathTest, NamesTheCallThatFailed) {
  for (int error : {EFAULT, EINVAL, ENOSYS, EPERM}) {
    EXPECT_EXIT(hand_over_with({{-error, false}}), testing::ExitedWithCode(died_of_futex), "");
    EXPECT_EXIT(hand_over_with({{1, false}, {-error, true}}),
                testing::ExitedWithCode(died_of_futex), "");
  }
}

/// Goes where the clone would return to.
[[noreturn]] void begin_member(std::initializer_list<Answer> given) {
  asked = 0;
  launcher_pid = 7;
  answers[0] = {1234, false};
  clone_member(&members[1], 0);
  std::copy(given.begin(), given.end(), answers);
  asked = 0;
  const std::uint64_t begins =
      *reinterpret_cast<std::uint64_t*>(reinterpret_cast<char*>(&members[1]) + sizeof(Member) - 16);
  asm volatile("mov %0, %%rbx\n jmp *%1" ::"r"(&members[1]), "a"(begins));
  __builtin_unreachable();
}

TEST(HandOverDeathTest, ANewMemberDiesWithTheLauncherOrNotAtAll) {
  EXPECT_EXIT(begin_member({{-EPERM, false}}), testing::ExitedWithCode(died_of_another), "");
  EXPECT_EXIT(begin_member({{0, false}, {8, false}}), testing::ExitedWithCode(parked), "");
  EXPECT_EXIT(begin_member({{0, false}, {7, false}, {-EINVAL, false}}),
              testing::ExitedWithCode(died_of_futex), "");
}

}  // namespace
