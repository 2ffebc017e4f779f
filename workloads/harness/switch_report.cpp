// Facts of the sweep over touched memory.
#include "workloads/harness/switch_report.h"

#include <fmt/format.h>

#include "results/switch_sweep.h"
#include "workloads/harness/text_table.h"

namespace harness {

std::string switch_facts(const results::Summary& summary) {
  const results::SwitchPoint least = results::switch_sweep.front();
  const results::SwitchPoint most = results::switch_sweep.back();
  std::string text;
  for (const results::Cell& cell : summary.cells) {
    if (cell.workload != least.name() || cell.runs() == 0) continue;
    const results::Cell* large = summary.find(most.name(), cell.config);
    if (large == nullptr || large->runs() == 0) continue;
    const auto growth = results::ratio_of(*large, cell);
    text += fmt::format(
        "  round trip, {}: {} us with {} MiB touched in each process, {} us with {} MiB "
        "({} runs): x{}\n",
        cell.config, number(cell.median), least.mib, number(large->median), most.mib, most.runs(),
        ratio_text(growth));
  }
  return text;
}

}  // namespace harness
