// The table of system calls keeps its own rules: one entry a number, a note wherever Linux does
// more than we do. And dispatch: what is not in the table is ENOSYS, and counted by its number.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "guest/abi/system_call.h"
#include "guest/syscall/dispatch.h"
#include "guest/syscall/handlers.h"
#include "tests/unit/guest/fake_platform.h"

namespace {

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
    guest::dispatch_system_call(frame);
    EXPECT_EQ(static_cast<std::int64_t>(frame.rax), -38);
  }
  frame.syscall_number = 335;  // there is none
  guest::dispatch_system_call(frame);
  EXPECT_EQ(platform.accounts.calls[335], 1u);
  EXPECT_EQ(platform.shared_info.unknown_syscall[511], 2);
  EXPECT_EQ(platform.shared_info.counters.unknown_syscalls, 4u);
}

TEST(Dispatch, RewindsAnInterruptedCallToItsInstruction) {
  vmi::TrapFrame frame{};
  frame.rip = 0x400102, frame.syscall_number = 61, frame.rax = 0;
  guest::rewind_system_call(frame);
  EXPECT_EQ(frame.rip, 0x400100u);
  EXPECT_EQ(frame.rax, 61u);
}

}  // namespace
