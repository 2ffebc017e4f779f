# Writes OUTPUT: the commit of the sources in SOURCE, and whether they differ from it.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${SOURCE} rev-parse HEAD OUTPUT_VARIABLE commit
  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "unknown")
endif()
execute_process(COMMAND git -C ${SOURCE} status --porcelain OUTPUT_VARIABLE changes ERROR_QUIET)
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
