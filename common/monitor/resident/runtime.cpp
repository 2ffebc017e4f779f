// The C functions that the compiler calls by itself in freestanding code. Byte-wise string
// instructions: fast on every processor of the last decade, and no vector registers.
#include <cstddef>

extern "C" {

void* memcpy(void* to, const void* from, std::size_t bytes) {
  void* result = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
  return result;
}

void* memset(void* to, int value, std::size_t bytes) {
  void* result = to;
  asm volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
  return result;
}

void* memmove(void* to, const void* from, std::size_t bytes) {
  if (static_cast<char*>(to) - static_cast<const char*>(from) >=
          static_cast<std::ptrdiff_t>(bytes) ||
      to <= from)
    return memcpy(to, from, bytes);
  auto* target = static_cast<char*>(to);
  auto* source = static_cast<const char*>(from);
  while (bytes-- != 0) target[bytes] = source[bytes];
  return to;
}

int memcmp(const void* a, const void* b, std::size_t bytes) {
  auto* x = static_cast<const unsigned char*>(a);
  auto* y = static_cast<const unsigned char*>(b);
  for (std::size_t i = 0; i < bytes; ++i)
    if (x[i] != y[i]) return x[i] - y[i];
  return 0;
}

[[noreturn]] void __cxa_pure_virtual() {
  __builtin_trap();
}
}
