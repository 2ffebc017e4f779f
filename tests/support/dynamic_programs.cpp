// Programs of the host for guests: see the header. Used by integration and conformance drivers.
#include "tests/support/dynamic_programs.h"

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>

namespace support {

namespace {

std::string output_of(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  char part[4096];
  for (std::size_t got; pipe && (got = fread(part, 1, sizeof part, pipe.get())) > 0;) {
    text.append(part, got);
  }
  return text;
}

std::string find_program(const std::string& name) {
  if (name[0] == '/') return name;
  for (const char* folder : {"/usr/bin/", "/bin/", "/usr/sbin/"}) {
    if (access((folder + name).c_str(), X_OK) == 0) return folder + name;
  }
  throw std::runtime_error(name + " is not installed");
}

/// The absolute paths in what ldd prints: "libc.so.6 => /lib/… (0x…)", "/lib64/ld… (0x…)".
std::set<std::string> libraries_of(const std::string& programs) {
  std::set<std::string> libraries;
  std::istringstream words(output_of("ldd " + programs + " 2>/dev/null"));
  for (std::string word; words >> word;) {
    // "program:" heads its list.
    if (word[0] == '/' && word.back() != ':') libraries.insert(word);
  }
  return libraries;
}

}  // namespace

std::vector<std::string> add_programs(const std::vector<std::string>& names) {
  std::string all;
  std::set<std::string> files;
  for (const std::string& name : names) {
    std::string path = find_program(name);
    all += path + " ";
    files.insert(path);
  }
  files.merge(libraries_of(all));
  std::vector<std::string> options;
  for (const std::string& file : files) options.insert(options.end(), {"--add", file + ":" + file});
  return options;
}

const std::vector<std::string>& shell_programs() {
  static const std::vector<std::string> names = {
      "/bin/bash", "/usr/libexec/coreutils/libstdbuf.so",
      "[",         "arch",
      "b2sum",     "base32",
      "base64",    "basename",
      "basenc",    "cat",
      "chgrp",     "chmod",
      "chown",     "chroot",
      "cksum",     "cmp",
      "comm",      "cp",
      "csplit",    "cut",
      "date",      "dd",
      "df",        "diff",
      "dir",       "dircolors",
      "dirname",   "du",
      "echo",      "env",
      "expand",    "expr",
      "factor",    "false",
      "find",      "fmt",
      "fold",      "gawk",
      "grep",      "groups",
      "head",      "hostid",
      "hostname",  "id",
      "install",   "join",
      "link",      "ln",
      "logname",   "ls",
      "md5sum",    "mkdir",
      "mkfifo",    "mknod",
      "mktemp",    "mv",
      "nice",      "nl",
      "nohup",     "nproc",
      "numfmt",    "od",
      "paste",     "pathchk",
      "pr",        "printenv",
      "printf",    "ptx",
      "pwd",       "readlink",
      "realpath",  "rm",
      "rmdir",     "sed",
      "seq",       "sha1sum",
      "sha224sum", "sha256sum",
      "sha384sum", "sha512sum",
      "shred",     "shuf",
      "sleep",     "sort",
      "split",     "stat",
      "stdbuf",    "stty",
      "sum",       "sync",
      "tac",       "tail",
      "tee",       "test",
      "timeout",   "touch",
      "tr",        "true",
      "truncate",  "tsort",
      "tty",       "uname",
      "unexpand",  "uniq",
      "unlink",    "users",
      "vdir",      "wc",
      "whoami",    "xargs",
      "yes",
  };
  return names;
}

}  // namespace support
