// The results store: what is written is what is read, whatever moment the writer was killed at, and
// schema.json describes it. Summaries: what counts and what does not.
#include "results/results.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "monitor/tool/error.h"
#include "results/summary.h"

namespace results {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Launch launch(const std::string& config, std::vector<double> samples, unsigned round = 1) {
  Launch one;
  one.workload = "null-syscall";
  one.config = config;
  one.axes =
      config.find("none") == std::string::npos ? "" : "trap=sigsys,protect=none,spaces=remap";
  one.promise = "p";
  one.unit = "us";
  one.round = round;
  one.warmup = round == 0;
  one.count = 1000;
  one.samples = std::move(samples);
  one.output_hash = "00000000000000ff";
  one.outcome.cpu_seconds = 0.5;
  one.outcome.markers = {{123, "start null-syscall 1000 100"}, {456, "stop null-syscall 400"}};
  one.outcome.counters = {{"null_protocol_stops", 9}};
  return one;
}

Header header() {
  return {"2026-11-22T08:00:00Z", {{"runs", 5}}, {{"kernel", "Linux 6.18"}}};
}

class ResultsStore : public testing::Test {
 protected:
  ResultsStore() {
    char name[] = "/tmp/results-test-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~ResultsStore() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return locate(folder_); }
  std::string text() const {
    std::ifstream in(path());
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void append_text(const std::string& more) const { std::ofstream(path(), std::ios::app) << more; }
  std::string refusal() const {
    try {
      read(folder_);
    } catch (const monitor::HostError& error) {
      return error.what();
    }
    return "accepted";
  }

  std::string folder_;
};

TEST_F(ResultsStore, ReadsWhatItWrote) {
  Launch failed = launch("extended:protect=none", {});
  failed.problem = "wrong output";
  failed.stderr_tail = "line 1\nline 2 \xff";
  {
    Writer writer = Writer::create(folder_, header());
    writer.append(launch("standalone", {0.125, 0.1, 3.0}));
    writer.append(failed);
  }
  const File file = read(folder_);
  EXPECT_EQ(file.header, header());
  ASSERT_EQ(file.launches.size(), 2u);
  const Launch& first = file.launches[0];
  EXPECT_EQ(to_json(first), to_json(launch("standalone", {0.125, 0.1, 3.0})));
  EXPECT_EQ(first.samples, (std::vector<double>{0.125, 0.1, 3.0}));
  EXPECT_EQ(first.outcome.markers.at(1).host_ns, 456u);
  EXPECT_EQ(first.outcome.counters.at("null_protocol_stops"), 9u);
  EXPECT_FALSE(file.launches[1].ok());
  EXPECT_EQ(file.launches[1].problem, "wrong output");
  EXPECT_THAT(file.launches[1].stderr_tail, HasSubstr("line 2"));
}

TEST_F(ResultsStore, DropsAnIncompleteLastLine) {
  { Writer::create(folder_, header()).append(launch("standalone", {1})); }
  const std::string whole = text();
  append_text(R"({"workload": "null-sys)");
  const File file = read(folder_);
  EXPECT_EQ(file.launches.size(), 1u);
  EXPECT_EQ(file.valid_bytes, whole.size());
}

TEST_F(ResultsStore, ResumeGoesOnBehindTheLastWholeLine) {
  { Writer::create(folder_, header()).append(launch("standalone", {1})); }
  append_text("{\"workload");
  { Writer::resume(read(folder_)).append(launch("baseline", {85})); }
  const File file = read(folder_);
  ASSERT_EQ(file.launches.size(), 2u);
  EXPECT_EQ(file.launches[1].config, "baseline");
}

TEST_F(ResultsStore, EveryPrefixOfAFileIsReadable) {
  { Writer::create(folder_, header()).append(launch("standalone", {1})); }
  const std::string whole = text();
  const std::size_t first_line = whole.find('\n') + 1;
  for (std::size_t bytes = first_line; bytes <= whole.size(); bytes += 97) {
    std::filesystem::resize_file(path(), bytes);
    EXPECT_EQ(read(folder_).launches.size(), 0u) << bytes;
    std::ofstream(path()) << whole;
  }
  std::filesystem::resize_file(path(), first_line / 2);
  EXPECT_THAT(refusal(), HasSubstr("empty"));
}

TEST_F(ResultsStore, ADamagedLineIsNamed) {
  { Writer::create(folder_, header()).append(launch("standalone", {1})); }
  append_text("{\"workload\": 3}\n");
  EXPECT_THAT(refusal(), HasSubstr("results.jsonl:3 is damaged"));
}

TEST_F(ResultsStore, RefusesWhatIsNotResults) {
  EXPECT_THAT(refusal(), HasSubstr("cannot read results"));
  append_text("{}\n");
  EXPECT_THAT(refusal(), HasSubstr("not a results file"));
  std::filesystem::remove(path());
  json other = to_json(header());
  other["schema"] = 99;
  append_text(other.dump() + "\n");
  EXPECT_THAT(refusal(), HasSubstr("schema version 99"));
}

TEST_F(ResultsStore, TwoWritersDoNotMix) {
  const Writer first = Writer::create(folder_, header());
  EXPECT_THROW(Writer::resume(read(folder_)), monitor::HostError);
}

/// In a child whose files may not grow beyond `bytes`: what appending a launch says.
std::string append_with_limit(const std::function<Writer()>& open, std::uint64_t bytes) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    std::string why = "nothing went wrong";
    try {
      setrlimit(RLIMIT_FSIZE, &limit);
      open().append(launch("standalone", {1}));
    } catch (const monitor::HostError& error) {
      why = error.what();
    }
    _exit(write(ends[1], why.data(), why.size()) < 0);
  }
  close(ends[1]);
  char text[4096];
  const ssize_t got = ::read(ends[0], text, sizeof text);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return {text, got < 0 ? 0 : static_cast<std::size_t>(got)};
}

TEST_F(ResultsStore, ALineThatDoesNotFitIsTakenBackAndTheCauseIsNamed) {
  { Writer::create(folder_, header()).append(launch("standalone", {1})); }
  const std::string whole = text();
  EXPECT_THAT(append_with_limit([&] { return Writer::resume(read(folder_)); }, whole.size() + 100),
              HasSubstr("results.jsonl: File too large; raise the limit"));
  EXPECT_EQ(text(), whole);
  { Writer::resume(read(folder_)).append(launch("baseline", {2})); }
  EXPECT_EQ(read(folder_).launches.size(), 2u);
}

TEST_F(ResultsStore, WhatEndedBeforeItsFirstLineIsBegunAnew) {
  EXPECT_FALSE(is_begun(folder_));
  EXPECT_THAT(append_with_limit([&] { return Writer::create(folder_, header()); }, 10),
              HasSubstr("File too large"));
  EXPECT_FALSE(is_begun(folder_));
  append_text("{\"kind\": \"typet");
  EXPECT_FALSE(is_begun(folder_));
  { Writer::create(folder_, header()); }
  EXPECT_TRUE(is_begun(folder_));
  EXPECT_EQ(read(folder_).header, header());
  EXPECT_THROW(Writer::create(folder_, header()), monitor::HostError);  // that would be their end
  EXPECT_EQ(read(folder_).header, header());
}

TEST_F(ResultsStore, LinesThatAnotherRunAddedAreNotCutOff) {
  { Writer::create(folder_, header()).append(launch("standalone", {1})); }
  const File early = read(folder_);
  { Writer::resume(read(folder_)).append(launch("baseline", {2})); }
  EXPECT_THROW(Writer::resume(early), monitor::HostError);
  EXPECT_EQ(read(folder_).launches.size(), 2u);
}

TEST_F(ResultsStore, WhatIsNoFileIsLeftAlone) {
  std::filesystem::create_symlink("/dev/zero", folder_ + "/results.jsonl");
  EXPECT_THROW(is_begun(folder_), monitor::HostError);
}

bool is_of(const std::string& type, const json& value) {
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "boolean") return value.is_boolean();
  if (type == "array") return value.is_array();
  return type == "object" && value.is_object();
}

/// Enough of JSON Schema for ours: required fields, no others where that is forbidden, types.
void expect_matches(const json& definition, const json& line) {
  for (const auto& key : definition.at("required")) {
    EXPECT_TRUE(line.contains(key.get<std::string>())) << key;
  }
  if (!definition.contains("properties")) return;
  for (const auto& [key, value] : line.items()) {
    if (!definition["properties"].contains(key)) {
      EXPECT_TRUE(definition.value("additionalProperties", true)) << key << " is not in the schema";
      continue;
    }
    const json& property = definition["properties"][key];
    const std::string type = property.value("type", "");
    EXPECT_TRUE(type.empty() || is_of(type, value)) << key << " is not of type " << type;
    if (key == "report") expect_matches(property, value);
  }
}

TEST(ResultsSchema, DescribesWhatIsWritten) {
  std::ifstream in(TYPETWO_RESULTS_SCHEMA);
  const json schema = json::parse(in);
  expect_matches(schema.at("$defs").at("header"), to_json(header()));
  EXPECT_EQ(schema["$defs"]["header"]["properties"]["schema"]["enum"], json({1, schema_version}));
  Launch failed = launch("standalone-aa", {1});
  failed.problem = "timed out";
  Launch with_cpu = launch("baseline", {1});
  with_cpu.cpu = CpuShare{.elapsed_seconds = 1, .own_seconds = 0.5};
  for (const Launch& one : {launch("baseline", {1, 2}), failed, with_cpu}) {
    expect_matches(schema.at("$defs").at("launch"), to_json(one));
  }
}

File file_of(std::vector<Launch> launches) {
  File file;
  file.header = header();
  file.launches = std::move(launches);
  return file;
}

TEST(Summary, CountsNeitherWarmUpsNorFailures) {
  Launch wrong = launch("baseline", {1}, 2);
  wrong.problem = "wrong output";
  const Summary summary =
      summarize(file_of({launch("standalone", {7}, 0), launch("standalone", {2, 1, 3}),
                         launch("baseline", {20}), wrong, launch("baseline", {40}, 3)}));
  ASSERT_EQ(summary.cells.size(), 2u);
  EXPECT_EQ(summary.cells[0].launches, std::vector<double>{2});
  EXPECT_EQ(summary.cells[1].runs(), 2u);
  EXPECT_EQ(summary.cells[1].failed, 1u);
  EXPECT_DOUBLE_EQ(summary.cells[1].median, 30);
  EXPECT_DOUBLE_EQ(summary.cells[1].ratio->value, 15);
  EXPECT_DOUBLE_EQ(summary.cells[1].cpu_seconds, 0.5);
}

Launch disturbed(Launch one) {
  one.cpu = CpuShare{.elapsed_seconds = 2, .own_seconds = 1, .idle_seconds = 0.5};
  return one;
}

TEST(Summary, ALaunchIsDisturbedByWhatOthersHadOfItsCpu) {
  const auto is_disturbed = [](const CpuShare& share) { return share.disturbed(); };
  EXPECT_TRUE(is_disturbed({.elapsed_seconds = 2, .own_seconds = 1, .idle_seconds = 0.5}));
  EXPECT_FALSE(is_disturbed({.elapsed_seconds = 2, .own_seconds = 1, .idle_seconds = 0.98}));
  EXPECT_FALSE(is_disturbed({.elapsed_seconds = 0.1, .own_seconds = 0.08}));  // a tick or two
  EXPECT_FALSE(is_disturbed({.elapsed_seconds = 1, .own_seconds = 1.2}));
  EXPECT_TRUE(is_disturbed({.elapsed_seconds = 1, .own_seconds = 1, .steal_seconds = 0.1}));
}

TEST(Summary, DisturbedLaunchesCountOnlyWhereThereAreNoOthers) {
  std::vector<Launch> launches;
  for (int i = 0; i < 5; ++i) {
    launches.push_back(launch("standalone", {1}));
    launches.push_back(launch("baseline", {10}));
    launches.push_back(disturbed(launch("baseline", {40})));
    launches.push_back(disturbed(launch("extended", {3})));
  }
  const Summary summary = summarize(file_of(launches));
  const Cell &baseline = *summary.find("null-syscall", "baseline"),
             &extended = *summary.find("null-syscall", "extended");
  EXPECT_DOUBLE_EQ(baseline.median, 10);
  EXPECT_EQ(baseline.runs(), 5u);
  EXPECT_EQ(baseline.disturbed, 5u);
  EXPECT_TRUE(baseline.ratio->has_interval);
  EXPECT_DOUBLE_EQ(extended.median, 3);
  EXPECT_TRUE(extended.only_disturbed);
  EXPECT_FALSE(extended.ratio->has_interval);
  EXPECT_FALSE(ratio_of(baseline, extended).has_interval);
}

TEST(Summary, TheRepetitionIsNoiseAndNotAConfiguration) {
  const Summary summary =
      summarize(file_of({launch("standalone", {2}), launch("standalone-aa", {2.2})}));
  EXPECT_EQ(summary.cells.size(), 1u);
  ASSERT_EQ(summary.noise.size(), 1u);
  EXPECT_DOUBLE_EQ(summary.noise[0].ratio->value, 1.1);
  EXPECT_DOUBLE_EQ(summary.cells[0].ratio->high, 1);
}

TEST(Summary, NoRatioWithoutStandalone) {
  const Summary summary = summarize(file_of({launch("extended:protect=none", {2})}));
  EXPECT_FALSE(summary.cells[0].ratio);
  EXPECT_TRUE(summary.cells[0].unprotected);
}

}  // namespace
}  // namespace results
