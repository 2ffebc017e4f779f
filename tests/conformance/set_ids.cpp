// Conformance, set-id bits: as whom a program runs that has them, when they mean nothing, and what
// takes them away.
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"

namespace {

constexpr uid_t user = 1000, owner = 2000;
constexpr gid_t team = 3000;
constexpr char folder[] = "/tmp/set-ids", program[] = "/tmp/set-ids/program",
               script[] = "/tmp/set-ids/script";

mode_t mode_of(const char* path) {
  struct stat inode = {};
  CHECK_EQ(stat(path, &inode), 0);
  return inode.st_mode & 07777;
}

void make_file(const char* path, const void* bytes, size_t size) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
  REQUIRE(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
}

/// This program, as somebody else's.
void make_program(uid_t uid, gid_t gid, mode_t mode) {
  mkdir(folder, 0755);
  const int from = open("/proc/self/exe", O_RDONLY);
  const off_t size = lseek(from, 0, SEEK_END);
  void* bytes = mmap(nullptr, (size_t)size, PROT_READ, MAP_PRIVATE, from, 0);
  REQUIRE(bytes != MAP_FAILED);
  unlink(program);
  make_file(program, bytes, (size_t)size);
  munmap(bytes, (size_t)size);
  close(from);
  REQUIRE(chown(program, uid, gid) == 0 && chmod(program, mode) == 0);
}

void remove_all() {
  unlink(program);
  unlink(script);
  rmdir(folder);
}

int become(uid_t uid) {
  return setgroups(0, nullptr) || setgid(uid) || setuid(uid);
}

struct Ids {
  uid_t real, effective, saved;
};

/// Runs it in a child, which says what it finds to be otherwise. `secure`: 0, 1 or '?'.
template <class Prepare>
void runs_as(const char* path, Ids users, Ids groups, char secure, Prepare prepare) {
  char text[6][16], last[2] = {secure, '\0'};
  const unsigned values[] = {users.real,  users.effective,  users.saved,
                             groups.real, groups.effective, groups.saved};
  for (int i = 0; i < 6; ++i) snprintf(text[i], sizeof text[i], "%u", values[i]);
  // A script gets that "--helper" by its first line.
  const char* first = path == script ? nullptr : "--helper";
  const char* arguments[] = {path,    first,   text[0], text[1], text[2],
                             text[3], text[4], text[5], last,    nullptr};
  if (!first) memmove(arguments + 1, arguments + 2, sizeof arguments - 2 * sizeof *arguments);
  CHECK_EXITED(check::in_child([&] {
                 if (int failed = prepare()) return failed;
                 execv(path, (char**)arguments);
                 return 72;
               }),
               0);
}

int as_user() {
  return become(user) ? 71 : 0;
}

}  // namespace

int helper(int argc, char** argv) {
  if (argc == 8) ++argv;  // a script's path comes first
  uid_t users[3];
  gid_t groups[3];
  getresuid(&users[0], &users[1], &users[2]);
  getresgid(&groups[0], &groups[1], &groups[2]);
  for (int i = 0; i < 3; ++i) {
    CHECK_EQ(users[i], strtoul(argv[i], nullptr, 10));
    CHECK_EQ(groups[i], strtoul(argv[3 + i], nullptr, 10));
  }
  const bool secure = argv[6][0] == '1';
  if (argv[6][0] != '?') CHECK_EQ(getauxval(AT_SECURE), secure);
  CHECK_EQ(getauxval(AT_UID), users[0]);
  CHECK_EQ(getauxval(AT_EUID), users[1]);
  CHECK_EQ(getauxval(AT_GID), groups[0]);
  CHECK_EQ(getauxval(AT_EGID), groups[1]);
  int death_signal = -1;
  prctl(PR_GET_PDEATHSIG, &death_signal);
  if (secure) {
    CHECK_EQ(death_signal, 0);
    CHECK_EQ(personality(0xffffffff), 0);
    rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    CHECK(limit.rlim_cur <= 8 << 20);
  }
  return check::failures ? 1 : 0;
}

TEST(users) {
  make_program(owner, owner, 04755);
  runs_as(program, {user, owner, owner}, {user, user, user}, '1', as_user);
  runs_as(program, {0, owner, owner}, {0, 0, 0}, '1', [] { return 0; });
  runs_as(program, {owner, owner, owner}, {owner, owner, owner}, '0',
          [] { return become(owner) ? 71 : 0; });
  make_program(0, 0, 04755);
  runs_as(program, {user, 0, 0}, {user, user, user}, '1', as_user);
  make_program(owner, owner, 04711);  // nobody else need be able to read it
  runs_as(program, {user, owner, owner}, {user, user, user}, '1', as_user);
  remove_all();
}

TEST(groups) {
  make_program(owner, team, 02755);
  runs_as(program, {user, user, user}, {user, team, team}, '1', as_user);
  make_program(owner, team, 06755);
  runs_as(program, {user, owner, owner}, {user, team, team}, '1', as_user);
  make_program(owner, team, 02745);  // that means something else
  runs_as(program, {user, user, user}, {user, user, user}, '0', as_user);
  remove_all();
}

TEST(without_them_the_saved_ids_are_the_effective_ones) {
  make_program(owner, team, 0755);
  runs_as(program, {0, user, user}, {0, user, user}, '1',
          [] { return setresgid(0, user, team) || setresuid(0, user, owner) ? 71 : 0; });
  remove_all();
}

TEST(a_user_prepares_nothing) {
  make_program(owner, owner, 04755);
  runs_as(program, {user, owner, owner}, {user, user, user}, '1', [] {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    personality(ADDR_NO_RANDOMIZE);
    rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = 32 << 20;
    if (setrlimit(RLIMIT_STACK, &limit)) return 73;
    const int failed = as_user();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return failed;
  });
  remove_all();
}

TEST(no_new_privileges) {
  make_program(owner, team, 06755);
  runs_as(program, {user, user, user}, {user, user, user}, '0',
          [] { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? 73 : as_user(); });
  CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
  CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
  CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0), EINVAL);
  CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
  CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 1), EINVAL);
  CHECK_ERRNO(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), EINVAL);
  CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
  CHECK_EXITED(check::in_child([] { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); }), 1);
  remove_all();
}

TEST(scripts) {
  make_program(owner, owner, 0755);
  const char line[] = "#!/tmp/set-ids/program --helper\n";
  make_file(script, line, sizeof line - 1);
  REQUIRE(chown(script, owner, owner) == 0 && chmod(script, 06755) == 0);
  runs_as(script, {user, user, user}, {user, user, user}, '0', as_user);
  make_program(owner, owner, 04755);  // the interpreter's count
  runs_as(script, {user, owner, owner}, {user, user, user}, '1', as_user);
  remove_all();
}

TEST(who_shares_his_root_gains_nothing) {
  make_program(owner, owner, 04755);
  static char stack[16384];
  static volatile int ready;
  runs_as(program, {user, user, user}, {user, user, user}, '?', [] {
    if (as_user()) return 71;
    auto other = [](void*) -> int {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      ready = 1;
      for (;;) pause();
    };
    if (clone(other, stack + sizeof stack, CLONE_FS | CLONE_VM, nullptr) < 0) return 74;
    while (!ready) usleep(1000);
    return 0;
  });
  remove_all();
}

// -- What takes them away.

template <class Change>
void loses(mode_t before, mode_t after, bool by_root, Change change) {
  make_program(user, user, before);
  CHECK_EXITED(check::in_child([&] {
                 if (!by_root && become(user)) return 71;
                 change();
                 return 0;
               }),
               0);
  CHECK_EQ(mode_of(program), after);
  remove_all();
}

TEST(writing_takes_them) {
  auto write_one = [] { CHECK_EQ(pwrite(open(program, O_WRONLY), "x", 1, 0), 1); };
  loses(06755, 0755, false, write_one);
  loses(04755, 0755, false, write_one);
  loses(06745, 02745, false, write_one);  // not a program's
  loses(06755, 06755, true, write_one);
  loses(01755, 01755, false, write_one);
  loses(06755, 06755, false, [] {
    const int fd = open(program, O_RDWR);
    CHECK_EQ(write(fd, "", 0), 0);
    char byte;
    CHECK_EQ(read(fd, &byte, 1), 1);
  });
  loses(06755, 0755, false, [] {
    iovec part = {(void*)"x", 1};
    CHECK_EQ(writev(open(program, O_WRONLY), &part, 1), 1);
  });
  loses(06755, 0755, false, [] { CHECK_EQ(truncate(program, 10), 0); });
  loses(06755, 0755, false, [] { CHECK_EQ(ftruncate(open(program, O_WRONLY), 10), 0); });
  loses(06755, 0755, false, [] { CHECK(open(program, O_WRONLY | O_TRUNC) >= 0); });
  loses(06755, 06755, true, [] { CHECK_EQ(truncate(program, 10), 0); });
  loses(06755, 0755, false, [] {
    const int from = open("/proc/self/exe", O_RDONLY), to = open(program, O_WRONLY);
    CHECK_EQ(sendfile(to, from, nullptr, 10), 10);
  });
}

TEST(a_new_owner_takes_them) {
  auto give_away = [] { CHECK_EQ(chown(program, owner, -1), 0); };
  loses(06755, 0755, true, give_away);
  loses(06745, 02745, true, give_away);
  loses(06755, 0755, true, [] { CHECK_EQ(chown(program, -1, -1), 0); });
  loses(06755, 0755, false, [] { CHECK_EQ(chown(program, -1, user), 0); });
  loses(06755, 06755, true, [] { CHECK_EQ(chmod(program, 06755), 0); });
  loses(06755, 06755, false, [] { CHECK_EQ(chmod(program, 06755), 0); });
  mkdir(folder, 0755);
  REQUIRE(chmod(folder, 06755) == 0 && chown(folder, owner, team) == 0);
  CHECK_EQ(mode_of(folder), 06755);
  remove_all();
}

TEST(nobody_makes_a_program_of_another_group) {
  mkdir(folder, 0755);
  REQUIRE(chown(folder, 0, team) == 0 && chmod(folder, 02777) == 0);
  umask(0);
  CHECK_EXITED(check::in_child([] {
                 if (become(user)) return 71;
                 CHECK(open(program, O_CREAT | O_WRONLY, 02755) >= 0);
                 CHECK_EQ(mode_of(program), 0755);
                 CHECK(open(script, O_CREAT | O_WRONLY, 02745) >= 0);
                 CHECK_EQ(mode_of(script), 02745);
                 return 0;
               }),
               0);
  remove_all();
}
