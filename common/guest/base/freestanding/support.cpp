// What the C++ compiler expects of a run-time library besides the heap's operator new: the answer
// to impossible calls.
#include "guest/base/panic.h"

extern "C" void __cxa_pure_virtual() {
  guest::panic("pure virtual function called");
}

namespace std {
// libstdc++'s headers name it where a container would throw; ours never get there.
[[noreturn]] void __throw_out_of_range_fmt(const char*, ...) {
  guest::panic("index out of range");
}
[[noreturn]] void __throw_length_error(const char*) {
  guest::panic("length out of range");
}
[[noreturn]] void __throw_logic_error(const char*) {
  guest::panic("logic error");
}
[[noreturn]] void __throw_bad_array_new_length() {
  guest::panic("array too long");
}
}  // namespace std
