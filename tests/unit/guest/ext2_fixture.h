// Ext2Test: images made by mke2fs in a temporary folder, mounted by the guest kernel's ext2 over a
// disk that is a vector of bytes, and checked by e2fsck afterwards.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "guest/fs/ext2/node.h"
#include "tests/unit/guest/fs_fixture.h"

namespace guest_test {

/// A disk in memory. An access outside of it ends the test: no image may lead there.
class MemoryDisk final : public guest::BlockDevice {
 public:
  std::uint64_t bytes() override { return image.size(); }
  bool read_only() override { return refuses_writes; }
  guest::Result<> read(std::uint64_t at, void* to, std::uint32_t bytes) override {
    check(at, bytes);
    if (refuses_reads) return guest::Errno::io;
    std::memcpy(to, &image[at], bytes);
    return {};
  }
  guest::Result<> write(std::uint64_t at, const void* from, std::uint32_t bytes) override {
    check(at, bytes);
    if (refuses_writes) throw std::logic_error("a write to a read-only disk");
    std::memcpy(&image[at], from, bytes);
    const auto* begin = static_cast<const std::uint8_t*>(from);
    if (keeps_writes) writes.push_back({at, {begin, begin + bytes}});
    return {};
  }
  guest::Result<> read_frames(std::uint64_t at, vmi::Frame frame, std::uint64_t offset,
                              std::uint64_t bytes) override {
    return read(at, FakePlatform::instance().frame(frame) + offset,
                static_cast<std::uint32_t>(bytes));
  }
  guest::Result<> write_frames(std::uint64_t at, vmi::Frame frame, std::uint64_t offset,
                               std::uint64_t bytes) override {
    if (loses_contents) return guest::Errno::io;
    return write(at, FakePlatform::instance().frame(frame) + offset,
                 static_cast<std::uint32_t>(bytes));
  }
  guest::Result<> flush() override {
    ++flushes;
    stable = image;
    if (keeps_writes) flushed_at.push_back(writes.size());
    return {};
  }

  std::vector<std::uint8_t> image, stable;  // stable: as of the last flush
  struct Write {
    std::uint64_t at;
    std::vector<std::uint8_t> bytes;
  };
  std::vector<Write> writes;
  std::vector<std::size_t> flushed_at;  // how many writes there were at each flush
  bool refuses_writes = false, keeps_writes = false;
  bool refuses_reads = false, loses_contents = false;  // with EIO
  int flushes = 0;

 private:
  void check(std::uint64_t at, std::uint64_t bytes) const {
    if (at > image.size() || bytes > image.size() - at)
      throw std::logic_error("an access outside of the disk");
  }
};

class Ext2Test : public FsTest {
 protected:
  Ext2Test() {
    char name[] = "/tmp/ext2-test-XXXXXX";
    folder = mkdtemp(name);
    platform.shared_info.time.realtime_ns = 1'700'000'000'123'456'789;
  }
  ~Ext2Test() override {
    top = {};
    delete mounted;
    std::filesystem::remove_all(folder);
  }

  /// Output of a command, with its exit status.
  static std::pair<int, std::string> run(const std::string& command) {
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    std::string output;
    char part[256];
    while (fgets(part, sizeof part, pipe)) output += part;
    int status = pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
  }

  void make_image(const std::string& options, const std::string& size) {
    std::string path = folder / "image";
    auto [status, output] = run("mke2fs -q -F -t ext2 " + options + " " + path + " " + size);
    ASSERT_EQ(status, 0) << output;
    std::ifstream file(path, std::ios::binary);
    disk.image.assign(std::istreambuf_iterator<char>(file), {});
  }

  void mount() {
    auto result = guest::ext2::FileSystem::mount(disk);
    ASSERT_TRUE(result.ok());
    mounted = result.value();
    top = mounted->root().release();
  }

  void unmount() {
    top = {};
    EXPECT_TRUE(mounted->unmount().ok());
    delete mounted;
    mounted = nullptr;
  }

  std::pair<int, std::string> fsck(const std::string& options,
                                   const std::vector<std::uint8_t>& bytes) {
    std::string path = folder / "checked";
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return run("e2fsck " + options + " " + path);
  }
  void expect_sound() {
    auto [status, output] = fsck("-fn", disk.image);
    EXPECT_EQ(status, 0) << output;
  }
  void unmount_and_check() {
    unmount();
    expect_sound();
  }

  /// Contents of a file of the image that fsck() looked at, by debugfs: somebody else's opinion.
  std::string dump(const std::string& name) {
    std::string image = folder / "checked", out = folder / "dumped";
    run("debugfs -R 'dump " + name + " " + out + "' " + image);
    std::ifstream file(out, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  guest::Ref<guest::Inode> look(guest::Inode& directory, const char* name) {
    auto found = directory.lookup(name);
    EXPECT_TRUE(found.ok()) << name;
    return found.ok() ? found.release() : guest::Ref<guest::Inode>();
  }

  static std::string pattern(std::size_t bytes, unsigned seed) {
    std::string text(bytes, '\0');
    for (auto& c : text) c = static_cast<char>((seed = seed * 1103515245 + 12345) >> 16);
    return text;
  }

  std::filesystem::path folder;
  MemoryDisk disk;
  guest::ext2::FileSystem* mounted = nullptr;
  guest::Ref<guest::Inode> top;
};

}  // namespace guest_test
