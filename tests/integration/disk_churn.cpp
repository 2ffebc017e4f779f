// A guest program for disk_churn_test.cpp, static: everything that makes, names, moves, changes and
// removes files, in an order that its first word (a seed) decides, as many times as its second
// says, below the working directory. Most calls fail, as most paths lead nowhere or are taken; it
// is for e2fsck to say whether those that do not were done well. Says how often each kind
// succeeded.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static unsigned long state;

static unsigned long draw(unsigned long below) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (state >> 33) % below;
}

/// Of few names, so that paths meet; some as long as names can be.
static void put_name(char* path) {
  const unsigned long which = draw(14);
  if (which < 12) {
    sprintf(path + strlen(path), "n%lu", which);
    return;
  }
  char* end = path + strlen(path);
  memset(end, (char)('A' + which), which == 12 ? 255 : 200);
  end[which == 12 ? 255 : 200] = '\0';
}

/// One to three names, of which those before the last are mostly directories' by chance.
static const char* some_path() {
  static char paths[4][1024];
  static unsigned next;
  char* path = paths[next++ % 4];
  path[0] = '\0';
  for (unsigned long depth = draw(3); depth; --depth) {
    sprintf(path + strlen(path), "n%lu", draw(4));
    strcat(path, "/");
  }
  put_name(path);
  return path;
}

/// Small mostly, at the ends of blocks and pages often, and now and then where tables are deep.
static off_t some_offset() {
  switch (draw(12)) {
    case 0:
      return (off_t)(draw(1 << 20) << draw(20));
    case 1:
    case 2:
      return (off_t)(1024 * draw(300) + draw(3)) - 1 < 0 ? 0 : (off_t)(1024 * draw(300) + draw(3));
    case 3:
      return (off_t)draw(1 << 22);
    default:
      return (off_t)draw(20000);
  }
}

static constexpr int most_open = 8;
static int files[most_open];
static char bytes[60000];

static int& some_file() {
  return files[draw(most_open)];
}

static bool open_one() {
  static const int flags[] = {O_CREAT, O_CREAT | O_EXCL, O_CREAT | O_TRUNC, O_APPEND, 0};
  // Nobody reads what goes into a FIFO.
  int fd = open(some_path(), O_RDWR | O_NONBLOCK | flags[draw(5)], draw(010000));
  if (fd < 0) return false;
  int& place = some_file();
  if (place >= 0) close(place);
  place = fd;
  return true;
}

static bool write_some() {
  const size_t count = draw(4) ? 1 + draw(5000) : 1 + draw(sizeof bytes - 1);
  switch (draw(3)) {
    case 0:
      return write(some_file(), bytes, count) > 0;
    case 1: {
      // The second part cannot be read, so that the call stops in the middle.
      iovec parts[] = {{bytes, count}, {(void*)16, 100}};
      return pwritev(some_file(), parts, 2, some_offset()) > 0;
    }
    default:
      return pwrite(some_file(), bytes, count, some_offset()) > 0;
  }
}

/// Writes through a mapping, and cuts off what is mapped, or part of it.
static bool map_some() {
  int fd = some_file();
  struct stat facts;
  if (fd < 0 || fstat(fd, &facts) != 0 || facts.st_size == 0) return false;
  constexpr off_t page = 4096;
  const off_t first = (off_t)draw((unsigned long)((facts.st_size + page - 1) / page)) * page;
  char* p = (char*)mmap(nullptr, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, first);
  if (p == MAP_FAILED) return false;
  for (off_t at = 0; at < 4 * page && first + at < facts.st_size; at += page) p[at] = 'm';
  if (draw(2)) (void)!ftruncate(fd, first + (off_t)draw(2 * page));
  if (draw(4) == 0) (void)!ftruncate(fd, facts.st_size);
  if (draw(3) == 0) msync(p, 4 * page, MS_SYNC);
  munmap(p, 4 * page);
  return true;
}

static bool make_node() {
  return syscall(SYS_mknod, some_path(), draw(16) << 12 | draw(010000),
                 draw(2) ? 0x700 + draw(256) : draw(1ul << 32)) == 0;  // no device of ours
}

static bool make_symlink() {
  char target[4200];
  const size_t length = draw(3) == 0 ? draw(sizeof target) : draw(140);
  memset(target, 't', sizeof target);
  target[length < sizeof target ? length : sizeof target - 1] = '\0';
  return symlink(target, some_path()) == 0;
}

static bool rename_some() {
  return syscall(SYS_renameat2, AT_FDCWD, some_path(), AT_FDCWD, some_path(), draw(3) == 0) == 0;
}

static bool change_attributes() {
  const char* path = some_path();
  const timespec times[] = {{(time_t)draw(1ul << 34) - (1l << 32), (long)draw(1'000'000'000)},
                            {(time_t)draw(1ul << 31), UTIME_NOW}};
  switch (draw(3)) {
    case 0:
      return chmod(path, (mode_t)draw(1 << 16)) == 0;
    case 1:
      return lchown(path, (uid_t)draw(1ul << 32), (gid_t)draw(1ul << 32)) == 0;
    default:
      return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0;
  }
}

struct Kind {
  const char* name;
  bool (*act)();
  unsigned weight;
  unsigned long succeeded;
};

static Kind kinds[] = {
    {"open", open_one, 12, 0},
    {"write", write_some, 12, 0},
    {"map", map_some, 3, 0},
    {"mkdir", [] { return mkdir(some_path(), (mode_t)draw(1 << 16)) == 0; }, 8, 0},
    {"mknod", make_node, 4, 0},
    {"symlink", make_symlink, 4, 0},
    {"link", [] { return linkat(AT_FDCWD, some_path(), AT_FDCWD, some_path(), 0) == 0; }, 10, 0},
    {"rename", rename_some, 12, 0},
    {"unlink", [] { return unlink(some_path()) == 0; }, 6, 0},
    {"rmdir", [] { return rmdir(some_path()) == 0; }, 6, 0},
    {"truncate", [] { return truncate(some_path(), some_offset()) == 0; }, 4, 0},
    {"ftruncate", [] { return ftruncate(some_file(), some_offset()) == 0; }, 6, 0},
    {"fallocate",
     [] {
       return syscall(SYS_fallocate, some_file(), draw(2), some_offset(), 1 + draw(9999)) == 0;
     },
     3, 0},
    {"attributes", change_attributes, 5, 0},
    {"fsync", [] { return fsync(some_file()) == 0; }, 1, 0},
};

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  state = strtoul(argv[1], nullptr, 0);
  memset(bytes, 'w', sizeof bytes);
  memset(files, -1, sizeof files);
  unsigned weights = 0;
  for (const Kind& kind : kinds) weights += kind.weight;
  for (unsigned long step = strtoul(argv[2], nullptr, 0); step; --step) {
    unsigned long drawn = draw(weights);
    for (Kind& kind : kinds) {
      if (drawn < kind.weight) {
        kind.succeeded += kind.act();
        break;
      }
      drawn -= kind.weight;
    }
  }
  for (const Kind& kind : kinds) printf("%s %lu\n", kind.name, kind.succeeded);
  return 0;  // with files open, of which some have no name any more
}
