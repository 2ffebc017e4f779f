// Conformance, a file that another process makes shorter: what it had beyond is mapped no more in
// any process, whoever mapped it and whatever that one is doing meanwhile. Each waits in the kernel
// while another moves the file's end.
#include "truncation.h"

struct Partner {
  int to[2], from[2];
  void open_ends() { REQUIRE(pipe(to) == 0 && pipe(from) == 0); }
  void ask(char what) {  // by the parent; returns when it is done
    char done = 0;
    REQUIRE(write(to[1], &what, 1) == 1 && read(from[0], &done, 1) == 1);
    CHECK_EQ(done, 'y');
  }
  char wait() {
    char what = 0;
    return read(to[0], &what, 1) == 1 ? what : 'q';
  }
  void answer(bool good) {
    if (write(from[1], good ? "y" : "n", 1) != 1) _exit(71);
  }
};

/// Looks as it is told at mappings of four pages, of which all were touched.
static int look(Partner& partner, int fd, char* shared, char* own) {
  for (;;) {
    char what = partner.wait();
    if (what == 'q') return 0;
    bool good = false;
    if (what == 'f')
      good = shared[0] == 'a' && shared[3 * page] == 'd' && own[0] == 'o' && own[3 * page] == 'o';
    if (what == 'c')  // cut in its second page
      good = shared[page + 9] == 'b' && shared[page + 10] == 0 && is_gone(shared + 2 * page) &&
             is_gone(shared + 3 * page) && own[page] == 'o' && is_gone(own + 2 * page);
    if (what == 'g')  // grown to its old size
      good = shared[2 * page] == 0 && shared[3 * page] == 'G' && own[page] == 'o' &&
             own[2 * page] == 0 && own[3 * page] == 'G';
    if (what == 'w') {
      shared[2 * page] = 'W';
      good = byte_at(fd, 2 * page) == 'W';
    }
    partner.answer(good);
  }
}

/// `own_mapping`: the partner maps the file itself; else it has it from its parent.
static void with_partner(bool own_mapping) {
  int fd = make_file(4 * page);
  Partner partner;
  partner.open_ends();
  char *shared = map_file(fd, 4 * page), *own = map_file(fd, 4 * page, 3, MAP_PRIVATE);
  for (size_t i = 0; i < 4; ++i) own[i * page] = 'o', (void)*(volatile char*)(shared + i * page);
  pid_t child = check::start_child([&] {
    if (own_mapping) {
      munmap(shared, 4 * page);
      munmap(own, 4 * page);
      shared = map_file(fd, 4 * page), own = map_file(fd, 4 * page, 3, MAP_PRIVATE);
      for (size_t i = 0; i < 4; ++i)
        own[i * page] = 'o', (void)*(volatile char*)(shared + i * page);
    }
    close(partner.to[1]);
    return look(partner, fd, shared, own);
  });
  partner.ask('f');
  CHECK_EQ(ftruncate(fd, page + 10), 0);
  partner.ask('c');
  // Cut and grown before the partner has seen either.
  CHECK_EQ(pwrite(fd, "x", 1, 4 * page - 1), 1);
  CHECK_EQ(ftruncate(fd, page + 10), 0);
  CHECK_EQ(ftruncate(fd, 4 * page), 0);
  CHECK_EQ(pwrite(fd, "G", 1, 3 * page), 1);
  partner.ask('g');
  CHECK_EQ(shared[3 * page], 'G');
  partner.ask('w');
  CHECK_EQ(shared[2 * page], 'W');
  shared[3 * page] = 'd';
  CHECK_EQ(ftruncate(fd, 0), 0);
  CHECK_EQ(ftruncate(fd, 4 * page), 0);
  close(partner.to[1]);
  int status = -1;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 0);
}

TEST(a_process_that_shares_by_fork_learns_of_it) {
  with_partner(false);
}

TEST(a_process_that_mapped_it_itself_learns_of_it) {
  with_partner(true);
}

TEST(a_child_made_after_the_cut) {
  int fd = make_file(3 * page);
  char* p = map_file(fd, 3 * page);
  char* own = map_file(fd, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  for (size_t i = 0; i < 3; ++i) p[i * page] = own[i * page] = 'p';
  CHECK_EQ(ftruncate(fd, page), 0);
  CHECK_EXITED(check::in_child([&] {
                 CHECK(is_gone(p + page) && is_gone(own + 2 * page));
                 CHECK_EQ(own[0], 'p');
                 CHECK_EQ(ftruncate(fd, 0), 0);  // and now for the parent
                 CHECK_EQ(ftruncate(fd, 3 * page), 0);
                 return 0;
               }),
               0);
  CHECK_EQ(p[0], 0);
  CHECK_EQ(own[0], 0);
  p[page] = 'q';
  CHECK_EQ(byte_at(fd, page), 'q');
}

TEST(frames_given_up_in_one_process_are_safe_in_another) {
  // The file's old frames are free for others once nobody maps them: never before.
  int fd = make_file(64 * page);
  char* p = map_file(fd, 64 * page);
  for (size_t i = 0; i < 64; ++i) p[i * page] = 'p';
  CHECK_EXITED(check::in_child([&] {
                 ftruncate(fd, 0);
                 char* mine = (char*)mmap(nullptr, 512 * page, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                 memset(mine, 'S', 512 * page);
                 ftruncate(fd, 64 * page);
                 return 0;
               }),
               0);
  for (size_t i = 0; i < 64; ++i) CHECK_EQ(p[i * page], 0);
}
