// What the file system tests share: a platform, a current address space with a writable buffer, and
// helpers that move strings through it as a program's system calls would.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "guest/fs/ram/ramfs.h"
#include "guest/mm/address_space.h"
#include "guest/vfs/inode.h"
#include "tests/unit/guest/fake_platform.h"

namespace guest_test {

class FsTest : public testing::Test {
 protected:
  static constexpr std::uint64_t buffer_bytes = 1 << 20;

  FsTest() {
    guest::frames_init(guest::Frames(frames), {});
    auto made = guest::AddressSpace::create();
    EXPECT_TRUE(made.ok());
    space = made.release();
    space->activate();
    buffer.value = map_buffer();
    root = guest::make_ref<guest::RamDirectory>(0755u, guest::Ref<guest::RamDirectory>()).release();
  }

  ~FsTest() override { empty(*root); }

  /// Directories hold their parents, so a tree goes only from its leaves.
  static void empty(guest::Inode& directory) {
    std::uint64_t position = guest::NameTable::first_cookie;
    for (;;) {
      auto entry = directory.entry(position);
      if (!entry.ok()) return;
      std::string name(entry.value().name);
      if (!directory.unlink(name).ok()) {
        empty(*directory.lookup(name).value());
        EXPECT_TRUE(directory.rmdir(name).ok());
      }
    }
  }

  std::uint64_t map_buffer() {
    guest::MapRequest request;
    request.bytes = buffer_bytes;
    request.protection = vmi::prot_read | vmi::prot_write;
    auto mapped = space->map(request);
    EXPECT_TRUE(mapped.ok());
    return mapped.value();
  }

  /// Puts text at the buffer's start.
  void to_user(const std::string& text) {
    for (std::size_t i = 0; i < text.size(); ++i)
      platform.store(buffer.value + i, static_cast<std::uint8_t>(text[i]));
  }
  std::string from_user(std::size_t bytes) {
    std::string text(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i)
      text[i] = static_cast<char>(platform.load(buffer.value + i));
    return text;
  }

  static guest::Ref<guest::Inode> make(guest::Inode& directory, const char* name,
                                       std::uint32_t mode = guest::mode_regular | 0644) {
    auto made = directory.create(name, mode, 0);
    EXPECT_TRUE(made.ok()) << name;
    return made.release();
  }
  std::size_t write(guest::Inode& file, std::uint64_t at, const std::string& text) {
    to_user(text);
    auto written = file.write(at, buffer, text.size());
    EXPECT_TRUE(written.ok());
    return written.ok() ? written.value() : 0;
  }
  std::string read(guest::Inode& file, std::uint64_t at, std::size_t bytes) {
    auto got = file.read(at, buffer, bytes);
    EXPECT_TRUE(got.ok());
    return got.ok() ? from_user(got.value()) : "";
  }

  static constexpr std::uint32_t frames = 2048;
  FakePlatform platform{frames};
  guest::Ref<guest::AddressSpace> space;
  guest::UserAddress buffer;
  guest::Ref<guest::RamDirectory> root;
};

}  // namespace guest_test
