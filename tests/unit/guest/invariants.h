// What must hold between any two system calls, whatever the host refused of them and however much
// of that it did all the same. For tests that make hypercalls fail, scripted or at random; needs no
// test framework.
//
// The rule: what the host allows is a part of what the extents say, and the extents are a part of
// what the regions say. The host may have less (a fault maps it again), never more.
#pragma once

#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "guest/mm/address_space.h"
#include "guest/mm/frames.h"
#include "tests/unit/guest/fake_platform.h"

namespace guest_test {

class Invariants {
 public:
  /// `spaces`: all there are. Returns what is broken, a line each: empty if nothing is.
  static std::string broken(const std::vector<const guest::AddressSpace*>& spaces) {
    Invariants check;
    for (const auto* space : spaces) {
      check.regions(*space);
      check.extents(*space);
      check.host(*space);
    }
    for (auto [frame, count] : check.mapped_) {
      if (guest::frame_references(frame) < count)
        check.say() << "frame " << frame << " is mapped " << count << " times, counted "
                    << guest::frame_references(frame);
    }
    return check.text_.str();
  }

 private:
  std::ostream& say() { return text_ << (text_.tellp() > 0 ? "\n" : ""); }
  std::ostream& say(const guest::AddressSpace& space, std::uint64_t va) {
    return say() << "space " << space.id() << ", 0x" << std::hex << va << std::dec << ": ";
  }

  void regions(const guest::AddressSpace& space) {
    std::uint64_t end = vmi::user_begin;
    std::size_t count = 0;
    for (auto* region = space.regions().first(); region; region = region->following(), ++count) {
      if (region->va < end) say(space, region->va) << "a region overlaps the one before";
      if (region->va >= region->end || region->va % vmi::page_size || region->end % vmi::page_size)
        say(space, region->va) << "a region ends at " << std::hex << region->end << std::dec;
      end = region->end;
    }
    if (end > vmi::user_end) say(space, end) << "a region ends beyond user memory";
    if (count != space.regions().size()) say(space, 0) << "regions are miscounted";
  }

  /// The bits that an extent of the region may have: a machine that writes also reads.
  static std::uint32_t allowed_by(const guest::RegionSource& source) {
    return source.protection & vmi::prot_write ? source.protection | vmi::prot_read
                                               : source.protection;
  }

  void extents(const guest::AddressSpace& space) {
    std::uint64_t end = 0;
    std::size_t count = 0;
    for (auto* run = space.extents().first(); run; run = run->following(), ++count) {
      if (run->va < end || !run->count) say(space, run->va) << "an extent overlaps, or is empty";
      end = run->end();
      const guest::Region* region = space.regions().find(run->va);
      if (!region || end > region->end) {
        say(space, run->va) << "an extent crosses its region's boundary";
        continue;
      }
      if (run->protection & ~allowed_by(region->source))
        say(space, run->va) << "an extent allows " << run->protection << ", its region "
                            << region->source.protection;
      frames(space, *run, !region->source.shared && run->protection & vmi::prot_write);
    }
    if (count != space.extents().size()) say(space, 0) << "extents are miscounted";
  }

  void frames(const guest::AddressSpace& space, const guest::ExtentNode& run, bool alone) {
    if (run.frame >= guest::frames_total().number ||
        run.count.number > guest::frames_total().number - run.frame) {
      say(space, run.va) << "an extent has frames that do not exist";
      return;
    }
    for (std::uint32_t i = 0; i < run.count.number; ++i) {
      const vmi::Frame frame = run.frame + i;
      ++mapped_[frame];
      if (guest::frame_references(frame) == 0)
        say(space, run.va) << "frame " << frame << " is free";
      if (alone && guest::frame_references(frame) != 1)
        say(space, run.va) << "private, writable frame " << frame << " is shared";
    }
  }

  void host(const guest::AddressSpace& space) {
    const FakePlatform& platform = FakePlatform::instance();
    const auto parked = platform.parked.find(space.id());
    if (space.id() == platform.current_space) {
      host(space, platform.mappings);
    } else if (parked != platform.parked.end()) {
      host(space, parked->second);
    }
  }

  void host(const guest::AddressSpace& space, const FakePlatform::Mappings& mappings) {
    for (const auto& [va, mapping] : mappings) {
      const guest::ExtentNode* extent = space.extents().find(va);
      if (!extent) {
        say(space, va) << "the host maps frame " << mapping.frame << " where no extent is";
      } else if (extent->frame_at(va) != mapping.frame) {
        say(space, va) << "the host maps frame " << mapping.frame << ", the extent says "
                       << extent->frame_at(va);
      } else if (mapping.protection & ~extent->protection) {
        say(space, va) << "the host allows " << mapping.protection << ", the extent "
                       << extent->protection;
      }
    }
  }

  std::ostringstream text_;
  std::map<vmi::Frame, std::uint32_t> mapped_;  // how often, in all spaces
};

}  // namespace guest_test
