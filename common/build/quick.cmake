# compile_quickly(TARGETS...): for code that is never in a measurement (the command line, what reads
# and writes results, figures). It lives in templates of JSON and formatting, and at -O2 -g took half
# of a fresh build; lines without variables stay for a debugger's backtrace.
function(compile_quickly)
  foreach(target ${ARGN})
    target_compile_options(${target} PRIVATE -O1 -g1)
  endforeach()
endfunction()
