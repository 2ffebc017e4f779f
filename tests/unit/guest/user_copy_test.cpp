// User copies: faults served on the way, and failures where a program would get a signal.
#include <cstring>
#include <string>

#include "guest/abi/file_structs.h"
#include "guest/abi/structs.h"
#include "guest/mm/user.h"
#include "tests/unit/guest/address_space_fixture.h"

namespace guest_test {
namespace {

// -- User copies.

TEST_F(AddressSpaceTest, CopiesServeTheirFaults) {
  std::uint64_t va = map(40);
  std::vector<std::uint8_t> out(30 * page + 123, 0x5a), in(out.size());
  ASSERT_TRUE(guest::copy_to_user({va + 17}, out.data(), out.size()).ok());
  ASSERT_TRUE(guest::copy_from_user(in.data(), {va + 17}, in.size()).ok());
  EXPECT_EQ(in, out);
  ASSERT_TRUE(guest::zero_user({va + 100}, 3 * page).ok());
  EXPECT_EQ(platform_.load(va + 100), 0);
  EXPECT_EQ(platform_.load(va + 99), 0x5a);
}

// Nobody can put what has bytes between its members.
struct WithAHole {
  std::uint8_t first;
  std::uint32_t second;
};
union Uneven {
  std::uint8_t narrow;
  std::uint64_t wide;
};
static_assert(!guest::Showable<WithAHole> && !guest::Showable<Uneven>);
static_assert(guest::Showable<guest::abi::SigInfo> && guest::Showable<guest::abi::FileLock>);

TEST_F(AddressSpaceTest, NewSignalInformationIsZeroInAllItsBytes) {
  alignas(guest::abi::SigInfo) std::uint8_t bytes[sizeof(guest::abi::SigInfo)];
  std::memset(bytes, 0xa5, sizeof bytes);
  new (bytes) guest::abi::SigInfo{};
  EXPECT_EQ(std::count(bytes, bytes + sizeof bytes, 0), 128);
}

TEST_F(AddressSpaceTest, CopiesFailWhereAProgramWould) {
  std::uint64_t va = map(2, vmi::prot_read);
  std::uint64_t word = 1;
  EXPECT_EQ(guest::put_user({va}, word).error(), Errno::fault);
  EXPECT_EQ(guest::copy_from_user(&word, {va + 2 * page - 4}, 8).error(), Errno::fault);
  EXPECT_EQ(guest::copy_from_user(&word, {vmi::window_base}, 8).error(), Errno::fault);
  EXPECT_EQ(guest::copy_from_user(&word, {~0ull - 3}, 8).error(), Errno::fault);
  EXPECT_TRUE(guest::copy_from_user(&word, {0}, 0).ok());
  EXPECT_EQ(guest::get_user<std::uint64_t>({va}).release(), 0u);
}

TEST_F(AddressSpaceTest, StringsEndAtTheirNul) {
  std::uint64_t va = map(1);
  std::string text(300, 'x');
  std::uint64_t at = va + page - 301;  // the NUL is the page's last byte
  ASSERT_TRUE(guest::copy_to_user({at}, text.c_str(), 301).ok());
  EXPECT_EQ(guest::string_from_user({at}).release().view(), text);
  EXPECT_EQ(guest::string_from_user({at}, 300).error(), Errno::nametoolong);
  EXPECT_EQ(guest::string_from_user({at}, 301).release().view(), text);
  platform_.store(va + page - 1, 'y');
  EXPECT_EQ(guest::string_from_user({at}).error(), Errno::fault);
}

TEST_F(AddressSpaceTest, FramesMoveToAndFromUserMemory) {
  std::uint64_t va = map(8);
  vmi::Frame frame = guest::frames_allocate(guest::Frames(4)).release().first;
  std::memset(platform_.frame(frame), 0x33, 4 * page);
  ASSERT_TRUE(guest::frame_to_user(frame, 10, {va + 5}, 2 * page).ok());
  EXPECT_EQ(platform_.load(va + 5 + 2 * page - 1), 0x33);
  EXPECT_EQ(platform_.load(va + 5 + 2 * page), 0);
  ASSERT_TRUE(guest::user_to_frame(frame, 0, {va + 4 * page}, page).ok());
  EXPECT_EQ(*platform_.frame(frame), 0);
  EXPECT_EQ(guest::frame_to_user(frame, 0, {somewhere}, 1).error(), Errno::fault);
  guest::frames_release({frame, guest::Frames(4)});
}

}  // namespace
}  // namespace guest_test
