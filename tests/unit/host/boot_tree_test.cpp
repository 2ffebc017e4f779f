// The boot tree as laid in guest RAM: read back as the guest kernel would, from real root trees.
#include "monitor/guest/boot_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "monitor/tool/error.h"

namespace monitor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Reads a tree in guest RAM, trusting nothing but the format's own description.
class Reader {
 public:
  Reader(const GuestMemory& memory, vmi::Frame first) : base_(memory.frame(first)) {
    std::memcpy(&header, base_, sizeof header);
    entries.resize(header.entries);
    std::memcpy(entries.data(), base_ + sizeof header, header.entries * sizeof entries[0]);
  }
  [[nodiscard]] std::string string(std::uint64_t offset) const {
    EXPECT_LT(offset, header.strings_bytes);
    return reinterpret_cast<const char*>(base_ + header.strings_offset + offset);
  }
  [[nodiscard]] std::vector<std::string> words(std::uint64_t offset, std::uint32_t count) const {
    std::vector<std::string> list;
    for (; count > 0; --count) {
      list.push_back(string(offset));
      offset += list.back().size() + 1;
    }
    return list;
  }
  [[nodiscard]] std::string path(std::uint32_t index) const {
    if (index == 0) return "";
    EXPECT_LT(entries[index].parent, index) << "a parent comes before its children";
    return path(entries[index].parent) + "/" + string(entries[index].name);
  }
  [[nodiscard]] const vmi::BootTreeEntry& at(const std::string& wanted) const {
    for (std::uint32_t i = 0; i < entries.size(); ++i) {
      if (path(i) == wanted) return entries[i];
    }
    throw std::runtime_error("no entry " + wanted);
  }
  [[nodiscard]] std::string content(const vmi::BootTreeEntry& entry) const {
    std::uint64_t offset = static_cast<std::uint64_t>(entry.data) << vmi::page_shift;
    EXPECT_LE(offset + entry.size, header.total_bytes);
    return {reinterpret_cast<const char*>(base_ + offset), entry.size};
  }

  vmi::BootTreeHeader header;
  std::vector<vmi::BootTreeEntry> entries;

 private:
  const std::byte* base_;
};

class BootTreeTest : public testing::Test {
 protected:
  Reader write(const std::vector<std::string>& argv = {"/a"},
               const std::vector<std::string>& env = {}) {
    BootTree tree(root, argv, env);
    tree.write(memory, 5);
    Reader reader(memory, 5);
    EXPECT_EQ(reader.header.total_bytes, tree.bytes());
    EXPECT_EQ(tree.bytes() % vmi::page_size, 0u);
    return reader;
  }
  GuestMemory memory{vmi::ram_min};
  RootTree root;
};

TEST_F(BootTreeTest, HeaderAndRoot) {
  Reader tree = write();
  EXPECT_EQ(tree.header.magic, vmi::BootTreeHeader::magic_value);
  EXPECT_EQ(tree.header.version, vmi::vmi_version);
  ASSERT_GE(tree.entries.size(), 1u);
  EXPECT_EQ(tree.entries[0].parent, 0u);
  EXPECT_TRUE(S_ISDIR(tree.entries[0].mode));
  EXPECT_EQ(tree.string(tree.entries[0].name), "");
}

TEST_F(BootTreeTest, ArgumentsAndEnvironment) {
  Reader tree = write({"/bin/sh", "", "-c"}, {"A=1", "B="});
  EXPECT_THAT(tree.words(tree.header.argv_offset, tree.header.argc),
              ElementsAre("/bin/sh", "", "-c"));
  EXPECT_THAT(tree.words(tree.header.envp_offset, tree.header.envc), ElementsAre("A=1", "B="));
  EXPECT_THROW(BootTree(root, {std::string("a\0b", 3)}, {}), HostError);
}

TEST_F(BootTreeTest, FilesFromMemoryOnFramesOfTheirOwn) {
  std::string two_pages(vmi::page_size + 1, 'x');
  root.add_file("/dir/one", "first", 0755);
  root.add_file("/dir/two", two_pages);
  root.add_file("/empty", "");
  Reader tree = write();
  const auto& one = tree.at("/dir/one");
  const auto& two = tree.at("/dir/two");
  EXPECT_EQ(one.mode, S_IFREG | 0755u);
  EXPECT_EQ(tree.content(one), "first");
  EXPECT_EQ(tree.content(two), two_pages);
  EXPECT_NE(one.data, two.data);
  EXPECT_EQ(tree.at("/empty").size, 0u);
  EXPECT_TRUE(S_ISDIR(tree.at("/dir").mode));
  // The rest of a last page is zero.
  EXPECT_EQ(*(memory.frame(5 + one.data) + 5), std::byte{0});
  EXPECT_EQ(*(memory.frame(5 + two.data + 1) + 1), std::byte{0});
}

TEST_F(BootTreeTest, HostFilesAreReadIntoTheirFrames) {
  auto path =
      std::filesystem::temp_directory_path() / ("boot-tree-test-" + std::to_string(getpid()));
  std::string text(3 * vmi::page_size + 17, 'h');
  std::ofstream(path) << text;
  root.add(path, "/bin/program");
  {
    Reader tree = write();
    EXPECT_EQ(tree.content(tree.at("/bin/program")), text);
  }
  // Gone, or shorter, between gathering and booting: an error that names the file.
  std::ofstream(path) << "short";
  EXPECT_THROW(write(), HostError);
  std::filesystem::remove(path);
  try {
    write();
    ADD_FAILURE() << "read a file that is gone";
  } catch (const HostError& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
  }
}

TEST_F(BootTreeTest, StandardTreeKeepsLinksAndDevices) {
  root = RootTree::standard();
  Reader tree = write();
  const auto& shell = tree.at("/bin/sh");
  ASSERT_TRUE(S_ISLNK(shell.mode));
  EXPECT_EQ(tree.string(shell.data).size(), shell.size);
  const auto& null = tree.at("/dev/null");
  EXPECT_TRUE(S_ISCHR(null.mode));
  EXPECT_EQ(null.data, 0x103u);
  EXPECT_EQ(tree.entries.size(), root.nodes().size() + (root.nodes().contains("/") ? 0 : 1));
}

TEST_F(BootTreeTest, TooLargeATreeNamesTheRemedy) {
  root.add_file("/big", std::string(vmi::ram_min - (4 << 20), 'b'));
  try {
    write();
    ADD_FAILURE() << "wrote a tree that leaves no memory";
  } catch (const HostError& error) {
    EXPECT_THAT(error.what(), HasSubstr("--memory"));
    EXPECT_THAT(error.what(), HasSubstr("the guest has 16 MiB"));
  }
}

}  // namespace
}  // namespace monitor
