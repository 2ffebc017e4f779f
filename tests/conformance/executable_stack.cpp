// Conformance, a program that asks for an executable stack (CMakeLists.txt: -z execstack), as those
// with nested functions do.
#include "check.h"

static int call_on_stack() {
  unsigned char code[64] = {0xb8, 42, 0, 0, 0, 0xc3};  // mov $42,%eax; ret
  __builtin___clear_cache((char*)code, (char*)code + sizeof code);
  return ((int (*)())(void*)code)();
}

TEST(code_on_the_stack_runs) {
  CHECK_EQ(call_on_stack(), 42);
  CHECK_EXITED(check::in_child(call_on_stack), 42);
}

TEST(code_on_the_stack_may_change) {
  unsigned char code[64] = {0xb8, 1, 0, 0, 0, 0xc3};
  for (unsigned char i = 1; i < 100; ++i) {
    code[1] = i;
    __builtin___clear_cache((char*)code, (char*)code + sizeof code);
    CHECK_EQ(((int (*)())(void*)code)(), i);
  }
}
