// The vDSO's pages: see the header. Called at boot and by load_program.
#include "guest/exec/vdso.h"

#include <algorithm>

#include "guest/heap/make.h"
#include "guest/mm/address_space.h"
#include "guest/platform.h"

namespace guest {

namespace {

// As vdso.ld lays it out.
constexpr std::uint32_t all_pages = 2;  // code, time
constexpr std::uint64_t code_bytes = vmi::page_size, time_bytes = vmi::page_size;

class VdsoPages final : public PageSource {
 public:
  VdsoPages(Frame code, Frame time) : frames_{code, time} {}
  ~VdsoPages() {
    for (Frame frame : frames_) frame_release(frame);
  }

  std::uint64_t length() override { return code_bytes + time_bytes; }
  Result<FrameRun> pages(std::uint64_t page, Frames) override {
    if (page >= all_pages) return Errno::io;
    return FrameRun{frames_[page], Frames(1)};
  }

  void fill(const std::byte* image, std::uint64_t bytes) {
    for (Frame frame : frames_) hypercalls().zero_frames(frame, Frames(1));
    hypercalls().poke_frame(frames_[0], {}, image, Bytes(std::min(bytes, code_bytes)));
    const vmi::TimeScale& time = shared_info().time;
    hypercalls().poke_frame(frames_[1], {}, &time, Bytes(sizeof time));
  }

 private:
  Frame frames_[all_pages];
};

constinit PageSource* vdso = nullptr;  // holds a reference for good

}  // namespace

Result<> vdso_init(const std::byte* image, std::size_t bytes) {
  constexpr std::uint8_t magic[] = {0x7f, 'E', 'L', 'F'};
  if (bytes < sizeof magic || !std::equal(std::begin(magic), std::end(magic),
                                          reinterpret_cast<const std::uint8_t*>(image))) {
    return Errno::noexec;
  }
  Frame code = TRY(frames_allocate(Frames(1))).first;
  auto time = frames_allocate(Frames(1));
  if (!time.ok()) {
    frame_release(code);
    return time.error();
  }
  auto made = TRY(make_ref<VdsoPages>(code, time.value().first));
  made->fill(image, bytes);
  made->retain();
  vdso = made.get();
  return {};
}

Result<std::uint64_t> map_vdso(AddressSpace& space) {
  if (!vdso) return std::uint64_t{0};
  std::uint64_t va = TRY(space.map({.bytes = code_bytes + time_bytes,
                                    .protection = vmi::prot_read | vmi::prot_exec,
                                    .backing = Ref<PageSource>(vdso)}));
  // Shared and never writable: nobody gets a copy in which time stands still.
  TRY(space.map({.address = va + code_bytes,
                 .bytes = time_bytes,
                 .protection = vmi::prot_read,
                 .shared = true,
                 .placement = MapRequest::fixed,
                 .backing = Ref<PageSource>(vdso),
                 .offset = code_bytes,
                 .may_write = false}));
  // The C library looks at the headers before a program's first instruction.
  TRY(space.populate(va, code_bytes));
  return va;
}

}  // namespace guest
