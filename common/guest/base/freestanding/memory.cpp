// The memory functions that the compiler calls by name, and the two string functions that
// std::string_view needs. String instructions: no vector registers here, and the CPUs we run on
// copy as fast with them.
#include <cstddef>
#include <cstdint>

extern "C" {

void* memcpy(void* to, const void* from, std::size_t bytes) {
  void* result = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
  return result;
}

void* memmove(void* to, const void* from, std::size_t bytes) {
  auto* target = static_cast<unsigned char*>(to);
  auto* source = static_cast<const unsigned char*>(from);
  if (reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from) >= bytes) {
    return memcpy(to, from, bytes);
  }
  // The target begins inside the source: backwards.
  target += bytes - 1;
  source += bytes - 1;
  asm volatile("std\n rep movsb\n cld" : "+D"(target), "+S"(source), "+c"(bytes) : : "memory");
  return to;
}

void* memset(void* to, int value, std::size_t bytes) {
  void* result = to;
  asm volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
  return result;
}

int memcmp(const void* left, const void* right, std::size_t bytes) {
  auto* a = static_cast<const unsigned char*>(left);
  auto* b = static_cast<const unsigned char*>(right);
  for (std::size_t i = 0; i < bytes; ++i) {
    if (a[i] != b[i]) return a[i] - b[i];
  }
  return 0;
}

void* memchr(const void* where, int value, std::size_t bytes) {
  auto* text = static_cast<const unsigned char*>(where);
  for (std::size_t i = 0; i < bytes; ++i) {
    if (text[i] == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(text + i);
  }
  return nullptr;
}

std::size_t strlen(const char* text) {
  std::size_t length = 0;
  while (text[length]) ++length;
  return length;
}

}  // extern "C"
