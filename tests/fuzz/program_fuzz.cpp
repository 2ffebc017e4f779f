// The ELF and root-tree fuzzer: root trees full of oddities and damaged programs take the whole way
// of a boot, from the monitor's boot tree to a loaded first program. Mostly with the guest kernel
// built for the host, under the sanitizers; every 200th tree as a folder that the tool runs guests
// from. Right: the tool refuses, or the guest gives an errno. Wrong: panic, hang, or page frames
// that are lost.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "guest/exec/exec_load.h"
#include "guest/fs/root/boot_mount.h"
#include "guest/proc/process.h"
#include "guest/proc/thread.h"
#include "guest/sched/scheduler.h"
#include "guest/vfs/fs_context.h"
#include "guest/vfs/path.h"
#include "monitor/guest/boot_tree.h"
#include "monitor/tool/error.h"
#include "tests/fuzz/hosted.h"
#include "tests/fuzz/program_mutation.h"
#include "tests/support/tool.h"
#include "tests/unit/guest/fake_platform.h"

namespace {

using namespace guest;
using fuzz::below;
using fuzz::Random;
namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A small program: text, data with bss behind it, the name of a dynamic linker if any.
std::string small_program(const std::string& linker) {
  std::string file(0x2100, '\x90');
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident,
              "\x7f"
              "ELF\2\1\1",
              7);
  header.e_type = linker.empty() ? ET_EXEC : ET_DYN;
  header.e_machine = EM_X86_64;
  header.e_version = 1;
  header.e_entry = 0x401000;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = linker.empty() ? 2 : 3;
  const Elf64_Phdr programs[] = {
      {PT_LOAD, PF_R | PF_X, 0, 0x400000, 0, 0x1800, 0x1800, 0x1000},
      {PT_LOAD, PF_R | PF_W, 0x1800, 0x402800, 0, 0x900, 0x3900, 0x1000},
      {PT_INTERP, PF_R, 0x200, 0x400200, 0, linker.size() + 1, linker.size() + 1, 1}};
  std::memcpy(&file[0], &header, sizeof header);
  std::memcpy(&file[sizeof header], programs, sizeof programs);
  std::memcpy(&file[0x200], linker.c_str(), linker.size() + 1);
  return file;
}

const std::vector<std::string>& programs() {
  static const std::vector<std::string> all = {small_program(""), small_program("/bin/x"),
                                               small_program("/f1")};
  return all;
}

/// Up to what the host lets the tool have: 128 KiB each.
std::vector<std::string> words(Random& random) {
  std::vector<std::string> list(below(random, 10) ? below(random, 5) : below(random, 2000));
  for (auto& word : list) word.assign(below(random, 40), 'w');
  if (!list.empty() && below(random, 10) == 0) list.back().assign(below(random, 131'072), 'w');
  return list;
}

// -- Hosted.

constexpr std::uint32_t all_frames = 4096, tree_frame = 5;

/// Everything below goes; folders hold their parents. /proc, which is mounted, stays.
void empty(Inode& directory, int depth) {
  std::uint64_t position = 0;
  std::vector<std::string> names;
  for (;;) {
    auto entry = directory.entry(position);
    if (!entry.ok()) break;
    names.emplace_back(entry.value().name);
  }
  for (const auto& name : names) {
    if (name == "." || name == ".." || (depth == 0 && name == "proc")) continue;
    if (directory.unlink(name).ok()) continue;
    if (auto found = directory.lookup(name); found.ok()) empty(*found.value(), depth + 1);
    (void)directory.rmdir(name);
  }
}

class HostedBoot {
 public:
  explicit HostedBoot(fuzz::Run& run) : run_(run) {}

  void one_round(Random& random) {
    fuzz::TreeMaker maker(random, programs());
    const monitor::RootTree tree = maker.make();
    std::vector<std::string> arguments = words(random);
    arguments.insert(arguments.begin(), "/bin/x");
    run_.count("trees") += 1;
    run_.count("names refused") += maker.refused();
    try {
      const monitor::BootTree laid(tree, arguments, words(random));
      if (laid.frames() + tree_frame + 64 > all_frames) return;
      laid.write(memory_, tree_frame);
      boot(laid.frames());
    } catch (const monitor::HostError&) {
      ++run_.count("trees refused");
      return;
    }
    for (const auto& path : maker.paths()) {
      load(path);
      look(path + "/../" + fuzz::odd_name(random));
    }
    empty(*root_inode(), 0);
  }

 private:
  void boot(std::uint32_t frames) {
    std::memset(platform_.ram.data(), 0xa5, platform_.ram.size());
    std::memcpy(platform_.frame(tree_frame), memory_.frame(tree_frame), frames * vmi::page_size);
    const FrameRun tree{tree_frame, Frames(frames)};
    frames_init(Frames(all_frames), tree);
    argv_.clear();
    envp_.clear();
    if (!mount_boot_tree(tree, argv_, envp_).ok())
      throw std::logic_error("a tree of the monitor's was not mounted");
    if (!process_) {
      process_ = processes.create().release();
      process_->add(*Thread::create(*process_, process_->pid).release());
      scheduler.adopt(*process_->leader);
    }
    process_->fs = FsContext::create(root_inode()).release();
    ++run_.count("boots");
  }

  void load(const std::string& path) {
    ++run_.count("loads");
    const std::uint32_t before = frames_free().number;
    load_file(path);
    AddressSpace::deactivate();
    if (frames_free().number != before) throw std::logic_error("page frames are lost: " + path);
  }

  void load_file(const std::string& path) {
    ProgramStrings given(stack_limit / 4);
    const bool fits = given.push(argv_).ok() && given.push(envp_).ok() && given.push(path).ok();
    if (auto file = process_->fs->find(path); fits && file.ok()) {
      auto loaded = load_program({file.release(), path, last_part(path), given, argv_.size()},
                                 process_->leader->credentials);
      if (loaded.ok()) ++run_.count("programs loaded");
    }
  }

  void look(const std::string& path) {
    if (auto found = process_->fs->resolve(path); found.ok()) {
      (void)found.value()->stat();
      (void)found.value()->target();
    }
  }

  fuzz::Run& run_;
  monitor::GuestMemory memory_{32 << 20};
  guest_test::FakePlatform platform_{all_frames};
  Vec<String> argv_, envp_;
  Ref<Process> process_;
};

// -- In guests.

class FolderOfPrograms {
 public:
  FolderOfPrograms() {
    char name[] = "/tmp/fuzz-program-XXXXXX";
    path = mkdtemp(name);
  }
  ~FolderOfPrograms() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

/// A few damaged programs and scripts of busybox's, started by a guest's shell and as first
/// process.
void try_in_guest(fuzz::Run& run, Random& random) {
  static const std::string busybox = content_of("/bin/busybox"),
                           own = content_of(support::program("errors"));
  FolderOfPrograms root;
  fs::create_directories(root.path / "bin");
  fs::create_directories(root.path / "m");
  fs::copy_file("/bin/busybox", root.path / "bin/busybox");
  for (int i = 0; i < 8; ++i) {
    const fs::path path = root.path / "m" / fuzz::odd_name(random);
    if (fs::exists(fs::symlink_status(path))) continue;
    if (below(random, 4) == 0) {
      fs::create_symlink(fuzz::odd_name(random), path);
      continue;
    }
    std::ofstream(path) << (below(random, 4)
                                ? fuzz::damaged_elf(random, below(random, 2) ? own : busybox)
                                : fuzz::script(random, {"/bin/busybox", "/m/f1", "/m"}));
    chmod(path.c_str(), 0755);
  }
  const std::string place = below(random, 2) ? "extended" : "baseline";
  const std::vector<std::vector<std::string>> lines = {
      {"/bin/busybox", "sh", "-c",
       "for p in /m/*; do /bin/busybox timeout -s KILL 1 \"$p\" < /dev/null > /dev/null 2>&1; "
       "done; echo end"},
      {"/m/" + fs::directory_iterator(root.path / "m")->path().filename().string()}};
  for (const auto& line : lines) {
    const auto ran = support::exec(
        place, line, {"--memory", "64M", "--timeout", "20", "--root", root.path.string()});
    ++run.count("guests");
    const bool panicked =
        ran.err.find("panic") != ran.err.npos || ran.err.find("guest kernel") != ran.err.npos;
    // A first program of its own may well run for ever.
    const bool hung = !ran.in_time || (ran.status == 124 && &line == &lines[0]);
    if (panicked || hung) run.fail(place + ": " + ran.describe());
  }
}

/// What a person may give to `exec`: any words, any environment, a folder with more in it than a
/// guest of that memory may hold. A refusal must be the tool's, in words of its own.
void boot_in_guest(fuzz::Run& run, Random& random) {
  FolderOfPrograms root;
  fs::create_directories(root.path / "bin");
  fs::copy_file("/bin/busybox", root.path / "bin/busybox");
  fs::path at = root.path;
  for (std::uint64_t i = below(random, 40); i > 0; --i) {
    fs::create_directory(at /= fuzz::odd_name(random).substr(0, 90) + std::to_string(i));
  }
  const std::uint64_t files = below(random, 3) ? below(random, 50) : below(random, 5000);
  for (std::uint64_t i = 0; i < files; ++i) std::ofstream(at / std::to_string(i));
  if (below(random, 4) == 0) {  // a hole: as large as memory, or nearly
    std::ofstream(at / "large");
    fs::resize_file(at / "large", below(random, 48) << 20);
  }
  std::vector<std::string> options = {"--timeout", "30",
                                      "--root",    root.path.string(),
                                      "--memory",  std::to_string(16 + below(random, 48)) + "M"};
  for (const auto& word : words(random)) {
    options.insert(options.end(), {"--env", (below(random, 500) ? "v=" : "=") + word});
  }
  std::vector<std::string> line = {"/bin/busybox", below(random, 8) ? "echo" : ""};
  for (auto& word : words(random)) line.push_back(std::move(word));
  const auto ran = support::exec(below(random, 2) ? "extended" : "baseline", line, options);
  ++run.count("boots in guests");
  run.count("boots refused") += ran.status != 0;
  const bool panicked =
      ran.err.find("panic") != ran.err.npos || ran.err.find("guest kernel") != ran.err.npos;
  if (panicked || !ran.in_time || ran.status == 124 || (ran.status != 0 && ran.err.empty())) {
    run.fail(ran.describe().substr(0, 2000));
  }
}

}  // namespace

int main(int argc, char** argv) {
  fuzz::Run run("program", fuzz::parse(argc, argv));
  fuzz::watch_hosted(run);
  HostedBoot boot(run);
  for (; run.goes_on(); run.next_round()) {
    alarm(120);
    Random random = run.random();
    try {
      if (run.round() % 200 == 199) {
        try_in_guest(run, random);
      } else if (run.round() % 200 == 99) {
        boot_in_guest(run, random);
      } else {
        boot.one_round(random);
      }
    } catch (const std::exception& wrong) {
      run.fail(wrong.what());
      _exit(run.end());  // what it held is not to be used again
    }
  }
  _exit(run.end());  // the tree that is mounted stays for ever
}
