// A workload's specification, in JSON: workloads/micro/NAME.json (its program is NAME.cpp there),
// or workloads/macro/NAME/workload.json with all that belongs to it in the same folder. CMake
// compiles each macro/NAME/*.cpp into a program in {built}, and puts macro/NAME/*.sh into the
// guests' /workloads.
//
//   measures        one line: what one operation is                               (required)
//   unit            of one operation: "ns", "us", "ms" or "s", less is better; or of operations:
//                   "1/s", "k/s" or "M/s", more is better                         (required)
//   run             the guest's first process, a list of words                    (required)
//   counts          operations between two markers, by speed class (standalone, baseline, extended,
//                   open: Traits::speed of monitor/machine/kind.h) or by a configuration's name;
//                   otherwise 1
//   pairs           markers start and stop so many times in a launch; otherwise 1
//   sizes           {"quick": {...}, "full": {...}}: a number "times" by which counts are larger,
//                   and words of your own for {NAME} in texts. Where there are counts, a full run
//                   has four times them
//   check           {"exact": TEXT}, {"hash": HASH, as results have it} or {"program": WORDS, on
//   the
//                   host, reading the output}; otherwise the output must be standalone's. Beside it
//                   "ignore": [REGULAR EXPRESSIONS] of lines that are no part of the answer
//   files           {GUEST PATH: HOST PATH}, beside what every root has; with "image" not possible
//   image           {"packages": [...]}: runs from a disk image of the default packages and these
//   environment     {NAME: VALUE}
//   memory_mib      guest RAM that it needs at least
//   prepare         run on the host once before the first launch, to fill the folder {prepared}
//   clean_up        run on the host after the last one, whatever happened
//   client          run on the host beside each launch, begun before it, with {port} in all texts
//                   for a free TCP port of the host's; it must end with 0, at the latest soon after
//                   the guest, and what it prints comes behind the guest's output
//   connect,        lists of what a guest is given of the host's network, as --connect and
//   publish         --publish have it; standalone is there anyway
//   quick           its place in a quick run that names no workload; none: not part of it
//   configurations  of such a run; otherwise baseline, extended and extended:protect=none
//   standalone_only true: it measures the host itself
#pragma once

#include <string>
#include <vector>

#include "workloads/harness/workload.h"

namespace harness {

/// All below `folder` (micro, macro). `built`: a folder with `micro`, where the programs of the
/// micro workloads are, and `macro`, with a folder for each of the others. Throws
/// monitor::HostError that names file, key and what it should be.
std::vector<Workload> load_workloads(const std::string& folder, const std::string& built);

}  // namespace harness
