// Specifications of workloads: those of the repository, and made-up ones, right and wrong.
#include "workloads/harness/workload_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "machines/kinds.h"
#include "monitor/tool/error.h"

namespace harness {
namespace {

using monitor::Config;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class Specs : public testing::Test {
 protected:
  Specs() {
    char name[] = "/tmp/specs-test-XXXXXX";
    folder_ = mkdtemp(name);
    std::filesystem::create_directories(folder_ + "/micro");
    std::filesystem::create_directories(folder_ + "/macro/big");
  }
  ~Specs() override { std::filesystem::remove_all(folder_); }
  void micro(const std::string& stem, const std::string& text) {
    std::ofstream(folder_ + "/micro/" + stem + ".json") << text;
  }
  void macro(const std::string& text) {
    std::ofstream(folder_ + "/macro/big/workload.json") << text;
  }
  /// With what each must have.
  static std::string spec(const std::string& more) {
    return R"({"measures": "m", "unit": "ms", "run": ["/bin/x", "{count}"])" + more + "}";
  }
  std::vector<Workload> load() const { return load_workloads(folder_, "/built"); }
  std::string refusal(const std::string& text) {
    micro("one", text);
    try {
      (void)load();
    } catch (const monitor::HostError& error) {
      return error.what();
    }
    return "taken";
  }

  std::string folder_;
};

TEST_F(Specs, TheFolderIsTheRegistry) {
  micro("b_two", spec(""));
  micro("a", spec(R"(, "quick": 2)"));
  micro("z", spec(R"(, "quick": 1)"));
  macro(spec(""));
  std::vector<std::string> names;
  for (const Workload& workload : load()) names.push_back(workload.info.name);
  EXPECT_THAT(names, ElementsAre("z", "a", "b-two", "big"));
  EXPECT_TRUE(load()[1].info.in_quick);
  EXPECT_FALSE(load()[2].info.in_quick);
}

TEST_F(Specs, CountsGoBySpeedClassOrConfigurationAndBySize) {
  micro("one", spec(R"(, "counts": {"standalone": 100, "extended": 10, "open": 50,
                       "extended:spaces=remap": 3}, "sizes": {"full": {"times": 7}})"));
  const Workload one = load().front();
  const auto count = [&](const char* config, Effort effort = Effort::quick) {
    return make_work(one, machines::parse(config), effort).count;
  };
  EXPECT_EQ(count("standalone"), 100u);
  EXPECT_EQ(count("extended:protect=none"), 50u);
  EXPECT_EQ(count("extended:trap=sigsys,protect=none"), 10u);
  EXPECT_EQ(count("extended:spaces=remap"), 3u);
  EXPECT_EQ(count("extended", Effort::full), 70u);
  EXPECT_EQ(make_work(one, machines::standalone(), Effort::full).argv, (Words{"/bin/x", "700"}));
}

TEST_F(Specs, AFullRunHasFourTimesTheCountsUnlessTold) {
  micro("one", spec(R"(, "counts": {"standalone": 5})"));
  macro(spec(""));
  EXPECT_EQ(make_work(load()[0], machines::standalone(), Effort::full).count, 20u);
  EXPECT_EQ(make_work(load()[1], machines::standalone(), Effort::full).count, 1u);
}

TEST_F(Specs, TextsHoldWordsInBraces) {
  macro(R"({"measures": "m", "unit": "s", "run": ["/bin/x", "{tree}"],
            "files": {"/data": "{prepared}/{tree}", "/own": "own.txt"},
            "environment": {"A": "{pairs}"}, "pairs": 3,
            "prepare": ["{built}/make", "{prepared}"],
            "check": {"exact": "{operations} {{done}}\n"},
            "sizes": {"quick": {"tree": "small"}, "full": {"tree": "large"}}})");
  const Work work =
      make_work(load()[0], machines::standalone(), Effort::full, {.prepared = "/scratch"});
  EXPECT_EQ(work.argv, (Words{"/bin/x", "large"}));
  EXPECT_THAT(work.add, ElementsAre(machines::Addition{"/scratch/large", "/data"},
                                    machines::Addition{folder_ + "/macro/big/own.txt", "/own"}));
  EXPECT_THAT(work.env, ElementsAre("A=3"));
  EXPECT_EQ(work.check.exact, "3 {done}\n");
  EXPECT_EQ(load()[0].built, "/built/macro/big");
}

TEST_F(Specs, AGuestIsGivenAPartOfTheHostsNetwork) {
  micro("one", spec(R"(, "client": ["{built}/x", "{port}"], "connect": ["127.0.0.1:{port}"],
                       "publish": ["{port}:80"])"));
  const Work work = make_work(load()[0], machines::parse("extended"), Effort::quick,
                              {.prepared = "", .port = 99});
  EXPECT_EQ(work.client, (Words{"/built/micro/x", "99"}));
  EXPECT_EQ(work.connect, (Words{"127.0.0.1:99"}));
  EXPECT_EQ(work.publish, (Words{"99:80"}));
  EXPECT_THAT(refusal(spec(R"(, "connect": ["127.0.0.1:{prot}"])")), HasSubstr("{port}"));
}

TEST_F(Specs, WhatIsWrongIsSaidWithFileAndKey) {
  EXPECT_THAT(refusal(spec(R"(, "cuonts": {})")),
              AllOf(HasSubstr("micro/one.json"), HasSubstr("did you mean counts")));
  EXPECT_THAT(refusal("{"), AllOf(HasSubstr("micro/one.json"), HasSubstr("parse error")));
  EXPECT_THAT(refusal("[]"), HasSubstr("no object"));
  EXPECT_THAT(refusal(R"({"unit": "s", "run": ["/x"]})"), HasSubstr("'measures' is missing"));
  EXPECT_THAT(refusal(R"({"measures": "m", "run": ["/x"]})"), HasSubstr("'unit' is missing"));
  EXPECT_THAT(refusal(R"({"measures": "m", "unit": "s"})"), HasSubstr("'run' is missing"));
  EXPECT_THAT(refusal(R"({"measures": "m", "unit": "h", "run": ["/x"]})"), HasSubstr("unit 'h'"));
  EXPECT_THAT(refusal(spec(R"(, "pairs": "two")")), HasSubstr("'pairs' is \"two\""));
  EXPECT_THAT(refusal(spec(R"(, "counts": {"extended": 0})")), HasSubstr("is 0"));
  EXPECT_THAT(refusal(spec(R"(, "files": {"/a": "{nowhere}"})")), HasSubstr("'{nowhere}'"));
  EXPECT_THAT(refusal(spec(R"(, "check": {"exact": "a", "hash": "b"})")),
              HasSubstr("more than one"));
  EXPECT_THAT(refusal(spec(R"(, "check": {"ignore": ["("]})")), HasSubstr("regular expression"));
  EXPECT_THAT(refusal(spec(R"(, "configurations": ["extendde"])")), HasSubstr("extendde"));
  EXPECT_THAT(refusal(spec(R"(, "image": {"packages": []}, "files": {"/a": "b"})")),
              HasSubstr("'files' and 'image'"));
  EXPECT_EQ(refusal(spec("")), "taken");
  micro("big", spec(""));
  macro(spec(""));
  EXPECT_THROW((void)load(), monitor::HostError);
}

TEST(Workloads, OfTheRepositoryFitTheirCounts) {
  for (const Workload& workload : workloads()) {
    const Work work = make_work(workload, machines::standalone(), Effort::quick);
    EXPECT_GT(work.count, 0u) << workload.info.name;
    EXPECT_EQ(work.argv.at(0)[0], '/') << workload.info.name;
  }
  const Work work = make_work(find_workload("null-syscall"), machines::standalone(), Effort::quick);
  EXPECT_EQ(*work.check.exact, "null-syscall " + std::to_string(work.count * work.pairs) + "\n");
}

}  // namespace
}  // namespace harness
