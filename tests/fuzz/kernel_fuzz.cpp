// fuzz-kernel: random system calls, faults and interrupts of several processes against the guest
// kernel built for the host, under the address and undefined-behaviour sanitizers, while host
// calls, allocations and disk requests fail. After each of them what must always hold is checked
// (invariants.h); after a round everything is ended and removed, and all page frames and kernel
// objects must be back. A round is a process of its own, since a kernel boots once; what it does
// depends on its seed alone. With FUZZ_TALK in the environment each call is printed before.
#include <fcntl.h>
#include <fmt/format.h>
#include <sanitizer/lsan_interface.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "guest/fs/root/boot_mount.h"
#include "guest/mm/frames.h"
#include "guest/proc/lifecycle.h"
#include "guest/proc/process.h"
#include "guest/vfs/path.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/hosted_machine.h"
#include "tests/fuzz/image.h"
#include "tests/fuzz/system_calls.h"
#include "tests/fuzz/tallies.h"
#include "tests/unit/guest/invariants.h"

namespace {

using fuzz::Call, fuzz::Choices, fuzz::HostedMachine, fuzz::Tallies;
using guest::Process;

constexpr int turns_a_round = 3000;
constexpr std::uint32_t most_processes = 7;
constexpr std::uint64_t handler = HostedMachine::text + 0x200, restorer = handler + 0x40;
constexpr std::uint64_t call_site = HostedMachine::text + 0x100;
constexpr std::uint64_t system_call_bytes = 2;

class Fuzzer final : public fuzz::Surroundings {
 public:
  Fuzzer(HostedMachine& machine, Choices& choices, Tallies& tallies)
      : disk_is_judged(!machine.disk.empty() && choices.one_in(2)),
        machine(machine),
        c(choices),
        tallies(tallies) {
    Surroundings::handler = ::handler;
    Surroundings::restorer = ::restorer;
    machine.on_deadlock = [this] { end_all(); };
  }

  void run();
  /// The first process ends, and the machine with it: what is on the disk is all there is.
  void shut_down();
  /// What is on the disk in the end must be right, so neither it nor the heap fails: without memory
  /// to note that an inode is free, it stays taken.
  const bool disk_is_judged;

  void store(std::uint64_t address, const void* bytes, std::size_t count) override {
    for (std::size_t i = 0; i < count; ++i) {
      std::uint8_t* byte = accessible(address + i);
      if (!byte) return;
      *byte = static_cast<const std::uint8_t*>(bytes)[i];
    }
  }
  std::uint64_t some_pid(Choices& choices) override {
    const auto self = static_cast<std::uint64_t>(guest::current_process().pid);
    return choices.one_in(3) ? 0 : choices.one_in(3) ? self : 3 + choices.below(self + 2);
  }

 private:
  /// To be written by a program, if need be after a fault.
  std::uint8_t* accessible(std::uint64_t va) {
    for (int tries = 0; tries < 4; ++tries) {
      if (std::uint8_t* byte = machine.platform.user(va, true)) return byte;
      auto* space = guest::AddressSpace::current();
      if (!space->fault(va, vmi::fault_user | vmi::fault_write).ok()) break;
    }
    return nullptr;
  }
  void turn();
  void first_process_turn();
  void worker_turn();
  bool set_up();
  void make(Call call);
  void random_call();
  void touch();
  void another_thread();
  void enter(vmi::Upcall kind);
  void fail_something();
  void end_all();
  void check();
  void count_result();
  void quiesce(const std::set<std::string>& dev);
  void remove_all(guest::Inode& directory, const std::set<std::string>& keep);
  /// A path's place in user memory.
  std::uint64_t text_at(const char* text) {
    store(fuzz::arena, text, std::strlen(text) + 1);
    return fuzz::arena;
  }

  HostedMachine& machine;
  Choices& c;
  Tallies& tallies;
  int turns_left = 0;
  bool may_fail = false;
  std::map<const vmi::TrapFrame*, std::uint64_t> calls_under_way;
  std::map<int, int> set_up_to;  // by pid: how far its set-up is
};

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

void Fuzzer::enter(vmi::Upcall kind) {
  if (kind == vmi::Upcall::syscall)
    calls_under_way[&machine.frame()] = machine.frame().syscall_number;
  ++(kind == vmi::Upcall::syscall ? tallies.calls : tallies.upcalls);
  machine.enter(kind);
  if (machine.end().starts_with("panic")) fail(machine.end());
  count_result();
}

void Fuzzer::count_result() {
  if (!machine.end().empty() || !calls_under_way.erase(&machine.frame())) return;
  tallies.count(static_cast<std::int64_t>(machine.frame().rax));
}

void Fuzzer::make(Call call) {
  // Its end would be the machine's. And a handful of processes is enough.
  for (auto& argument : call.arguments)
    if ((call.number == 62 || call.number == 129 || call.number == 200 || call.number == 234) &&
        fuzz::reaches_first(static_cast<int>(argument)))
      argument = fuzz::first_pid + 1;
  const bool clones =
      call.number == 56 || call.number == SYS_fork || call.number == 58 || call.number == 435;
  if (clones && guest::processes.count() >= most_processes) return;
  auto& frame = machine.frame();
  frame.syscall_number = frame.rax = call.number;
  auto [rdi, rsi, rdx, r10, r8, r9] = call.arguments;
  frame.rdi = rdi, frame.rsi = rsi, frame.rdx = rdx, frame.r10 = r10, frame.r8 = r8, frame.r9 = r9;
  frame.rip = call_site + system_call_bytes;
  if (c.one_in(6)) frame.rsp = guest::stack_top - vmi::page_size;
  if (c.one_in(60)) frame.rsp = fuzz::hostile_number(c);
  if (std::getenv("FUZZ_TALK"))
    std::fprintf(stderr, "[%d] call %lu (%#lx, %#lx, %#lx, %#lx, %#lx, %#lx)\n",
                 guest::current_process().pid, call.number, rdi, rsi, rdx, r10, r8, r9);
  enter(vmi::Upcall::syscall);
}

void Fuzzer::random_call() {
  Call call = fuzz::random_call(c, *this);
  if (call.number == 59 && c.one_in(2)) call.arguments[0] = text_at("/bin/p");
  make(call);
}

/// What clone() would make, did it not refuse CLONE_THREAD.
void Fuzzer::another_thread() {
  constexpr std::uint32_t most_threads = 4;
  Process& process = guest::current_process();
  if (process.living >= most_threads) return;
  guest::CloneRequest request;
  request.flags = guest::clone_child_cleartid;
  request.child_tid = fuzz::arena + 8 * c.below(64);
  if (auto made = guest::make_thread(request); made.ok()) ++tallies.threads;
}

/// An access as a program makes it; what faults is served, or is its end.
void Fuzzer::touch() {
  std::uint64_t va = c.one_in(2) ? fuzz::churn + c.below(fuzz::churn_pages / 8 * vmi::page_size)
                                 : fuzz::arena + c.below(fuzz::arena_pages * vmi::page_size);
  if (c.one_in(40)) va = fuzz::hostile_number(c);
  const auto* space = guest::AddressSpace::current();
  if (!space->regions().find(va) && !c.one_in(20)) return;
  const bool write = c.one_in(2);
  if (std::uint8_t* byte = machine.platform.user(va, write)) {
    if (write) *byte = static_cast<std::uint8_t>(c.next());
    return;
  }
  machine.frame().fault_address = va;
  machine.frame().error_code = vmi::fault_user | (write ? vmi::fault_write : 0);
  enter(vmi::Upcall::page_fault);
}

/// A child's first calls, each when its turn comes.
bool Fuzzer::set_up() {
  int& step = set_up_to[guest::current_process().pid];
  constexpr std::uint64_t part = fuzz::churn_pages / 16 * vmi::page_size;
  constexpr std::uint64_t fixed = 0x10, anonymous = 0x20, shared = 1, own = 2, here = fuzz::churn;
  constexpr std::uint64_t at = fuzz::arena;
  const Call calls[] = {
      {SYS_mmap,
       {fuzz::arena, fuzz::arena_pages * vmi::page_size, 3, own | fixed | anonymous, ~0ull}},
      {SYS_setsid, {}},
      {SYS_mkdir, {at, 0777}},
      {SYS_chdir, {at}},
      {SYS_open, {at, 2}},
      {SYS_open, {at, 0102, 0755}},
      {SYS_open, {at, 0102, 0644}},
      {SYS_pipe, {at}},
      {SYS_mmap, {here, part, 3, own | fixed, 4}},
      {SYS_mmap, {here + part, part, 3, shared | fixed, 4}},
      {SYS_mmap, {here + 2 * part, part, 3, own | fixed | anonymous, ~0ull}},
      {SYS_mmap, {here + 3 * part, part, 3, shared | fixed | anonymous, ~0ull}},
  };
  constexpr const char* texts[] = {"", "", "/fuzz/w", "/fuzz/w", "/dev/zero", "a", "b"};
  if (step == static_cast<int>(std::size(calls))) return false;
  if (step < static_cast<int>(std::size(texts))) text_at(texts[step]);
  make(calls[step++]);
  return true;
}

void Fuzzer::worker_turn() {
  auto& frame = machine.frame();
  if (frame.rip == ::handler && !c.one_in(4)) {
    frame.rsp += 8;  // as its `ret` would
    return make({SYS_rt_sigreturn, {}});
  }
  if (frame.rip == call_site && !c.one_in(4)) {  // an interrupted call, to be made again
    frame.rip += system_call_bytes;
    return enter(vmi::Upcall::syscall);
  }
  if (c.one_in(80) || set_up_to.find(guest::current_process().pid) == set_up_to.end())
    set_up_to[guest::current_process().pid] = 0;
  if (set_up()) return;
  if (c.one_in(6)) return touch();
  if (c.one_in(100)) return enter(vmi::Upcall::interrupt);
  if (c.one_in(100)) return another_thread();
  if (c.one_in(100)) return enter(vmi::Upcall::int80);
  if (c.one_in(100)) {
    frame.fault_address = c.one_in(2) ? HostedMachine::text : fuzz::churn;
    return enter(vmi::Upcall::own_text);
  }
  if (c.one_in(300)) {
    constexpr std::uint32_t vectors[] = {0, 1, 3, 6, 13, 16, 17, 18, 19};
    frame.vector = c.of(vectors);
    return enter(vmi::Upcall::exception);
  }
  random_call();
}

void Fuzzer::first_process_turn() {
  if (turns_left > 0 && (guest::processes.count() < 4 || c.one_in(3))) return make({SYS_fork, {}});
  make({SYS_wait4, {~0ull}});
}

void Fuzzer::fail_something() {
  auto& platform = machine.platform;
  platform.mapping_calls_left = platform.heap_allocations_left = machine.disk_requests_left = -1;
  if (!may_fail || !c.one_in(12)) return;
  ++tallies.failures;
  switch (c.below(disk_is_judged ? 1 : 3)) {
    case 0: {
      using guest_test::Applied;
      constexpr Applied ways[] = {Applied::nothing, Applied::half, Applied::all, Applied::old_gone};
      platform.mapping_calls_left = static_cast<int>(c.below(6));
      platform.failure_lasts = c.one_in(2);
      platform.applied = c.of(ways);
      return;
    }
    case 1:
      platform.heap_allocations_left = static_cast<int>(c.below(12));
      return;
    default:
      machine.disk_requests_left = static_cast<int>(c.below(8));
  }
}

void Fuzzer::check() {
  const std::string broken = guest_test::Invariants::broken(machine.spaces());
  if (!broken.empty()) fail("broken: " + broken);
}

void Fuzzer::turn() {
  ++tallies.turns;
  machine.platform.calls.clear();
  machine.platform.offered_text.clear();
  machine.advance(c.below(300'000));
  fail_something();
  if (guest::current_process().pid == fuzz::first_pid)
    first_process_turn();
  else
    worker_turn();
  if (machine.end().empty()) check();
}

/// From outside, as the host's user would: everybody but the first.
void Fuzzer::end_all() {
  ++tallies.ends;
  for (Process& process : guest::processes.all())
    if (process.pid > fuzz::first_pid) (void)guest::send_signal(process, guest::sig_kill);
}

void Fuzzer::remove_all(guest::Inode& directory, const std::set<std::string>& keep) {
  std::vector<std::string> names;
  std::uint64_t position = 0;
  for (;;) {
    auto entry = directory.entry(position);
    if (!entry.ok()) break;
    names.emplace_back(entry.value().name);
  }
  for (const std::string& name : names) {
    if (name == "." || name == ".." || keep.count(name) || directory.unlink(name).ok()) continue;
    auto inner = directory.lookup(name);
    if (inner.ok()) remove_all(*inner.value(), {});
    (void)directory.rmdir(name);
  }
}

/// Only the first process is left, and no files but `dev`'s and those that never change.
void Fuzzer::quiesce(const std::set<std::string>& dev) {
  turns_left = 0;
  may_fail = false;
  for (int tries = 0; guest::processes.count() > 2; ++tries) {
    if (tries > 2000) fail("a process survives SIGKILL");
    end_all();
    turn();
  }
  if (disk_is_judged) return;  // with all that was made
  const std::set<std::string> top = {"bin", "dev", "tmp", "proc", "fuzz", "lost+found"};
  const std::set<std::string> none;
  auto root = guest::root_inode();
  for (const char* name : {"fuzz", "tmp", "dev"}) {
    auto found = root->lookup(name);
    if (found.ok()) remove_all(*found.value(), name == std::string("dev") ? dev : none);
  }
  remove_all(*root, top);
}

void Fuzzer::run() {
  // Once without trouble, so that what stays for good is there.
  turns_left = 1;
  while (guest::current_process().pid == fuzz::first_pid) turn();
  while (guest::current_process().pid != fuzz::first_pid && set_up()) {
  }
  quiesce({"null", "zero", "full", "random"});
  const std::uint32_t frames = guest::frames_free().number;

  may_fail = true;
  for (turns_left = turns_a_round; turns_left > 0 && machine.end().empty(); --turns_left) turn();
  if (!machine.end().empty()) fail("the machine has ended: " + machine.end());
  quiesce({});
  if (machine.disk.empty() && guest::frames_free().number < frames)
    fail(fmt::format("{} frames are lost", frames - guest::frames_free().number));
  if (__lsan_do_recoverable_leak_check()) fail("objects are lost");
}

void Fuzzer::shut_down() {
  while (machine.end().empty()) make({SYS_exit_group, {}});
  if (machine.end() != "shutdown") fail(machine.end());
}

[[noreturn]] void round(std::uint64_t seed, Tallies& tallies, const fuzz::Image& image) {
  signal(SIGALRM, [](int) {
    std::fprintf(stderr, "the kernel does not come back\n");
    std::abort();
  });
  Choices choices(seed);
  HostedMachine machine(2048 + static_cast<std::uint32_t>(choices.below(3)) * 64);
  machine.platform.pool = choices.one_in(2);
  if (choices.one_in(3)) machine.disk = image.bytes;
  machine.boot();
  if (!machine.end().empty()) fail("boot: " + machine.end());
  Fuzzer fuzzer(machine, choices, tallies);
  fuzzer.run();
  fuzzer.shut_down();
  if (fuzzer.disk_is_judged && !image.sound(machine.disk)) fail("e2fsck finds damage");
  _exit(0);
}

/// In a child; what it printed is what happened.
void start_round(fuzz::Run& run, Tallies& tallies, const fuzz::Image& image) {
  const std::uint64_t seed = run.random()();
  const pid_t child = fork();
  if (child == 0) {
    alarm(120);
    round(seed, tallies, image);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) run.fail(fmt::format("it ended with status {:#x}", status));
}

}  // namespace

int main(int argc, char** argv) {
  const fuzz::Options options = fuzz::parse(argc, argv);
  fuzz::Run run("kernel", options);
  auto* tallies = static_cast<Tallies*>(
      mmap(nullptr, sizeof(Tallies), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const fuzz::Image image(HostedMachine::program());
  for (; run.goes_on(); run.next_round()) start_round(run, *tallies, image);
  tallies->report(run);
  return run.end();
}
