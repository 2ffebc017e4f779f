// Boot: brings the guest kernel up in the order listed in boot_kernel, then becomes the first
// process. Called once by entry.S, on the boot stack, which is dead afterwards.
#include "guest/base/log.h"
#include "guest/base/panic.h"
#include "guest/boot/layers.h"
#include "guest/exec/first_process.h"
#include "guest/exec/vdso.h"
#include "guest/fs/root/boot_mount.h"
#include "guest/heap/heap.h"
#include "guest/mm/frames.h"
#include "guest/platform.h"
#include "guest/sched/task.h"

namespace guest {

namespace {

using Constructor = void (*)();
extern "C" Constructor constructors_begin[], constructors_end[];  // kernel.ld
extern "C" const std::byte vdso_image_begin[], vdso_image_end[];  // CMakeLists.txt

void check_interface() {
  // Without a sound hypercall table there is nobody to panic to: the trap says it all.
  if (hypercalls().magic != vmi::Hypercalls::magic_value) __builtin_trap();
  if (hypercalls().version != vmi::vmi_version || hypercalls().bytes != sizeof(vmi::Hypercalls) ||
      shared_info().magic != vmi::SharedInfo::magic_value ||
      shared_info().version != vmi::vmi_version ||
      boot_info().magic != vmi::BootInfo::magic_value || boot_info().version != vmi::vmi_version) {
    panic("monitor and guest kernel are of different builds: build them together");
  }
}

void run_constructors() {
  for (Constructor* constructor = constructors_begin; constructor != constructors_end;
       ++constructor) {
    (*constructor)();
  }
}

}  // namespace

extern "C" [[noreturn]] void boot_kernel() {
  check_interface();
  const vmi::BootInfo& info = boot_info();
  heap_init(info.heap_begin, info.heap_end);
  run_constructors();
  connect_layers();
  const FrameRun tree{info.boot_tree_frame, Frames(info.boot_tree_frames)};
  frames_init(Frames(info.frames), tree);
  if (!Task::prepare_stacks().ok()) panic("there is no memory for kernel stacks");
  heap_init_attic();

  Vec<String> argv, envp;
  auto mounted = mount_boot_tree(tree, argv, envp);
  if (!mounted.ok()) {
    // Of other errors the console has been told.
    const bool too_many = mounted.error() == Errno::nomem || mounted.error() == Errno::nospc;
    if (too_many) log("typetwo guest: the root tree has more files than fit: take an image\n");
    hypercalls().shutdown(125 << 8);
  }
  auto vdso_bytes = static_cast<std::size_t>(vdso_image_end - vdso_image_begin);
  if (!vdso_init(vdso_image_begin, vdso_bytes).ok()) panic("there is no memory for the vDSO");
  start_first_process(argv, envp);
}

}  // namespace guest
