// A shared library for dynamic_programs.cpp: a thread-local variable, a constructor, a destructor,
// data that is relocated, a call back into the program.
#include <unistd.h>

extern "C" {

int constructed = 0;
thread_local int library_tls = 77;
thread_local long library_zero_tls[300];
int exported = 5;
extern int* const relocated[2];  // const alone would keep it to itself
int* const relocated[2] = {&exported, nullptr};

int called_from_library(int);  // the program's

int call_back(int value) {
  return called_from_library(value) + 1;
}
int* tls_address() {
  return &library_tls;
}
long tls_sum() {
  long sum = 0;
  for (long word : library_zero_tls) sum += word;
  return sum;
}
}

__attribute__((constructor)) static void construct() {
  constructed = 42;
}
__attribute__((destructor)) static void destruct() {
  const char text[] = "  library closed\n";
  if (constructed == 42 && write(1, text, sizeof text - 1) < 0) _exit(98);
}
