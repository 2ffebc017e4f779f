// The host's own dynamically linked programs, for guests: options of `typetwo exec` that put them,
// their libraries and their dynamic linker into the guest's files, at the places they have on the
// host.
#pragma once

#include <string>
#include <vector>

namespace support {

/// --add HOST:GUEST for each program, found by PATH, and all that ldd names. A program that the
/// host lacks is an error: the tests need it.
std::vector<std::string> add_programs(const std::vector<std::string>& names);

/// What a bash script may expect to find: bash, coreutils, findutils, diffutils, grep, sed, gawk.
const std::vector<std::string>& shell_programs();

}  // namespace support
