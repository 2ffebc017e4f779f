// Integration: the tool started with some of the descriptors 0, 1 and 2 closed. What it opened then
// would get their numbers, and the program's streams would be the guest's memory, or the disk. The
// program finds them closed, as it would if it were started so natively.
#include <unistd.h>

#include "tests/integration/disk_fixture.h"

namespace {

using disk::ToolRun;
using disk::Words;

constexpr unsigned combinations = 8;

support::Options closing(unsigned closed) {
  support::Options options;
  options.closed = closed;
  return options;
}

std::string described(unsigned closed) {
  std::string text = "closed:";
  for (int fd = 0; fd < 3; ++fd)
    if (closed >> fd & 1) text += ' ' + std::to_string(fd);
  return text;
}

class ClosedStreams : public testing::TestWithParam<std::string> {
 protected:
  static ToolRun run(unsigned closed, const Words& program, Words more = {}) {
    const std::string path = support::program("closed_streams_program");
    more.insert(more.end(), {"--memory", "64M", "--add", path + ":/closed"});
    return support::exec(GetParam(), program, more, closing(closed));
  }
};

INSTANTIATE_TEST_SUITE_P(Everywhere, ClosedStreams, testing::ValuesIn(support::places()),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(ClosedStreams, AreClosedForTheProgram) {
  for (unsigned closed = 0; closed < combinations; ++closed) {
    SCOPED_TRACE(described(closed));
    const unsigned next = closed & 1 ? 0 : closed & 2 ? 1 : closed & 4 ? 2 : 3;
    const ToolRun run = ClosedStreams::run(closed, {"/closed"});
    EXPECT_EQ(run.status, closed | next << 4) << run.describe();
    EXPECT_EQ(run.out + run.err, "");
  }
}

/// What the program says comes out where it can, and nothing else does.
TEST_P(ClosedStreams, CarryNothingButTheProgramsOwnWords) {
  for (unsigned closed = 0; closed < combinations; ++closed) {
    SCOPED_TRACE(described(closed));
    const ToolRun run = ClosedStreams::run(
        closed, {"/bin/busybox", "sh", "-c", "cat; echo out; echo err >&2; exit 7"});
    EXPECT_EQ(run.status, 7) << run.describe();
    EXPECT_EQ(run.out, closed & 2 ? "" : "out\n");
    if (closed & 4)
      EXPECT_EQ(run.err, "");
    else
      EXPECT_THAT(run.err, testing::EndsWith("err\n"));
  }
  const ToolRun cat = run(1, {"/bin/busybox", "cat"});
  EXPECT_EQ(cat.status, 1);
  EXPECT_EQ(cat.out, "");
  EXPECT_THAT(cat.err, testing::HasSubstr("Bad file descriptor"));
}

/// The tool's own words, and its exit status where there is nobody to hear them.
TEST(ClosedStreamsOf, EveryCommand) {
  const struct {
    Words words;
    int status;
    bool speaks;          // on stdout; else on stderr
    int mute_status = 1;  // when it cannot
  } commands[] = {{{"doctor"}, 0, true},
                  {{"syscalls"}, 0, true},
                  {{"--help"}, 0, true},
                  {{"exec", "--help"}, 0, true, 125},
                  {{"shell", "--help"}, 0, true, 125},
                  {{"run", "--help"}, 0, true},
                  {{"plot", "--help"}, 0, true},
                  {{"image", "--help"}, 0, true},
                  {{}, 2, false},
                  {{"launch"}, 2, false},
                  {{"shell"}, 2, false},
                  {{"plot", "/absent"}, 1, false},
                  {{"run", "no-such-workload"}, 2, false},
                  {{"exec", "--root", "/absent", "--", "/bin/sh"}, 125, false}};
  for (const auto& command : commands) {
    const ToolRun open = support::run_tool(command.words);
    for (unsigned closed = 0; closed < combinations; ++closed) {
      SCOPED_TRACE(testing::PrintToString(command.words) + described(closed));
      const ToolRun run = support::run_tool(command.words, closing(closed));
      const bool lost = command.speaks && (closed & 2);
      EXPECT_EQ(run.status, lost ? command.mute_status : command.status) << run.describe();
      EXPECT_EQ(run.out.empty(), open.out.empty() || (closed & 2)) << run.describe();
      const bool silent = (open.err.empty() && !lost) || (closed & 4);
      EXPECT_EQ(run.err.empty(), silent) << run.describe();
    }
  }
}

/// The wrapper in a tree whose build is a script, once when there is nothing to build, and once
/// when there is. The tool is to find the streams as they were.
TEST(ClosedStreamsOf, TheWrapper) {
  std::string folder = "/tmp/closed-streams-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const disk::fs::path top = folder, build = top / "build", programs = top / "programs";
  disk::fs::create_directories(build);
  disk::fs::create_directories(programs);
  const auto script = [](const disk::fs::path& path, const std::string& text) {
    std::ofstream(path) << "#!/bin/sh\n" << text << '\n';
    disk::fs::permissions(path, disk::fs::perms::owner_all);
  };
  disk::fs::copy_file(TYPETWO_SOURCE "/typetwo", top / "typetwo");
  disk::fs::copy_file(support::program("closed_streams_program"), build / "typetwo-tool");
  script(programs / "cmake", "read line; echo built; echo and said so >&2");
  script(programs / "dpkg-query", "printf installed");
  std::ofstream(build / "CMakeCache.txt");
  for (const bool fresh : {false, true}) {
    for (unsigned closed = 0; closed < combinations; ++closed) {
      SCOPED_TRACE(described(closed) + (fresh ? ", fresh" : ", to be built"));
      if (!fresh) disk::fs::remove(build / ".stamp");
      std::string line = "PATH=" + (programs.string() + ":$PATH ") + (top / "typetwo").string() +
                         " exec </dev/null >/dev/null 2>/dev/null";
      for (int fd = 3; fd < 10; ++fd) line += ' ' + std::to_string(fd) + ">&-";  // not ours
      for (int fd = 0; fd < 3; ++fd)
        if (closed >> fd & 1) line += ' ' + std::to_string(fd) + ">&-";
      const unsigned next = closed & 1 ? 0 : closed & 2 ? 1 : closed & 4 ? 2 : 3;
      const int status = system(line.c_str());
      EXPECT_EQ(WEXITSTATUS(status), closed | next << 4);
      EXPECT_TRUE(disk::fs::exists(build / ".stamp"));
    }
  }
  image::remove_tree(top);
}

TEST(ClosedStreamsOf, ARunThatIsStopped) {
  for (const std::string place : {"standalone", "baseline", "extended"}) {
    const ToolRun run =
        support::exec(place, {"/bin/busybox", "sleep", "100"},
                      {"--memory", "64M", "--timeout", "0.5"}, closing(combinations - 1));
    EXPECT_EQ(run.status, 124) << place;
  }
}

class ClosedStreamsOnDisk : public disk::DiskTest,
                            public testing::WithParamInterface<std::string> {};

INSTANTIATE_TEST_SUITE_P(Everywhere, ClosedStreamsOnDisk,
                         testing::Values("standalone", "baseline", "extended",
                                         "extended:protect=mmap"),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(ClosedStreamsOnDisk, LeaveTheImageWhole) {
  make_image("4M");
  for (unsigned closed = 1; closed < combinations; ++closed) {
    SCOPED_TRACE(described(closed));
    const ToolRun run = support::run_tool(
        exec_line(GetParam(), {"/bin/busybox", "sh", "-c",
                               "head -c 200000 /dev/zero | tr '\\0' x; echo err >&2; cat; exit 7"}),
        closing(closed));
    EXPECT_EQ(run.status, 7) << run.describe();
    EXPECT_EQ(run.out.find_first_not_of('x'), std::string::npos);
    EXPECT_EQ(run.out.size(), closed & 2 ? 0 : 200000);
    expect_sound();
    EXPECT_EQ(disk::content_of(image_).find(std::string(4096, 'x')), std::string::npos);
  }
}

}  // namespace
