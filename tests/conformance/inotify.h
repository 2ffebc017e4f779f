// What the topics on inotify have in common: a folder that goes with the test, and a reader of
// events that shows each as a line.
#pragma once

#include <fcntl.h>
#include <sys/inotify.h>

#include "check.h"

inline char folder[64];
inline char path_text[2][128];
inline const char* in_folder(const char* name, int which = 0) {
  snprintf(path_text[which], sizeof path_text[which], "%s/%s", folder, name);
  return path_text[which];
}

// A new folder for each test, as each runs in a process of its own; it goes with it.
struct Folder {
  Folder() {
    strcpy(folder, "/tmp/inotify-XXXXXX");
    REQUIRE(mkdtemp(folder));
  }
  ~Folder() {
    for (const char* name : {"a", "b", "c", "dir/a"}) unlink(in_folder(name));
    rmdir(in_folder("dir")), rmdir(in_folder("other")), rmdir(folder);
  }
};

inline int make_file(const char* name, const char* text = "text") {
  const int fd = open(in_folder(name), O_CREAT | O_RDWR | O_TRUNC, 0644);
  REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  return fd;
}

struct Watcher {
  int fd = inotify_init1(IN_NONBLOCK);
  ~Watcher() { close(fd); }
  int add(const char* path, uint32_t mask) const { return inotify_add_watch(fd, path, mask); }

  // The next event, as "watch mask name"; "" when there is none.
  const char* next() {
    if (at_ >= got_) {
      got_ = read(fd, events_, sizeof events_), at_ = 0;
      if (got_ <= 0) return "";
    }
    const auto* event = reinterpret_cast<inotify_event*>(events_ + at_);
    at_ += (ssize_t)sizeof *event + event->len;
    cookie = event->cookie;
    CHECK_EQ(event->len % 16, 0);
    snprintf(text_, sizeof text_, "%d %x %s", event->wd, event->mask,
             event->len ? event->name : "");
    return text_;
  }
  // What came since, in one line.
  const char* all() {
    all_[0] = 0;
    for (const char* event = next(); *event; event = next()) {
      const size_t length = strlen(all_);
      snprintf(all_ + length, sizeof all_ - length, "%s,", event);
    }
    return all_;
  }
  unsigned cookie = 0;

 private:
  alignas(8) char events_[4096];
  char text_[300], all_[2000];
  ssize_t at_ = 0, got_ = 0;
};

// Says both when they differ.
inline void expect(const char* got, const char* wanted, int line) {
  if (strcmp(got, wanted) == 0) return;
  check::say("  line %d: got    %s\n", line, got);
  check::say("  line %d: wanted %s\n", line, wanted);
  ++check::failures;
}
#define EXPECT(got, wanted) expect(got, wanted, __LINE__)
