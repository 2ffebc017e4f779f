// For the small programs that print numbers of C++ as macros, for assembly and linker scripts
// (constants.cmake): what a compiler knows is written down once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>

inline void constant(const char* name, std::uint64_t value) {
  std::printf("#define %s 0x%llx\n", name, static_cast<unsigned long long>(value));
}

/// PREFIX_field: where it lies in the structure.
#define OFFSET(prefix, type, field) constant(prefix "_" #field, offsetof(type, field))
