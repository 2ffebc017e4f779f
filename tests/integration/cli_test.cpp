// The command line as a person meets it: wrong words, wrong programs and wrong sizes get one line
// and their exit status, and a standalone run passes everything through and leaves nothing behind.
// Runs build/typetwo-tool, and the wrapper only as far as it needs no build.
#include <elf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/support/tool.h"

namespace {

namespace fs = std::filesystem;
using support::run_tool;
using testing::HasSubstr;
using testing::StartsWith;
using Words = std::vector<std::string>;

/// A standalone run of a shell command.
support::ToolRun run_shell(const std::string& script, const Words& more = {}) {
  return support::exec("standalone", {"/bin/busybox", "sh", "-c", script}, more);
}

void expect_refusal(const support::ToolRun& ran, int status, const std::string& words) {
  EXPECT_EQ(ran.status, status) << ran.err;
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, StartsWith("typetwo"));
  EXPECT_THAT(ran.err, HasSubstr(words));
  EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
}

class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "cli-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Scratch() { fs::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + '/' + name; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string program(const std::string& name, const std::string& content) const {
    std::ofstream(*this / name) << content;
    fs::permissions(*this / name, fs::perms::owner_all);
    return *this / name;
  }

 private:
  std::string path_;
};

TEST(Cli, HelpEverywhere) {
  for (const Words& words :
       {Words{"--help"}, Words{"exec", "--help"}, Words{"run", "--help"}, Words{"plot", "--help"},
        Words{"claims", "--help"}, Words{"image", "--help"}, Words{"shell", "--help"},
        Words{"syscalls", "--help"}, Words{"doctor", "--help"}}) {
    auto ran = run_tool(words);
    EXPECT_EQ(ran.status, 0);
    EXPECT_THAT(ran.out, HasSubstr("usage: typetwo"));
    EXPECT_EQ(ran.err, "");
  }
}

TEST(Cli, WrapperHelpWorksThroughALinkFromAnywhere) {
  Scratch scratch;
  const fs::path source = TYPETWO_SOURCE;
  fs::create_symlink(source / "typetwo", scratch / "t2");
  FILE* pipe = popen(("cd " + scratch.path() + " && ./t2 --help 2>&1").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char text[4096] = "";
  ASSERT_GT(fread(text, 1, sizeof text - 1, pipe), 0u);
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_THAT(text, HasSubstr("usage: typetwo COMMAND"));
}

TEST(Cli, MemoryIsFilledWhenToldAndTheGuestDoesNotMind) {
  for (const char* place : {"baseline", "extended", "extended:protect=none"}) {
    for (const char* when : {"before", "ahead", "demand"}) {
      auto ran =
          support::exec(place,
                        {"/bin/busybox", "sh", "-c",
                         "dd if=/dev/zero of=/tmp/f bs=1M count=90 2>/dev/null; wc -c </tmp/f"},
                        {"--memory", "160M", "--fill", when});
      EXPECT_EQ(ran.out, "94371840\n") << place << ' ' << when << ran.describe();
    }
  }
  expect_refusal(support::exec("extended", {"/bin/true"}, {"--fill", "late"}), 2,
                 "--fill is before, ahead or demand, not 'late'");
}

void make_script(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "#!/bin/sh\n" << text << '\n';
  fs::permissions(path, fs::perms::owner_all);
}

/// A built tree that was copied from elsewhere; cmake is a script that builds another tool.
TEST(Cli, ACopiedTreeIsBuiltAnewAndOnce) {
  Scratch scratch;
  const fs::path top = scratch / "tree", build = top / "build", programs = scratch / "programs";
  make_script(build / "typetwo-tool", "echo the original");
  std::ofstream(build / "CMakeCache.txt") << "CMAKE_HOME_DIRECTORY:INTERNAL=/elsewhere\n";
  std::ofstream(build / "build.ninja");
  std::ofstream(build / "left-over");
  make_script(programs / "dpkg-query", "printf installed");
  make_script(
      programs / "cmake",
      "case $1 in\n"
      "  -S) echo \"CMAKE_HOME_DIRECTORY:INTERNAL=$2\" >$4/CMakeCache.txt; >$4/build.ninja ;;\n"
      "  --build) printf '#!/bin/sh\\necho anew\\n' >$2/typetwo-tool\n"
      "    chmod +x $2/typetwo-tool ;;\n"
      "esac");
  fs::copy_file(fs::path(TYPETWO_SOURCE) / "typetwo", top / "typetwo");
  std::ofstream(build / ".stamp");
  const std::string command = "PATH=" + programs.string() + ":$PATH " + top.string() +
                              "/typetwo exec 2>" + (scratch / "said");
  for (const bool first : {true, false}) {
    FILE* pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    char text[64] = "";
    EXPECT_NE(fgets(text, sizeof text, pipe), nullptr);
    EXPECT_EQ(pclose(pipe), 0);
    EXPECT_STREQ(text, "anew\n");
    std::ifstream in(scratch / "said");
    const std::string said{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(said.find("was made for /elsewhere") != std::string::npos, first) << said;
  }
  EXPECT_FALSE(fs::exists(build / "left-over"));
}

TEST(Cli, WrongWords) {
  expect_refusal(run_tool({"launch"}), 2, "unknown command 'launch'");
  expect_refusal(run_tool({"exec", "--frob", "--", "/bin/sh"}), 2, "unknown option '--frob'");
  expect_refusal(run_tool({"exec", "--mem", "1G", "--", "/bin/sh"}), 2, "unknown option");
  expect_refusal(run_tool({"exec", "--on", "xen", "--", "/bin/sh"}), 2,
                 "unknown configuration 'xen': use standalone, baseline or extended");
  expect_refusal(run_tool({"exec", "--on", "extended:trap=foo", "--", "/bin/sh"}), 2,
                 "unknown trap 'foo' for extended: use direct or sigsys");
  expect_refusal(run_tool({"exec", "--on"}), 2, "--on");
  expect_refusal(run_tool({"exec"}), 2, "no program");
  expect_refusal(run_tool({"exec", "/bin/sh"}), 2, "'/bin/sh' comes before any --");
  expect_refusal(run_tool({"exec", "--memory", "lots", "--", "/bin/sh"}), 2, "'lots' is no size");
  expect_refusal(run_tool({"exec", "--memory", "-1", "--", "/bin/sh"}), 2, "'-1' is no size");
  expect_refusal(run_tool({"exec", "--memory", "99999999999G", "--", "/bin/sh"}), 2, "is no size");
  expect_refusal(run_tool({"exec", "--timeout", "0", "--", "/bin/sh"}), 2, "no number of seconds");
  expect_refusal(run_tool({"exec", "--timeout", "1x", "--", "/bin/sh"}), 2, "no number of seconds");
  expect_refusal(run_tool({"exec", "--env", "novalue", "--", "/bin/sh"}), 2, "not of the form K=V");
  expect_refusal(run_tool({"exec", "--add", "/etc", "--", "/bin/sh"}), 2, "HOSTPATH:/GUESTPATH");
  expect_refusal(run_tool({"exec", "--on", "standalone", "--observe", "--", "/bin/sh"}), 2,
                 "--observe is for guests");
  expect_refusal(run_tool({"run", "no-such-workload"}), 2, "no-such-workload");
  expect_refusal(run_tool({"run", "--runs", "0"}), 2, "--runs");
  expect_refusal(run_tool({"run", "--quick", "--full"}), 2, "opposites");
  expect_refusal(run_tool({"plot"}), 2, "no results");
  expect_refusal(run_tool({"claims"}), 2, "name one results folder");
  expect_refusal(run_tool({"claims", "x", "--format", "markdwon"}), 2, "did you mean markdown?");
  expect_refusal(run_tool({"doctor", "now"}), 2, "belong to no option");
}

TEST(Cli, FilesThatAreNotThere) {
  expect_refusal(run_tool({"exec", "--root", "/absent", "--", "/bin/sh"}), 125,
                 "cannot read the root folder /absent: No such file");
  expect_refusal(run_tool({"exec", "--add", "/absent:/x", "--", "/bin/sh"}), 125,
                 "cannot add /absent: No such file");
  EXPECT_NE(run_tool({"plot", "/absent"}).status, 0);
}

TEST(Cli, ClaimsAreJudgedInEachFormat) {
  const std::string results = fs::path(TYPETWO_SOURCE) / "results/reference/quick.jsonl";
  for (const char* format : {"text", "markdown", "latex", "html"}) {
    const auto ran = run_tool({"claims", results, "--format", format});
    EXPECT_EQ(ran.status, 0) << ran.describe();
    EXPECT_THAT(ran.out, HasSubstr("baseline / extended = ")) << format;
    EXPECT_EQ(ran.err, "");
  }
  const auto none =
      run_tool({"claims", fs::path(TYPETWO_SOURCE) / "results/reference/switch-cost.jsonl"});
  EXPECT_EQ(none.status, 0);
  EXPECT_THAT(none.err, HasSubstr("measures nothing that a claim is about"));
}

TEST(Cli, FiguresGoByTheNamesOfTheirResults) {
  Scratch scratch;
  const fs::path source = TYPETWO_SOURCE;
  for (const char* name : {"a.jsonl", "b.jsonl", "results.jsonl"})
    fs::copy_file(source / "results/reference/quick.jsonl", scratch / name);
  const auto ran = run_tool({"plot", scratch / "a.jsonl", scratch / "b.jsonl", scratch.path()});
  EXPECT_EQ(ran.status, 0) << ran.describe();
  for (const char* name : {"a.svg", "b.png", "figure.svg"}) EXPECT_TRUE(fs::exists(scratch / name));
  expect_refusal(run_tool({"plot", scratch.path(), scratch / "results.jsonl"}), 2, "two figures");
}

/// The same words whatever the configuration: they are said before anything boots.
class EveryVmm : public testing::TestWithParam<const char*> {
 protected:
  static support::ToolRun exec(const std::string& host, const std::string& guest) {
    return run_tool({"exec", "--on", GetParam(), "--add", host + ":" + guest, "--", guest});
  }
};

TEST_P(EveryVmm, ProgramsThatCannotRun) {
  Scratch scratch;
  std::string busybox;
  {
    std::ifstream file("/bin/busybox", std::ios::binary);
    busybox.assign(std::istreambuf_iterator<char>(file), {});
  }
  expect_refusal(run_tool({"exec", "--on", GetParam(), "--", "/bin/absent"}), 127,
                 "not in the guest's files");
  expect_refusal(run_tool({"exec", "--on", GetParam(), "--", "busybox"}), 127, "/bin/busybox");
  expect_refusal(run_tool({"exec", "--on", GetParam(), "--", "/etc"}), 126, "is a folder");
  expect_refusal(run_tool({"exec", "--on", GetParam(), "--", "/etc/passwd"}), 126,
                 "is not executable");
  expect_refusal(exec(scratch.program("text", "hello\n"), "/p"), 126, "not an ELF executable");
  expect_refusal(exec(scratch.program("empty", ""), "/p"), 126, "is empty");
  expect_refusal(exec(scratch.program("cut", busybox.substr(0, 30)), "/p"), 126, "is truncated");
  expect_refusal(exec(scratch.program("half", busybox.substr(0, busybox.size() / 2)), "/p"), 126,
                 "truncated or absurd");
  std::string arm = busybox;
  arm[offsetof(Elf64_Ehdr, e_machine)] = static_cast<char>(EM_AARCH64);
  expect_refusal(exec(scratch.program("arm", arm), "/p"), 126, "64-bit ARM");
  std::string absurd = busybox;
  std::memset(absurd.data() + offsetof(Elf64_Ehdr, e_phoff), 0xff, 8);
  expect_refusal(exec(scratch.program("absurd", absurd), "/p"), 126, "absurd");
  // Every Debian has this one, and it is dynamically linked.
  expect_refusal(exec("/bin/ls", "/p"), 126,
                 "its dynamic linker /lib64/ld-linux-x86-64.so.2 is not in the guest's files");
}

INSTANTIATE_TEST_SUITE_P(Cli, EveryVmm, testing::Values("standalone", "baseline", "extended"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Cli, TooLittleOrTooMuchMemory) {
  for (const char* vmm : {"baseline", "extended"}) {
    for (const char* size : {"4096", "1M", "15M", "4096G"}) {
      expect_refusal(run_tool({"exec", "--on", vmm, "--memory", size, "--", "/bin/sh"}), 2, "MiB");
    }
  }
}

TEST(Standalone, PassesStatusAndStreamsThrough) {
  auto ran = run_shell("for i in 1 2 3; do echo $i | cat; done; echo err >&2; exit 7");
  EXPECT_EQ(ran.status, 7);
  EXPECT_EQ(ran.out, "1\n2\n3\n");
  EXPECT_EQ(ran.err, "err\n");
  EXPECT_EQ(run_shell("kill -9 $$").status, 137);
  EXPECT_EQ(run_shell("kill -SEGV $$").status, 139);
}

TEST(Standalone, EnvironmentIsExactlyWhatWasGiven) {
  auto ran = run_tool(
      {"exec", "--on", "standalone", "--env", "A=b", "--env", "C=", "--", "/bin/busybox", "env"});
  EXPECT_EQ(ran.out, "A=b\nC=\n");
}

TEST(Standalone, SeesOnlyItsTree) {
  Scratch scratch;
  std::ofstream(scratch / "file") << "content";
  auto ran = run_shell("ls /; cat /opt/file; cat /proc/self/comm; test -e /usr || echo none",
                       {"--add", scratch / "file:/opt/file"});
  EXPECT_THAT(ran.out, StartsWith("bin\ndev\netc\nopt\nproc\nroot\ntmp\n"));
  EXPECT_THAT(ran.out, HasSubstr("contentcat\nnone\n"));
}

TEST(Standalone, TimeoutStopsEverything) {
  auto ran = run_shell("busybox sleep 1000 & while :; do :; done", {"--timeout", "0.2"});
  EXPECT_EQ(ran.status, 124);
  EXPECT_EQ(ran.err, "typetwo: stopped after 0.2 s (--timeout)\n");
}

TEST(Standalone, MarkersAndTimesAreReported) {
  const char* script = "echo start x 10 12345 > /dev/marker; echo stop x 23456 > /dev/marker";
  auto reported = support::exec_reported("standalone", {"/bin/busybox", "sh", "-c", script});
  ASSERT_EQ(reported.run.status, 0) << reported.run.describe();
  const auto& markers = reported.outcome.markers;
  ASSERT_EQ(markers.size(), 2u);
  EXPECT_EQ(markers[0].host_ns, 12345u);
  EXPECT_EQ(markers[0].text, "start x 10 12345");
  EXPECT_EQ(markers[1].host_ns, 23456u);
  EXPECT_GT(reported.outcome.rss_bytes, 0u);
}

/// The program ignores what it can and has a child; both hold the pipe, so its end of file is
/// theirs.
class EndedBy : public testing::TestWithParam<int> {};

TEST_P(EndedBy, LeavesNothing) {
  int out[2];
  ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
  const char* script = "trap '' INT TERM HUP; busybox sleep 1000 & echo up; while :; do :; done";
  pid_t started = support::start_tool(
      {"exec", "--on", "standalone", "--", "/bin/busybox", "sh", "-c", script}, out[1]);
  close(out[1]);
  char text[8];
  ASSERT_EQ(read(out[0], text, 3), 3);
  kill(started, GetParam());
  EXPECT_EQ(read(out[0], text, sizeof text), 0);
  close(out[0]);
  int status = 0;
  waitpid(started, &status, 0);
  EXPECT_EQ(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), 128 + GetParam());
}

INSTANTIATE_TEST_SUITE_P(Standalone, EndedBy, testing::Values(SIGINT, SIGTERM, SIGHUP, SIGKILL));

}  // namespace
