// The table of system calls keeps its own rules: one entry a number, a note wherever Linux does
// more than we do. And dispatch: what is not in the table is ENOSYS, and counted by its number.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "guest/abi/structs.h"
#include "guest/abi/system_call.h"
#include "guest/syscall/dispatch.h"
#include "guest/syscall/handlers.h"
#include "tests/unit/guest/fake_platform.h"

namespace {

using guest::Errno;
using guest::Support;

struct Entry {
  unsigned number;
  std::string name;
  Support support;
  std::string note;
};

const Entry entries[] = {
#define X(number, name, support, note) {number, #name, Support::support, note},
    GUEST_SYSCALLS(X)
#undef X
};

TEST(SyscallTable, HasOneEntryForANumberAndAName) {
  std::set<unsigned> numbers;
  std::set<std::string> names;
  for (const auto& entry : entries) {
    EXPECT_TRUE(numbers.insert(entry.number).second) << entry.name << " " << entry.number;
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_LT(entry.number, 512u) << entry.name << " is beyond the dispatch table";
  }
}

TEST(SyscallTable, SaysWhatIsMissingWhereverSomethingIs) {
  for (const auto& entry : entries)
    if (entry.support != Support::full) {
      EXPECT_FALSE(entry.note.empty()) << entry.name;
    }
}

TEST(SyscallTable, NamesTheErrorOfARefusedCall) {
  for (const auto& entry : entries)
    if (entry.support == Support::refused) {
      EXPECT_NE(entry.note.find('E'), std::string::npos) << entry.name;
    }
}

TEST(Dispatch, AnswersAnUnknownNumberWithEnosysAndCountsIt) {
  guest_test::FakePlatform platform;
  vmi::TrapFrame frame{};
  for (std::uint64_t number : {std::uint64_t{511}, std::uint64_t{511}, ~std::uint64_t{0}}) {
    frame.syscall_number = number;
    EXPECT_EQ(guest::find_handler(number), nullptr);
    guest::refuse_unknown(frame);
    EXPECT_EQ(static_cast<std::int64_t>(frame.rax), -38);
  }
  frame.syscall_number = 335;  // there is none
  EXPECT_EQ(guest::find_handler(335), nullptr);
  guest::refuse_unknown(frame);
  EXPECT_EQ(platform.accounts.calls[335], 1u);
  EXPECT_EQ(platform.shared_info.unknown_syscall[511], 2);
  EXPECT_EQ(platform.shared_info.counters.unknown_syscalls, 4u);
}

// -- Interrupted calls.

struct Settled {
  std::uint64_t rip, rax;
  bool operator==(const Settled&) const = default;
};

/// As wait4 (61) at 0x400100.
Settled settle(Errno way, const std::uint64_t* handler_flags) {
  vmi::TrapFrame frame{};
  frame.rip = 0x400102, frame.syscall_number = 61;
  guest::set_error(frame, way);
  guest::settle_interrupted_call(frame, handler_flags);
  return {frame.rip, frame.rax};
}

constexpr Settled again{0x400100, 61}, with_time_left{0x400100, 219},
    failed{0x400102, static_cast<std::uint64_t>(-4)};
constexpr std::uint64_t no_flags = 0, asks_for_restart = guest::abi::sa_restart;

TEST(Dispatch, MakesAnInterruptedCallAgainWhereNoHandlerHasRun) {
  for (Errno way : {Errno::restart, Errno::restart_always, Errno::restart_unless_handled})
    EXPECT_EQ(settle(way, nullptr), again) << static_cast<int>(way);
  EXPECT_EQ(settle(Errno::restart_time_left, nullptr), with_time_left);
}

TEST(Dispatch, AHandlersFlagsDecideForSomeCallsOnly) {
  EXPECT_EQ(settle(Errno::restart, &asks_for_restart), again);
  EXPECT_EQ(settle(Errno::restart, &no_flags), failed);
  for (const std::uint64_t* flags : {&asks_for_restart, &no_flags}) {
    EXPECT_EQ(settle(Errno::restart_always, flags), again);
    EXPECT_EQ(settle(Errno::restart_unless_handled, flags), failed);
    EXPECT_EQ(settle(Errno::restart_time_left, flags), failed);
  }
}

}  // namespace
