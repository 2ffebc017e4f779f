// typetwo claims: what results say of the claims in results/claims.
#include "cli/commands.h"
#include "cli/options.h"
#include "monitor/tool/error.h"
#include "monitor/tool/message.h"
#include "workloads/harness/claims_report.h"

namespace cli {

int claims_main(const Words& words) {
  options::options_description visible("options");
  visible.add_options()("format",
                        options::value<std::string>()->default_value("text")->value_name("FORMAT"),
                        "text, markdown, latex or html");
  Help help{"typetwo claims RESULTS [OPTIONS]",
            "RESULTS is a folder that `typetwo run` made, or a results file. A claim is judged\n"
            "where all that it needs was measured; only an interval of at least five launches\n"
            "decides. Exit status: 1 when a claim does not hold, 0 when none fails.\n"};
  const auto values = parse(words, visible, help, "results");
  if (!values) return 0;
  const auto given = values->contains("results") ? (*values)["results"].as<Words>() : Words{};
  if (given.size() != 1) throw monitor::UsageError("name one results folder or file");
  const auto format = harness::parse_format((*values)["format"].as<std::string>());
  const results::File file = results::read(given.front());
  const auto judgements = results::judge(results::claims(), file, results::summarize(file));
  if (judgements.empty()) {
    monitor::say("typetwo claims: {} measures nothing that a claim is about\n", file.path);
  }
  monitor::print("{}", harness::render(judgements, format));
  for (const auto& one : judgements) {
    if (one.verdict == results::Verdict::fails) return 1;
  }
  return 0;
}

}  // namespace cli
