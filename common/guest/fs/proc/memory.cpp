// What /proc/PID/statm, maps and smaps say of a process's memory, and the part of status that does.
// Made at each read from the regions and extents of a space that need not be the current one.
#include "guest/fs/proc/process.h"
#include "guest/mm/address_space.h"
#include "guest/vfs/device_number.h"
#include "guest/vfs/fs_context.h"

namespace guest {
namespace {

std::uint64_t kib_of(Pages pages) {
  return bytes_of(pages).number / 1024;
}

/// Pages that are there, as smaps tells them apart.
struct Resident {
  Pages all, anonymous, clean_alone, clean_shared, dirty_alone, dirty_shared;
  std::uint64_t proportional_bytes = 0;  // of pages of several, our share

  Resident& operator+=(const Resident& other) {
    all += other.all;
    anonymous += other.anonymous;
    clean_alone += other.clean_alone;
    clean_shared += other.clean_shared;
    dirty_alone += other.dirty_alone;
    dirty_shared += other.dirty_shared;
    proportional_bytes += other.proportional_bytes;
    return *this;
  }
};

void count_page(Resident& count, const Region& region, const ExtentNode& extent, Frame frame) {
  // A private page of a file that may be written is a copy.
  const bool own =
      region.anonymous() || (!region.source.shared && extent.protection & vmi::prot_write);
  const std::uint32_t references = frame_references(frame);
  const std::uint32_t users = own || references < 2 ? references : references - 1;  // the file
  const bool dirty = own || (region.source.shared && extent.protection & vmi::prot_write);
  const Pages one(1);
  count.all += one;
  if (own) count.anonymous += one;
  (dirty       ? users > 1 ? count.dirty_shared : count.dirty_alone
   : users > 1 ? count.clean_shared
               : count.clean_alone) += one;
  count.proportional_bytes += vmi::page_size / (users ? users : 1);
}

Resident resident_in(const AddressSpace& space, const Region& region) {
  Resident count;
  for (const ExtentNode* extent = space.extents().first_ending_after(region.va);
       extent && extent->va < region.end; extent = extent->following())
    for (Frame frame = extent->frame; frame < extent->run().end(); ++frame)
      count_page(count, region, *extent, frame);
  return count;
}

Result<> add_region_line(String& text, const Process& process, const Region& region) {
  const RegionSource& source = region.source;
  PageSource::Identity file;
  if (source.backing) file = source.backing->identity();
  TRY(add(text, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", region.va, region.end,
          source.protection & vmi::prot_read ? 'r' : '-',
          source.protection & vmi::prot_write ? 'w' : '-',
          source.protection & vmi::prot_exec ? 'x' : '-', source.shared ? 's' : 'p',
          source.backing ? source.offset : 0, device_major(file.device), device_minor(file.device),
          file.inode));
  if (source.grows_down)
    TRY(text.append("[stack]"));
  else if (process.space->in_heap(region.va))
    TRY(text.append("[heap]"));
  return text.append("\n");
}

Result<> add_sizes(String& text, const Resident& count) {
  TRY(add(text, "Rss:            %8lu kB\nPss:            %8lu kB\nShared_Clean:   %8lu kB\n",
          kib_of(count.all), count.proportional_bytes / 1024, kib_of(count.clean_shared)));
  TRY(add(text, "Shared_Dirty:   %8lu kB\nPrivate_Clean:  %8lu kB\nPrivate_Dirty:  %8lu kB\n",
          kib_of(count.dirty_shared), kib_of(count.clean_alone), kib_of(count.dirty_alone)));
  return add(text,
             "Referenced:     %8lu kB\nAnonymous:      %8lu kB\nSwap:                  0 kB\n"
             "SwapPss:               0 kB\nLocked:                0 kB\n",
             kib_of(count.all), kib_of(count.anonymous));
}

}  // namespace

Result<String> process_statm(Thread& thread) {
  const MemoryUse use = memory_of(thread.process);
  String line;
  TRY(add(line, "%lu %lu %lu %lu 0 %lu 0\n", use.mapped.number, use.resident.number,
          (use.resident - use.anonymous).number, use.text.number, (use.data + use.stack).number));
  return line;
}

Result<String> process_maps(Thread& thread) {
  String text;
  if (!thread.process.space) return text;
  for (const Region* r = thread.process.space->regions().first(); r; r = r->following())
    TRY(add_region_line(text, thread.process, *r));
  return text;
}

Result<String> process_smaps(Thread& thread) {
  String text;
  if (!thread.process.space) return text;
  const AddressSpace& space = *thread.process.space;
  for (const Region* r = space.regions().first(); r; r = r->following()) {
    TRY(add_region_line(text, thread.process, *r));
    TRY(add(text,
            "Size:           %8lu kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\n",
            kib_of(pages_between(r->va, r->end))));
    TRY(add_sizes(text, resident_in(space, *r)));
    TRY(add(text, "VmFlags:%s%s%s%s\n", r->source.protection & vmi::prot_read ? " rd" : "",
            r->source.protection & vmi::prot_write ? " wr" : "",
            r->source.protection & vmi::prot_exec ? " ex" : "", r->source.shared ? " sh" : ""));
  }
  return text;
}

Result<String> process_smaps_rollup(Thread& thread) {
  String text;
  if (!thread.process.space) return text;
  const AddressSpace& space = *thread.process.space;
  const Region* first = space.regions().first();
  if (!first) return text;
  Resident all;
  std::uint64_t end = 0;
  for (const Region* r = first; r; r = r->following()) {
    all += resident_in(space, *r);
    end = r->end;
  }
  TRY(add(text, "%08lx-%08lx ---p 00000000 00:00 0 [rollup]\n", first->va, end));
  TRY(add_sizes(text, all));
  return text;
}

MemoryUse memory_of(const Process& process) {
  MemoryUse use;
  if (!process.space) return use;
  const AddressSpace& space = *process.space;
  for (const Region* r = space.regions().first(); r; r = r->following()) {
    const Pages pages = pages_between(r->va, r->end);
    use.mapped += pages;
    if (r->source.grows_down)
      use.stack += pages;
    else if (r->source.protection & vmi::prot_exec)
      use.text += pages;
    else if (r->source.protection & vmi::prot_write && !r->source.shared)
      use.data += pages;
    use.anonymous += resident_in(space, *r).anonymous;
  }
  use.resident = space.extents().total_pages();
  use.peak = space.extents().peak_pages();
  return use;
}

Result<> add_memory_lines(String& text, const Process& process) {
  if (!process.space) return {};
  const MemoryUse use = memory_of(process);
  TRY(add(text, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t       0 kB\nVmPin:\t       0 kB\n",
          kib_of(use.mapped), kib_of(use.mapped)));
  TRY(add(text, "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nRssFile:\t%8lu kB\n",
          kib_of(use.peak), kib_of(use.resident), kib_of(use.anonymous),
          kib_of(use.resident - use.anonymous)));
  TRY(add(text, "RssShmem:\t       0 kB\nVmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\n",
          kib_of(use.data), kib_of(use.stack), kib_of(use.text)));
  return text.append("VmLib:\t       0 kB\nVmPTE:\t       0 kB\nVmSwap:\t       0 kB\n");
}

}  // namespace guest
