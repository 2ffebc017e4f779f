// Conformance, the end of a file that moves: what is behind it reads as zeros whenever it comes
// into view, and is mapped no more. All files lie in the working directory, so that the same
// program tries every file system.
#include "truncation.h"

#include <sys/sendfile.h>
#include <sys/sysinfo.h>

// -- One process: a file and a model of it.

static constexpr size_t most = 6 * page;
static unsigned long random_state;

static size_t draw(size_t below) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (random_state >> 33) % below;
}

/// Sizes and offsets that matter: at, just before and just behind a page's boundary, or anywhere.
static size_t draw_offset() {
  size_t boundary = draw(most / page) * page;
  switch (draw(4)) {
    case 0:
      return boundary;
    case 1:
      return boundary + 1 + draw(100);
    case 2:
      return boundary + page - 1 - draw(100);
    default:
      return draw(most);
  }
}

struct Model {
  int fd;
  char *shared, *writable;  // mapped since before anything happened
  char bytes[most];
  size_t size;

  void move_end(size_t to) {
    if (to < size) memset(bytes + to, 0, size - to);
    size = to;
  }
};

static void act(Model& m) {
  size_t at = draw_offset();
  switch (draw(6)) {
    case 0:
    case 1:
      REQUIRE(ftruncate(m.fd, (off_t)at) == 0);
      return m.move_end(at);
    case 2:
      if (at == 0 || posix_fallocate(m.fd, 0, (off_t)at) != 0) return;
      return m.move_end(at > m.size ? at : m.size);
    case 3:
      if (at >= m.size) return;
      m.bytes[at] = m.writable[at] = (char)('A' + draw(26));
      return;
    default: {
      char text[2 * page];
      size_t length = draw(2) ? 1 + draw(200) : 1 + draw(sizeof text);
      if (length > most - at) length = most - at;
      memset(text, 'a' + (int)draw(26), length);
      REQUIRE(pwrite(m.fd, text, length, (off_t)at) == (ssize_t)length);
      if (at + length > m.size) m.size = at + length;
      memcpy(m.bytes + at, text, length);
    }
  }
}

/// Every way to look at the file shows what the model holds.
static bool agrees(Model& m) {
  static char text[most + 1];
  const size_t in_pages = (m.size + page - 1) / page * page;
  bool good = pread(m.fd, text, sizeof text, 0) == (ssize_t)m.size;
  good = good && memcmp(text, m.bytes, m.size) == 0;
  // A page at a time: a mapping may be older than the page that is there now.
  for (size_t at = 0; good && at < in_pages; at += page)
    good = memcmp(m.shared + at, m.bytes + at, page) == 0 &&
           memcmp(m.writable + at, m.bytes + at, page) == 0;
  for (int flags : {MAP_SHARED, MAP_PRIVATE}) {
    if (in_pages == 0) break;
    char* fresh = map_file(m.fd, in_pages, PROT_READ, flags);
    good = good && memcmp(fresh, m.bytes, in_pages) == 0;
    munmap(fresh, in_pages);
  }
  return good;
}

TEST(every_view_of_a_file_agrees) {
  for (int round = 0; round < 12; ++round) {
    random_state = (unsigned long)round + 1;
    static Model m;
    m = Model{make_file(0), nullptr, nullptr, {}, 0};
    m.shared = map_file(m.fd, most, PROT_READ);
    m.writable = map_file(m.fd, most);
    for (int step = 0; step < 60; ++step) {
      act(m);
      // Not each time: what nobody looks at may stay undone until somebody does.
      if (draw(2) && !CHECK(agrees(m))) {
        check::say("  in round %d, step %d\n", round, step);
        return;
      }
    }
    for (size_t at = 0; at < most; at += page)
      if (at >= m.size) CHECK(is_gone(m.shared + at) && is_gone(m.writable + at));
    munmap(m.shared, most);
    munmap(m.writable, most);
    close(m.fd);
  }
}

/// Bytes of an ended process are in most free frames.
static void litter_memory() {
  CHECK_EXITED(check::in_child([] {
                 struct sysinfo memory;
                 sysinfo(&memory);
                 size_t bytes = memory.freeram * memory.mem_unit / 8 * 7;
                 if (bytes > 64 << 20) bytes = 64 << 20;
                 char* p = (char*)mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                 if (p != MAP_FAILED) memset(p, 'S', bytes);
                 return 0;
               }),
               0);
}

static bool all_zero(const char* from, const char* to) {
  while (from < to && *from == 0) ++from;
  return from == to;
}

TEST(nobody_elses_bytes_behind_the_end) {
  litter_memory();
  for (int round = 0; round < 240; ++round) {
    static const size_t sizes[] = {100, page, 3 * page, 5 * page + 7};
    static const size_t growths[] = {1, 100, page - 1, page, page + 1, 3 * page + 50};
    const size_t written = sizes[round % 4], more = growths[round / 4 % 6];
    int fd = make_file(0);  // and kept, so that each has frames of its own
    char text[page];
    memset(text, 'x', page);
    for (size_t done = 0; done < written; done += page)  // little by little: room is set aside
      REQUIRE(write(fd, text, written - done < page ? written - done : page) > 0);
    const size_t size = written + more, mapped = (size + page - 1) / page * page;
    REQUIRE(ftruncate(fd, (off_t)size) == 0);
    char* p = map_file(fd, mapped, PROT_READ);
    CHECK(all_zero(p + written, p + mapped));
    CHECK_EQ(p[written - 1], 'x');
    munmap(p, mapped);
  }
}

TEST(growing_shows_zeros_to_every_reader) {
  for (int way = 0; way < 3; ++way) {
    int fd = make_file(0), copy = make_file(0);
    REQUIRE(write(fd, "header", 6) == 6);
    if (way == 0) CHECK_EQ(ftruncate(fd, page), 0);
    if (way == 1) CHECK_EQ(posix_fallocate(fd, 0, page), 0);
    if (way == 2) CHECK_EQ(pwrite(fd, "", 1, page - 1), 1);
    char* p = map_file(fd, page);
    CHECK(memcmp(p, "header\0\0", 8) == 0);
    CHECK(all_zero(p + 6, p + page));
    char text[page] = {1};
    CHECK_EQ(pread(fd, text, page, 0), page);
    CHECK(memcmp(text, p, page) == 0);
    off_t from = 0;
    CHECK_EQ(sendfile(copy, fd, &from, page), page);
    CHECK_EQ(pread(copy, text, page, 0), page);
    CHECK(memcmp(text, p, page) == 0);
  }
}

TEST(what_was_cut_off_is_mapped_no_more) {
  for (int flags : {MAP_SHARED, MAP_PRIVATE}) {
    int fd = make_file(4 * page);
    char* p = map_file(fd, 4 * page, PROT_READ | PROT_WRITE, flags);
    for (size_t i = 0; i < 4; ++i) p[i * page] = (char)('0' + i);
    CHECK_EQ(ftruncate(fd, page + 10), 0);
    CHECK_EQ(p[0], '0');
    CHECK_EQ(p[page], '1');
    CHECK(is_gone(p + 2 * page));
    CHECK(is_gone(p + 3 * page + 5));
    CHECK_EQ(signal_of(p + 2 * page, true), SIGBUS);
    CHECK_ERRNO(pread(fd, p + 2 * page, 10, 0), EFAULT);
    CHECK_EQ(ftruncate(fd, 3 * page), 0);
    CHECK_EQ(p[page], '1');
    CHECK_EQ(p[2 * page], 0);  // what was there is gone, a process's own copy as well
    CHECK(is_gone(p + 3 * page));
    p[2 * page + 1] = 'n';
    CHECK_EQ(byte_at(fd, 2 * page + 1), flags == MAP_SHARED ? 'n' : 0);
    CHECK_EQ(pwrite(fd, "w", 1, 2 * page + 2), 1);
    if (flags == MAP_SHARED) CHECK_EQ(p[2 * page + 2], 'w');
    CHECK_EQ(munmap(p, 4 * page), 0);
  }
}

TEST(the_last_page_is_cleared_under_its_mapping) {
  int fd = make_file(2 * page);
  char* p = map_file(fd, 2 * page);
  char* q = map_file(fd, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  CHECK_EQ(q[page], 'b');
  q[1] = 'P';  // its own copy: that one stays as it is
  CHECK_EQ(ftruncate(fd, 5), 0);
  CHECK_EQ(p[4], 'a');
  CHECK(all_zero(p + 5, p + page));
  CHECK_EQ(q[1], 'P');
  CHECK_EQ(q[100], 'a');
  CHECK(is_gone(q + page));
  CHECK_EQ(ftruncate(fd, 2 * page), 0);
  CHECK(all_zero(p + 5, p + 2 * page));
  CHECK_EQ(q[100], 'a');
  CHECK_EQ(q[page], 0);
}

TEST(opening_with_o_trunc_cuts_off_too) {
  int fd = open("truncation-opened", O_RDWR | O_CREAT, 0644);
  REQUIRE(fd >= 0 && write(fd, "text", 4) == 4);
  char* p = map_file(fd, page);
  CHECK_EQ(p[0], 't');
  int again = open("truncation-opened", O_WRONLY | O_TRUNC);
  CHECK(is_gone(p));
  CHECK_EQ(write(again, "new", 3), 3);
  CHECK_EQ(p[0], 'n');
  p[1] = 'E';
  CHECK_EQ(byte_at(fd, 1), 'E');
  CHECK_EQ(unlink("truncation-opened"), 0);
}

TEST(many_mappings_of_one_file) {
  int fd = make_file(8 * page);
  char* p[8];
  for (size_t i = 0; i < 8; ++i) {
    p[i] = (char*)mmap(nullptr, page, PROT_READ | PROT_WRITE, i % 2 ? MAP_SHARED : MAP_PRIVATE, fd,
                       (off_t)(i * page));
    REQUIRE(p[i] != MAP_FAILED);
    p[i][0] = 'm';
  }
  char* whole = map_file(fd, 8 * page);
  REQUIRE(mprotect(whole + 2 * page, page, PROT_READ) == 0);  // in three parts
  REQUIRE(munmap(whole + 6 * page, page) == 0);
  for (size_t i = 0; i < 8; ++i)
    if (i != 6) (void)*(volatile char*)(whole + i * page);
  CHECK_EQ(ftruncate(fd, 3 * page + 1), 0);
  for (size_t i = 0; i < 8; ++i) {
    CHECK_EQ(signal_of(p[i]), i < 4 ? 0 : SIGBUS);
    CHECK_EQ(signal_of(whole + i * page), i < 4 ? 0 : i == 6 ? SIGSEGV : SIGBUS);
  }
}

TEST(code_that_was_cut_off) {
  // mov $39, %eax (getpid); syscall; ret: code that a monitor may have replaced by its own
  static const unsigned char code[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
  static const unsigned char other[] = {0xb8, 7, 0, 0, 0, 0x90, 0x90, 0xc3};
  int fd = make_file(2 * page);
  CHECK_EQ(pwrite(fd, code, sizeof code, page), sizeof code);
  char* p = map_file(fd, 2 * page, PROT_READ | PROT_EXEC, MAP_PRIVATE);
  auto call = (long (*)())(p + page);
  for (int i = 0; i < 200; ++i)
    if (call() != getpid()) CHECK(false);
  CHECK_EQ(ftruncate(fd, page), 0);
  CHECK(is_gone(p + page));
  CHECK_EQ(pwrite(fd, other, sizeof other, page), sizeof other);
  CHECK_EQ(call(), 7);
}
