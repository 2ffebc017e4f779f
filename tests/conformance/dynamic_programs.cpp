// Conformance: dynamic linking. This program is position-independent and linked to a library of its
// own and the C library, so that it runs at all is half the test; the rest is what a dynamic linker
// leaves behind in memory, and how execve takes programs whose linker is missing or none.
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "check.h"

extern "C" {
extern int constructed, exported;
extern thread_local int library_tls;
extern int* const relocated[2];
int call_back(int);
int* tls_address();
long tls_sum();
int called_from_library(int value) {
  return value * 2;
}
}

extern char __executable_start, etext, edata, end;

namespace {

thread_local int own_tls = 11;
thread_local char own_zero_tls[5000];
int data = 3;
int* const own_relocated[2] = {&data, &data};

const Elf64_Ehdr& header_at(unsigned long address) {
  return *reinterpret_cast<const Elf64_Ehdr*>(address);
}

/// A copy of this program whose dynamic linker has another name, of the same length at most.
bool write_copy(const char* path, const char* interpreter) {
  int from = open("/proc/self/exe", O_RDONLY), to = open(path, O_CREAT | O_TRUNC | O_RDWR, 0755);
  static char bytes[1 << 20];
  long size = read(from, bytes, sizeof bytes);
  auto& header = *reinterpret_cast<Elf64_Ehdr*>(bytes);
  auto* programs = reinterpret_cast<Elf64_Phdr*>(bytes + header.e_phoff);
  for (int i = 0; i < header.e_phnum; ++i) {
    if (programs[i].p_type != PT_INTERP) continue;
    memset(bytes + programs[i].p_offset, 0, programs[i].p_filesz);
    strncpy(bytes + programs[i].p_offset, interpreter, programs[i].p_filesz - 1);
  }
  bool good = size > 0 && write(to, bytes, (size_t)size) == size;
  close(from);
  close(to);
  return good;
}

/// The errno with which execve refuses a copy that wants this dynamic linker.
int refusal(const char* interpreter) {
  if (!write_copy("/tmp/copy", interpreter)) return -1;
  int status = check::in_child([] {
    char* const arguments[] = {const_cast<char*>("/tmp/copy"), nullptr};
    execv("/tmp/copy", arguments);
    return errno;
  });
  return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

void write_file(const char* path, const char* content, mode_t mode) {
  int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, mode);
  if (write(file, content, strlen(content)) < 0) check::failures++;
  close(file);
}

}  // namespace

TEST(auxiliary_vector) {
  unsigned long base = getauxval(AT_BASE), entry = getauxval(AT_ENTRY);
  REQUIRE(base != 0 && base % 4096 == 0);
  CHECK(memcmp(header_at(base).e_ident, ELFMAG, SELFMAG) == 0);
  CHECK_EQ(header_at(base).e_type, ET_DYN);
  auto own = reinterpret_cast<unsigned long>(&__executable_start);
  CHECK_EQ(entry, own + header_at(own).e_entry);
  CHECK_EQ(getauxval(AT_PHDR), own + header_at(own).e_phoff);
  CHECK_EQ(getauxval(AT_PHNUM), header_at(own).e_phnum);
  CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
  CHECK_EQ(getauxval(AT_PAGESZ), 4096);
  CHECK_EQ(getauxval(AT_CLKTCK), 100);
  CHECK_EQ(getauxval(AT_SECURE), 0);
  CHECK_EQ(getauxval(AT_FLAGS), 0);
  CHECK_EQ(getauxval(AT_UID), getuid());
  CHECK_EQ(getauxval(AT_EGID), getegid());
  CHECK(getauxval(AT_HWCAP) != 0);
  CHECK(getauxval(AT_RANDOM) != 0);
  CHECK(getauxval(AT_SYSINFO_EHDR) != 0);
  CHECK(getauxval(AT_MINSIGSTKSZ) >= 2048);
  CHECK(strcmp((const char*)getauxval(AT_PLATFORM), "x86_64") == 0);
  CHECK(strcmp((const char*)getauxval(AT_EXECFN), check::self_path) == 0);
}

TEST(program_break_follows_the_program) {
  auto start = reinterpret_cast<unsigned long>(sbrk(0));
  CHECK(start >= (unsigned long)&end);
  CHECK(sbrk(100000) != (void*)-1);
  memset((void*)start, 1, 100000);
  free(malloc(50000));
}

TEST(libraries_are_bound) {
  CHECK_EQ(constructed, 42);
  CHECK_EQ(call_back(20), 41);
  CHECK_EQ(*relocated[0], 5);
  exported = 6;  // a copy relocation: one variable for both
  CHECK_EQ(*relocated[0], 6);
  CHECK(dlsym(RTLD_DEFAULT, "call_back") == (void*)call_back);
}

TEST(thread_local_storage) {
  CHECK_EQ(own_tls, 11);
  CHECK_EQ(library_tls, 77);
  CHECK(tls_address() == &library_tls);
  CHECK_EQ(tls_sum(), 0);
  for (char byte : own_zero_tls) CHECK_EQ(byte, 0);
  library_tls = own_tls = 1;
  CHECK_EXITED(check::in_child([] {
                 own_tls += 5;
                 library_tls += 7;
                 return own_tls + library_tls;
               }),
               14);
  CHECK_EQ(own_tls + library_tls, 2);
}

TEST(opened_at_run_time) {
  void* maths = dlopen("libm.so.6", RTLD_NOW);
  REQUIRE(maths != nullptr);
  auto* root = reinterpret_cast<double (*)(double)>(dlsym(maths, "sqrt"));
  REQUIRE(root != nullptr);
  CHECK_EQ(root(144.0), 12);
  CHECK_EQ(dlclose(maths), 0);
  CHECK(dlopen("libabsent.so", RTLD_NOW) == nullptr);
}

TEST(memory_is_protected) {
  CHECK_KILLED(check::in_child([] {
                 *const_cast<int* volatile*>(&own_relocated[0]) = nullptr;
                 return 0;
               }),
               SIGSEGV);
  CHECK_KILLED(check::in_child([] {
                 *const_cast<volatile char*>(&__executable_start) = 1;
                 return 0;
               }),
               SIGSEGV);
  CHECK_KILLED(check::in_child([] {
                 // Data is not code.
                 reinterpret_cast<void (*)()> (&data)();
                 return 0;
               }),
               SIGSEGV);
  data = 4;
  CHECK_EXITED(check::in_child([] { return data++; }), 4);
  CHECK_EQ(data, 4);
}

TEST(executes_itself) {
  CHECK_EXITED(check::in_child([] {
                 char* const arguments[] = {const_cast<char*>("x"), const_cast<char*>("--helper"),
                                            const_cast<char*>("3"), nullptr};
                 char* const environment[] = {const_cast<char*>("LD_BIND_NOW=1"), nullptr};
                 execve("/proc/self/exe", arguments, environment);
                 return 1;
               }),
               33);
}

TEST(linkers_that_cannot_be_had) {
  write_file("/tmp/text", "no linker at all, but text that is longer than an ELF header is, yes",
             0755);
  write_file("/tmp/plain", "x", 0644);
  CHECK_EQ(refusal("/none"), ENOENT);
  CHECK_EQ(refusal("/tmp/text/x"), ENOTDIR);
  CHECK_EQ(refusal("/tmp/text"), ELIBBAD);
  CHECK_EQ(refusal("/tmp/plain"), EACCES);
  CHECK_EQ(refusal("/tmp"), EACCES);
  unlink("/tmp/copy");
}

/// The wait status of a script with this first line.
static int run_script(const char* format) {
  char line[300];
  snprintf(line, sizeof line, format, check::self_path);
  write_file("/tmp/script", line, 0755);
  return check::in_child([] {
    char* const arguments[] = {const_cast<char*>("zero"), const_cast<char*>("5"), nullptr};
    execv("/tmp/script", arguments);
    return 99;
  });
}

TEST(scripts_name_dynamic_programs) {
  // All that follows the interpreter is one argument, which is not "--helper".
  CHECK_EXITED(run_script("#! %s  --helper 4 \n"), 0);
  CHECK_EXITED(run_script("#!%s --helper\n"), 60);
}

int helper(int argc, char** argv) {
  // As a script's interpreter: the script's path, then its arguments.
  if (argc == 2 && strcmp(argv[0], "/tmp/script") == 0) return 55 + atoi(argv[1]);
  return argc == 1 && own_tls == 11 && constructed == 42 ? 30 + atoi(argv[0]) : 1;
}
