// The guest's files, and the refusal of programs that cannot run: each mutation of an ELF header
// must meet its own words.
#include "monitor/root/tree.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>

#include "monitor/root/program_check.h"
#include "monitor/tool/error.h"

namespace monitor {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A folder that is gone after the test.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "root-tree-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Scratch() { fs::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + '/' + name; }
  [[nodiscard]] const std::string& path() const { return path_; }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ + '/' + name) << content;
  }

 private:
  std::string path_;
};

/// The smallest program that passes: one executable segment of a page.
struct TinyElf {
  Elf64_Ehdr header{};
  Elf64_Phdr segments[2]{};
  std::size_t bytes = 4096;

  TinyElf() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_entry = 0x400100;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 2;
    segments[0] = {.p_type = PT_LOAD,
                   .p_flags = PF_R | PF_X,
                   .p_offset = 0,
                   .p_vaddr = 0x400000,
                   .p_paddr = 0,
                   .p_filesz = 4096,
                   .p_memsz = 4096,
                   .p_align = 4096};
    segments[1].p_type = PT_GNU_STACK;
  }
  [[nodiscard]] std::string content() const {
    std::string text(4096, '\0');
    std::memcpy(text.data(), &header, sizeof header);
    std::memcpy(text.data() + sizeof header, segments, sizeof segments);
    text.resize(bytes);
    return text;
  }
};

std::string refusal_of(const RootTree& tree, const std::string& program) {
  try {
    tree.check_program(program);
  } catch (const HostError& error) {
    return error.what();
  }
  return "accepted";
}

std::string refusal_of_content(const std::string& content) {
  RootTree tree;
  tree.add_file("/program", content, 0755);
  return refusal_of(tree, "/program");
}

TEST(RootTree, StandardHasTheShellAndParentsComeFirst) {
  RootTree tree = RootTree::standard();
  for (const char* path : {"/", "/bin/busybox", "/bin/sh", "/etc/passwd", "/etc/group", "/tmp",
                           "/dev/null", "/dev/marker", "/dev/shm", "/root", "/proc"}) {
    EXPECT_NE(tree.find(path), nullptr) << path;
  }
  EXPECT_EQ(tree.find("/bin/sh")->content, "busybox");
  EXPECT_EQ(tree.nodes().begin()->first, "/");
  for (const auto& [path, node] : tree.nodes()) {
    if (path == "/") continue;
    auto slash = path.rfind('/');
    const RootNode* parent = tree.find(slash == 0 ? "/" : path.substr(0, slash));
    ASSERT_NE(parent, nullptr) << path;
    EXPECT_TRUE(S_ISDIR(parent->mode)) << path;
  }
  EXPECT_EQ(refusal_of(tree, "/bin/busybox"), "accepted");
  EXPECT_EQ(refusal_of(tree, "/bin/sh"), "accepted");
}

TEST(RootTree, AddTakesFilesFoldersAndLinks) {
  Scratch scratch;
  fs::create_directories(scratch / "d/sub");
  scratch.write("d/sub/file", "hello");
  fs::create_symlink("sub/file", scratch / "d/link");
  fs::create_symlink("..", scratch / "d/loop");
  RootTree tree;
  tree.add(scratch / "d", "/opt//x/");
  ASSERT_NE(tree.find("/opt/x/sub/file"), nullptr);
  EXPECT_EQ(tree.find("/opt/x/sub/file")->size, 5u);
  EXPECT_EQ(tree.find("/opt/x/link")->content, "sub/file");
  EXPECT_TRUE(S_ISDIR(tree.find("/opt")->mode));
  EXPECT_EQ(tree.find("/opt/x/loop/sub"), nullptr);
}

TEST(RootTree, FromDirectoryFillsInTheSystemFolders) {
  Scratch scratch;
  fs::create_directories(scratch / "bin");
  scratch.write("bin/tool", "x");
  RootTree tree = RootTree::from_directory(scratch.path());
  EXPECT_NE(tree.find("/bin/tool"), nullptr);
  EXPECT_TRUE(S_ISCHR(tree.find("/dev/null")->mode));
  EXPECT_EQ(tree.find("/tmp")->mode & 07777, 01777u);
}

TEST(RootTree, RefusesOtherFileTypesAndWrongPaths) {
  Scratch scratch;
  ASSERT_EQ(mkfifo((scratch / "fifo").c_str(), 0600), 0);
  EXPECT_THROW(RootTree::from_directory(scratch.path()), HostError);
  EXPECT_THROW(RootTree::from_directory(scratch / "absent"), HostError);
  RootTree tree;
  scratch.write("file", "x");
  EXPECT_THROW(tree.add(scratch / "file", "relative"), UsageError);
  EXPECT_THROW(tree.add(scratch / "file", "/a/../b"), UsageError);
  EXPECT_THROW(tree.add(scratch / "absent", "/a"), HostError);
  EXPECT_THROW(tree.add(scratch / "file", "/"), UsageError);
  tree.add(scratch / "file", "/file");
  EXPECT_THROW(tree.add(scratch / "file", "/file/below"), UsageError);
}

TEST(CheckProgram, NamesWhatIsWrongWithTheFile) {
  RootTree tree;
  tree.add_file("/plain", "text", 0644);
  tree.add_file("/text", "text", 0755);
  tree.add_file("/empty", "", 0755);
  tree.add_file("/dir/file", "", 0755);
  EXPECT_THAT(refusal_of(tree, "/absent"), HasSubstr("is not in the guest's files; put it there"));
  EXPECT_THAT(refusal_of(tree, "text"), HasSubstr("named by its path in the guest"));
  EXPECT_THAT(refusal_of(tree, "/dir"), HasSubstr("is a folder"));
  EXPECT_THAT(refusal_of(tree, "/plain"), HasSubstr("is not executable"));
  EXPECT_THAT(refusal_of(tree, "/text"), HasSubstr("is not an ELF executable"));
  EXPECT_THAT(refusal_of(tree, "/empty"), HasSubstr("is empty"));
  EXPECT_THAT(refusal_of(tree, "/text/below"), HasSubstr("is not in the guest's files"));
}

TEST(CheckProgram, FollowsScriptsToTheirInterpreter) {
  RootTree tree;
  tree.add_file("/bin/tiny", TinyElf().content(), 0755);
  tree.add_file("/good", "#! /bin/tiny -e\n", 0755);
  tree.add_file("/missing", "#!/bin/python\n", 0755);
  tree.add_file("/endless", "#!/endless\n", 0755);
  tree.add_file("/nameless", "#!\n", 0755);
  EXPECT_EQ(refusal_of(tree, "/good"), "accepted");
  EXPECT_THAT(refusal_of(tree, "/missing"), HasSubstr("/bin/python (interpreter of /missing)"));
  EXPECT_THAT(refusal_of(tree, "/endless"), HasSubstr("too deep"));
  EXPECT_THAT(refusal_of(tree, "/nameless"), HasSubstr("cannot run ''"));
}

struct Mutation {
  const char* name;
  std::function<void(TinyElf&)> apply;
  const char* words;
};

class MutatedElf : public testing::TestWithParam<Mutation> {};

TEST_P(MutatedElf, MeetsItsOwnWords) {
  TinyElf elf;
  GetParam().apply(elf);
  EXPECT_THAT(refusal_of_content(elf.content()), HasSubstr(GetParam().words));
}

const Mutation mutations[] = {
    {"None", [](TinyElf&) {}, "accepted"},
    {"StaticPie",
     [](TinyElf& e) {
       e.header.e_type = ET_DYN;
       e.segments[0].p_vaddr = 0;
       e.header.e_entry = 0x100;
     },
     "accepted"},
    {"Cut", [](TinyElf& e) { e.bytes = 40; }, "is truncated: 40 bytes"},
    {"CutTable", [](TinyElf& e) { e.bytes = 100; }, "is truncated or absurd: its program headers"},
    {"CutSegment", [](TinyElf& e) { e.bytes = 2000; }, "does not fit the file's 2000"},
    {"Class32", [](TinyElf& e) { e.header.e_ident[EI_CLASS] = ELFCLASS32; }, "32-bit program"},
    {"ClassNone", [](TinyElf& e) { e.header.e_ident[EI_CLASS] = 9; }, "absurd ELF header: class"},
    {"BigEndian", [](TinyElf& e) { e.header.e_ident[EI_DATA] = ELFDATA2MSB; }, "big-endian"},
    {"Version", [](TinyElf& e) { e.header.e_ident[EI_VERSION] = 7; }, "absurd ELF header: version"},
    {"Arm", [](TinyElf& e) { e.header.e_machine = EM_AARCH64; }, "program for 64-bit ARM"},
    {"Object", [](TinyElf& e) { e.header.e_type = ET_REL; }, "object file"},
    {"Core", [](TinyElf& e) { e.header.e_type = ET_CORE; }, "core dump"},
    {"Type", [](TinyElf& e) { e.header.e_type = 77; }, "absurd ELF header: type 77"},
    {"NoHeaders", [](TinyElf& e) { e.header.e_phnum = 0; }, "no program headers"},
    {"HeaderSize", [](TinyElf& e) { e.header.e_phentsize = 32; }, "program headers of 32 bytes"},
    {"ManyHeaders", [](TinyElf& e) { e.header.e_phnum = 0xffff; }, "65535 program headers"},
    {"TableFar", [](TinyElf& e) { e.header.e_phoff = UINT64_MAX - 8; }, "truncated or absurd"},
    {"Dynamic",
     [](TinyElf& e) {
       e.segments[1].p_type = PT_INTERP;
       e.segments[1].p_filesz = 9;
     },
     "is dynamically linked and its dynamic linker "},
    {"DynamicFar",
     [](TinyElf& e) {
       e.segments[1].p_type = PT_INTERP;
       e.segments[1].p_filesz = 9;
       e.segments[1].p_offset = UINT64_MAX - 4;
     },
     "its dynamic linker's name lies outside of the file"},
    {"OffsetFar", [](TinyElf& e) { e.segments[0].p_offset = UINT64_MAX & ~0xffful; },
     "truncated or absurd: a segment"},
    {"FileOverMemory", [](TinyElf& e) { e.segments[0].p_memsz = 1; }, "more bytes in the file"},
    {"Misaligned", [](TinyElf& e) { e.segments[0].p_vaddr += 8; }, "differ within a page"},
    {"LowAddress", [](TinyElf& e) { e.segments[0].p_vaddr = 0; }, "outside of a guest program's"},
    {"HighAddress", [](TinyElf& e) { e.segments[0].p_vaddr = 0x7fff'2000'0000; },
     "outside of a guest program's"},
    {"Huge", [](TinyElf& e) { e.segments[0].p_memsz = UINT64_MAX; },
     "outside of a guest program's"},
    {"NothingToLoad", [](TinyElf& e) { e.segments[0].p_type = PT_NOTE; }, "nothing to load"},
    {"EntryOutside", [](TinyElf& e) { e.header.e_entry = 0x500000; }, "no executable segment"},
    {"EntryNotExecutable", [](TinyElf& e) { e.segments[0].p_flags = PF_R; },
     "no executable segment"},
};

INSTANTIATE_TEST_SUITE_P(CheckProgram, MutatedElf, testing::ValuesIn(mutations),
                         [](const auto& info) { return info.param.name; });

TEST(CheckProgram, NoHeaderByteCrashesIt) {
  TinyElf elf;
  const std::string good = elf.content();
  for (std::size_t at = 0; at < sizeof elf.header + sizeof elf.segments; ++at) {
    for (int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::string bad = good;
      bad[at] = static_cast<char>(value);
      (void)refusal_of_content(bad);
    }
  }
}

}  // namespace
TEST(RootTree, LinksAmongFoldersAreFollowedWhenAdding) {
  Scratch scratch;
  fs::create_directories(scratch / "usr/bin");
  fs::create_directories(scratch / "dev");
  ASSERT_EQ(mkfifo((scratch / "dev/fifo").c_str(), 0600), 0);  // no business of a guest's
  fs::create_symlink("usr/bin", scratch / "bin");
  fs::create_symlink("/bin", scratch / "commands");
  fs::create_symlink("../loop/x", scratch / "loop");
  auto tree = RootTree::from_directory(scratch.path());
  tree.add_file("/bin/a", "x");
  tree.add_file("/commands/b/c", "y");
  EXPECT_NE(tree.find("/usr/bin/a"), nullptr);
  EXPECT_NE(tree.find("/usr/bin/b/c"), nullptr);
  EXPECT_EQ(tree.find("/bin/a"), nullptr);
  EXPECT_EQ(tree.find("/dev/fifo"), nullptr);
  EXPECT_THROW(tree.add_file("/loop/a", "z"), monitor::UsageError);
}

}  // namespace monitor
