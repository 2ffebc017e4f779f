# Code that runs in a guest-machine process: no libc, no host. It lies at a fixed address in the
# window, above 2 GiB, so it is compiled position-independent and linked absolute. It must not touch
# vector registers: they hold the guest user's values. Unwind tables stay, for panic reports.
add_library(freestanding INTERFACE)
target_compile_options(freestanding INTERFACE
  -O2 -g -fpie -mgeneral-regs-only -mno-red-zone -fno-exceptions -fno-rtti -fno-stack-protector
  -fno-threadsafe-statics -fno-builtin -fcf-protection=none -fno-tree-loop-distribute-patterns
  -fasynchronous-unwind-tables -fno-omit-frame-pointer -fno-use-cxa-atexit
  -U_FORTIFY_SOURCE -D_GLIBCXX_ASSERTIONS=0 -U_GLIBCXX_ASSERTIONS)
target_link_options(freestanding INTERFACE
  -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments
  -Wl,-z,max-page-size=4096 -Wl,--eh-frame-hdr)
