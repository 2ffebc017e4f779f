// Signal frames on fake user memory: what is pushed is what Linux lays out, what comes back is
// restored, and whatever a program wrote into it cannot reach registers that are not its own.
#include "guest/proc/signal_frame.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "guest/mm/address_space.h"
#include "guest/mm/user.h"
#include "guest/proc/signal.h"
#include "tests/unit/guest/fake_platform.h"

namespace {

using namespace guest;
namespace abi = guest::abi;  // the C++ runtime has one of that name too
using guest::abi::SignalDelivery;

constexpr std::uint64_t page = vmi::page_size;
constexpr std::uint64_t stack_begin = 0x10'0000, stack_end = stack_begin + 16 * page;

// Offsets from the frame's start, from Linux's headers.
constexpr std::uint64_t context_at = 8, machine_at = context_at + 40, rflags_at = machine_at + 136,
                        cs_at = machine_at + 144, vectors_at = machine_at + 184,
                        mask_at = machine_at + 256, info_at = 312;
constexpr std::uint64_t xstate_header = 512, description = 464;

struct SignalFrameTest : testing::Test {
  void SetUp() override {
    space = AddressSpace::create().release();
    space->activate();
    MapRequest request;
    request.address = stack_begin, request.bytes = stack_end - stack_begin;
    request.protection = vmi::prot_read | vmi::prot_write;
    request.placement = MapRequest::fixed;
    ASSERT_TRUE(space->map(request).ok());
    for (std::uint64_t i = 0; i < 18; ++i) reinterpret_cast<std::uint64_t*>(&frame)[i] = 0x100 + i;
    frame.rsp = stack_end - 64;
    frame.rip = 0x401000;
    frame.rflags = 0x246;
    frame.cs = vmi::user_cs, frame.ss = vmi::user_ss;
    action.handler = 0x402000;
    action.restorer = 0x403000;
    action.flags = abi::sa_restorer | abi::sa_siginfo;
    vectors.resize(platform.boot_info.xsave_bytes);
    for (std::size_t i = 0; i < description; ++i) vectors[i] = static_cast<unsigned char>(i);
    store(vectors.data(), 24, std::uint32_t{0x1f80});  // MXCSR
    store(vectors.data(), 28, std::uint32_t{0xffff});  // its mask
    store(vectors.data(), xstate_header, std::uint64_t{3});
  }

  template <class T>
  static void store(unsigned char* at, std::uint64_t offset, T value) {
    std::memcpy(at + offset, &value, sizeof value);
  }
  template <class T>
  T read(std::uint64_t address) {
    auto value = get_user<T>(UserAddress{address});
    EXPECT_TRUE(value.ok());
    return value.ok() ? value.release() : T{};
  }
  template <class T>
  void write(std::uint64_t address, T value) {
    EXPECT_TRUE(put_user(UserAddress{address}, value).ok());
  }
  abi::VectorState state() { return {vectors.data(), static_cast<std::uint32_t>(vectors.size())}; }
  Result<> push() {
    return abi::push_signal_frame(frame, SignalDelivery{info, action, 0x5, alternate, state()});
  }
  /// Pushes, and does what the handler's `ret` does. Returns the frame's address.
  std::uint64_t enter() {
    EXPECT_TRUE(push().ok());
    std::uint64_t at = frame.rsp;
    frame.rsp += 8;
    return at;
  }
  Result<abi::SavedContext> pop() { return abi::pop_signal_frame(frame, state()); }

  guest_test::FakePlatform platform;
  Ref<AddressSpace> space;
  vmi::TrapFrame frame{};
  abi::SignalAction action{};
  abi::SigInfo info = signal_from_fault(sig_segv, abi::segv_access, 0x1234);
  abi::SignalStack alternate{0, abi::ss_disable, 0, 0};
  std::vector<unsigned char> vectors;
};

TEST_F(SignalFrameTest, EntersTheHandlerAsLinuxDoes) {
  frame.rflags |= vmi::rflags_trap | vmi::rflags_direction;
  std::uint64_t before = frame.rsp;
  ASSERT_TRUE(push().ok());
  EXPECT_EQ(frame.rip, action.handler);
  EXPECT_EQ(frame.rdi, 11u);
  EXPECT_EQ(frame.rsi, frame.rsp + info_at);
  EXPECT_EQ(frame.rdx, frame.rsp + context_at);
  EXPECT_EQ(frame.rsp % 16, 8u) << "as after a call";
  EXPECT_LT(frame.rsp + 440, before - 128) << "the red zone belongs to the interrupted code";
  EXPECT_EQ(frame.rflags & (vmi::rflags_trap | vmi::rflags_direction), 0u);
  EXPECT_EQ(read<std::uint64_t>(frame.rsp), action.restorer);
  EXPECT_EQ(read<std::uint64_t>(frame.rsp + mask_at), 0x5u);
  EXPECT_EQ(read<abi::SigInfo>(frame.rsi).fault.address, 0x1234u);
  EXPECT_EQ(read<std::uint64_t>(frame.rsp + vectors_at) % 64, 0u);
}

TEST_F(SignalFrameTest, BringsEverythingBack) {
  vmi::TrapFrame before = frame;
  auto vectors_before = vectors;
  enter();
  for (std::uint64_t i = 0; i < 15; ++i) reinterpret_cast<std::uint64_t*>(&frame)[i] = 0;
  vectors.assign(vectors.size(), 0xee);
  store(vectors.data(), 28, std::uint32_t{0xffff});
  store(vectors.data(), xstate_header, std::uint64_t{3});
  auto saved = pop();
  ASSERT_TRUE(saved.ok());
  EXPECT_EQ(saved.value().mask, 0x5u);
  EXPECT_EQ(std::memcmp(&frame, &before, sizeof frame), 0);
  EXPECT_EQ(std::memcmp(vectors.data(), vectors_before.data(), description), 0);
}

TEST_F(SignalFrameTest, DescribesTheVectorStateWithLinuxsMagic) {
  enter();
  auto at = read<std::uint64_t>(frame.rsp - 8 + vectors_at);
  EXPECT_EQ(read<std::uint32_t>(at + description), 0x46505853u);
  EXPECT_EQ(read<std::uint32_t>(at + description + 4), vectors.size() + 4);
  EXPECT_EQ(read<std::uint32_t>(at + description + 16), vectors.size());
  EXPECT_EQ(read<std::uint32_t>(at + vectors.size()), 0x46505845u);
}

TEST_F(SignalFrameTest, KeepsPrivilegedFlagsOutOfAForgedFrame) {
  std::uint64_t at = enter();
  write(at + rflags_at, ~std::uint64_t{0});
  ASSERT_TRUE(pop().ok());
  EXPECT_EQ(frame.rflags, vmi::rflags_user | vmi::rflags_fixed);
  EXPECT_EQ(frame.ss, vmi::user_ss);
}

TEST_F(SignalFrameTest, RefusesForeignCodeSegments) {
  for (std::uint16_t cs : {0x10, 0x08, 0x30, 0x00, 0x2b, 0xffff}) {
    std::uint64_t at = enter();
    write(at + cs_at, cs);
    EXPECT_EQ(pop().error(), Errno::fault) << cs;
    SCOPED_TRACE(cs);
    frame.rsp = stack_end - 64, frame.rip = 0x401000, frame.cs = vmi::user_cs;
  }
}

TEST_F(SignalFrameTest, MakesAForgedVectorStateLoadable) {
  std::uint64_t at = enter();
  auto area = read<std::uint64_t>(at + vectors_at);
  write(area + 24, ~std::uint32_t{0});             // MXCSR with reserved bits
  write(area + 28, ~std::uint32_t{0});             // and a mask that allows them
  write(area + xstate_header, ~std::uint64_t{0});  // components that do not exist
  for (int word = 1; word < 8; ++word) write(area + xstate_header + 8 * word, ~std::uint64_t{0});
  ASSERT_TRUE(pop().ok());
  std::uint32_t mxcsr = 0;
  std::uint64_t present = 0, reserved[7];
  std::memcpy(&mxcsr, &vectors[24], 4);
  std::memcpy(&present, &vectors[xstate_header], 8);
  std::memcpy(reserved, &vectors[xstate_header + 8], 56);
  EXPECT_EQ(mxcsr, 0xffffu);
  EXPECT_EQ(present & ~0xe7ull, 0u);
  for (std::uint64_t word : reserved) EXPECT_EQ(word, 0u);
}

TEST_F(SignalFrameTest, FallsBackToTheLegacyPartWhenSizesAreNonsense) {
  for (std::uint32_t size : {0u, 575u, 833u, ~0u}) {
    std::uint64_t at = enter();
    auto area = read<std::uint64_t>(at + vectors_at);
    write(area + description + 16, size);
    write(area + 160, std::uint64_t{0x77});  // xmm0
    write(area + xstate_header, ~std::uint64_t{0});
    ASSERT_TRUE(pop().ok()) << size;
    std::uint64_t present = 0;
    std::memcpy(&present, &vectors[xstate_header], 8);
    EXPECT_EQ(present, 3u);
    EXPECT_EQ(vectors[160], 0x77);
  }
}

TEST_F(SignalFrameTest, LeavesTheMonitorsBytesOfTheAreaAlone) {
  std::fill_n(vectors.begin() + description, 48, 0x5a);
  enter();
  ASSERT_TRUE(pop().ok());
  for (std::uint64_t i = 0; i < 48; ++i) ASSERT_EQ(vectors[description + i], 0x5a) << i;
}

TEST_F(SignalFrameTest, TakesNoVectorStateForTheInitialOne) {
  std::uint64_t at = enter();
  write(at + vectors_at, std::uint64_t{0});
  ASSERT_TRUE(pop().ok());
  std::uint64_t present = 1;
  std::memcpy(&present, &vectors[xstate_header], 8);
  EXPECT_EQ(present, 0u);
  EXPECT_EQ(vectors[24], 0x80);
  EXPECT_EQ(vectors[25], 0x1f);
}

TEST_F(SignalFrameTest, FailsWithoutTouchingTheRegistersWhereNothingCanBeWritten) {
  for (std::uint64_t rsp : {std::uint64_t{0}, stack_begin + 100, std::uint64_t{1} << 63, ~0ul,
                            vmi::window_base + page, vmi::alt_stack_base + 100}) {
    frame.rsp = rsp;
    vmi::TrapFrame before = frame;
    EXPECT_FALSE(push().ok()) << rsp;
    EXPECT_EQ(std::memcmp(&frame, &before, sizeof frame), 0);
  }
}

TEST_F(SignalFrameTest, RefusesUnreadableFrames) {
  for (std::uint64_t rsp : {std::uint64_t{0}, std::uint64_t{7}, stack_end - 100, ~0ul,
                            vmi::window_base + page, std::uint64_t{1} << 63}) {
    frame.rsp = rsp;
    EXPECT_EQ(pop().error(), Errno::fault) << rsp;
  }
}

TEST_F(SignalFrameTest, WantsARestorer) {
  action.flags = 0;
  EXPECT_FALSE(push().ok());
}

TEST_F(SignalFrameTest, UsesTheAlternateStackOnceAndOnlyIfAsked) {
  alternate = {stack_begin, 0, 0, 4 * page};
  ASSERT_TRUE(push().ok());
  EXPECT_GT(frame.rsp, stack_begin + 4 * page);
  frame.rsp = stack_end - 64;
  action.flags |= abi::sa_onstack;
  ASSERT_TRUE(push().ok());
  std::uint64_t outer = frame.rsp;
  EXPECT_LT(outer, stack_begin + 4 * page);
  ASSERT_TRUE(push().ok());  // nested: goes on below
  EXPECT_LT(frame.rsp, outer);
}

TEST_F(SignalFrameTest, DoesNotRunOverTheEndOfTheAlternateStack) {
  alternate = {stack_begin + 8 * page, 0, 0, 2048};
  vectors.resize(832);
  action.flags |= abi::sa_onstack;
  ASSERT_TRUE(push().ok());
  EXPECT_FALSE(push().ok());
}

TEST_F(SignalFrameTest, DisarmsTheAlternateStackIfAsked) {
  alternate = {stack_begin, abi::ss_autodisarm, 0, 4 * page};
  action.flags |= abi::sa_onstack;
  std::uint64_t at = enter();
  EXPECT_EQ(alternate.bytes, 0u);
  frame.rsp = at + 8;
  auto saved = pop();
  ASSERT_TRUE(saved.ok());
  EXPECT_EQ(saved.value().alternate.bytes, 4 * page);
}

TEST(SignalStacks, FollowSigaltstacksRules) {
  abi::SignalStack stack{0, abi::ss_disable, 0, 0};
  EXPECT_EQ(set_signal_stack(stack, {0x1000, 0, 0, 2047}, 0).error(), Errno::nomem);
  EXPECT_EQ(set_signal_stack(stack, {0x1000, 0x40, 0, 8192}, 0).error(), Errno::inval);
  ASSERT_TRUE(set_signal_stack(stack, {0x1000, 0, 0, 8192}, 0).ok());
  EXPECT_EQ(set_signal_stack(stack, {0, abi::ss_disable, 0, 0}, 0x2000).error(), Errno::perm);
  ASSERT_TRUE(set_signal_stack(stack, {0, abi::ss_disable, 0, 0}, 0x8000).ok());
  EXPECT_EQ(stack.bytes, 0u);
}

TEST(PendingSignalsTest, KeepStandardSignalsOnceAndQueueRealTimeOnes) {
  guest_test::FakePlatform platform;
  PendingSignals pending;
  auto queued = [](int number, std::uint64_t value) {
    abi::SigInfo info{};
    info.number = number;
    info.sender.value = value;
    return info;
  };
  EXPECT_TRUE(pending.add(queued(10, 1)).ok());
  EXPECT_TRUE(pending.add(queued(10, 2)).ok());
  EXPECT_TRUE(pending.add(queued(40, 3)).ok());
  EXPECT_TRUE(pending.add(queued(40, 4)).ok());
  EXPECT_EQ(pending.take(~0ul).info.sender.value, 1u);
  EXPECT_EQ(pending.set(), signal_bit(40));
  EXPECT_EQ(pending.take(~0ul).info.sender.value, 3u);
  EXPECT_EQ(pending.take(~0ul).info.sender.value, 4u);
  EXPECT_EQ(pending.set(), 0u);
}

TEST(PendingSignalsTest, NeverLoseAStandardSignalButRefuseTooManyRealTimeOnes) {
  guest_test::FakePlatform platform;
  PendingSignals pending;
  abi::SigInfo info{};
  info.number = 40;
  info.code = -1;  // SI_QUEUE: kill()'s are never refused
  int accepted = 0;
  while (accepted < 1000 && pending.add(info, 100).ok()) ++accepted;
  EXPECT_EQ(accepted, 100);
  EXPECT_TRUE(pending.add(signal_from_kernel(sig_term)).ok());
  EXPECT_NE(pending.set() & signal_bit(sig_term), 0u);
  pending.discard(~0ul);
  EXPECT_EQ(pending.set(), 0u);
}

}  // namespace
