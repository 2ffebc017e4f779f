# Writes OUTPUT: the commit of the sources in SOURCE, and whether they differ from it. Whoever builds
# a tree trusts it, also one that belongs to another user, which git would refuse to look at.
cmake_minimum_required(VERSION 3.25)
set(git git -c safe.directory=* -C ${SOURCE})
execute_process(COMMAND ${git} rev-parse HEAD OUTPUT_VARIABLE commit
  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "unknown")
endif()
execute_process(COMMAND ${git} status --porcelain OUTPUT_VARIABLE changes ERROR_QUIET)
if(changes)
  set(dirty true)
else()
  set(dirty false)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "// Made at build time.
#pragma once
namespace harness {
inline constexpr const char* build_commit = \"@commit@\";
inline constexpr bool build_dirty = @dirty@;
}  // namespace harness
" @ONLY)
