// typetwo plot: words to harness::PlotOptions.
#include "cli/commands.h"
#include "cli/options.h"
#include "monitor/tool/error.h"
#include "workloads/harness/harness.h"

namespace cli {

int plot_main(const Words& words) {
  options::options_description visible("options");
  visible.add_options()("out", options::value<std::string>()->value_name("DIR"),
                        "folder for the figures (otherwise next to the results)");
  Help help{
      "typetwo plot RESULTS... [OPTIONS]",
      "RESULTS are folders that `typetwo run` made, or results files. FOLDER/results.jsonl gives\n"
      "FOLDER/figure.svg and .png; NAME.jsonl gives NAME.svg and .png.\n"};
  auto values = parse(words, visible, help, "results");
  if (!values) return 0;
  if (!values->contains("results")) {
    throw monitor::UsageError("no results: name a folder that typetwo run made");
  }
  harness::PlotOptions plot;
  plot.results = (*values)["results"].as<Words>();
  if (values->contains("out")) plot.out = (*values)["out"].as<std::string>();
  return harness::plot_command(plot);
}

}  // namespace cli
