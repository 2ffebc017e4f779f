// The instructions that touch user memory (user_copy.S), and nothing else does. Each returns the
// bytes it did not get to: when user memory faults, the monitor resumes at the routine's landing
// and has put address and error code into SharedInfo::user_access. Host-built unit tests bring
// doubles.
#pragma once

#include <cstdint>

#include "vmi/shared_info.h"

extern "C" {
std::uint64_t user_copy_in(void* to, std::uint64_t from, std::uint64_t bytes,
                           vmi::UserAccess* access);
std::uint64_t user_copy_out(std::uint64_t to, const void* from, std::uint64_t bytes,
                            vmi::UserAccess* access);
std::uint64_t user_clear(std::uint64_t to, std::uint64_t bytes, vmi::UserAccess* access);
}
