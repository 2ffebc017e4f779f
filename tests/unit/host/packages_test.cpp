// The closure of Debian packages' dependencies, over made-up answers of dpkg-query.
#include "workloads/image/packages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitor/tool/error.h"

namespace {

using image::PackageDatabase;
using image::parse_packages;
using testing::ElementsAre;
using testing::HasSubstr;

std::string line(const std::string& name, const std::string& pre_depends,
                 const std::string& depends, const std::string& provides = "",
                 const std::string& status = "installed", const std::string& arch = "amd64") {
  return name + '\t' + arch + "\t1:2.0-3\t" + status + '\t' + pre_depends + '\t' + depends + '\t' +
         provides + '\n';
}

std::vector<std::string> closure(const std::string& text, const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const auto& package : PackageDatabase(parse_packages(text)).closure(names)) {
    found.push_back(package.name);
  }
  return found;
}

std::string missing(const std::string& text, const std::vector<std::string>& names) {
  try {
    closure(text, names);
  } catch (const monitor::HostError& error) {
    return error.what();
  }
  return "";
}

TEST(Packages, FieldsAreParsed) {
  auto packages = parse_packages(
      line("bash", "libc6 (>= 2.36), libtinfo6:any (>= 6)", "a [amd64] | b, c", "sh, x (= 1)"));
  ASSERT_EQ(packages.size(), 1u);
  EXPECT_EQ(packages[0].version, "1:2.0-3");
  EXPECT_TRUE(packages[0].installed);
  EXPECT_THAT(packages[0].depends, ElementsAre(ElementsAre("libc6"), ElementsAre("libtinfo6"),
                                               ElementsAre("a", "b"), ElementsAre("c")));
  EXPECT_THAT(packages[0].provides, ElementsAre("sh", "x"));
}

TEST(Packages, LinesThatAreNone) {
  EXPECT_TRUE(parse_packages("").empty());
  EXPECT_TRUE(parse_packages("\n\n").empty());
  EXPECT_EQ(parse_packages("cut\tamd64").size(), 1u);
  EXPECT_FALSE(parse_packages("cut\tamd64")[0].installed);
}

TEST(Packages, ClosureFollowsBothKindsOfDependenciesAndLoops) {
  std::string text = line("a", "b", "c (>= 1)") + line("b", "", "a") + line("c", "d", "") +
                     line("d", "", "", "", "installed", "all") + line("unrelated", "", "a");
  EXPECT_THAT(closure(text, {"a"}), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(closure(text, {"d", "d"}), ElementsAre("d"));
  EXPECT_TRUE(closure(text, {}).empty());
}

TEST(Packages, TheFirstInstalledAlternativeIsTaken) {
  std::string text = line("a", "", "x | y | z") + line("x", "", "", "", "config-files") +
                     line("y", "", "") + line("z", "", "");
  EXPECT_THAT(closure(text, {"a"}), ElementsAre("a", "y"));
}

TEST(Packages, VirtualPackagesAreProvided) {
  std::string text = line("base", "awk", "") + line("mawk", "", "", "awk", "not-installed") +
                     line("gawk", "", "", "awk");
  EXPECT_THAT(closure(text, {"base"}), ElementsAre("base", "gawk"));
}

TEST(Packages, AnotherArchitecturesPackageIsNotOurs) {
  std::string text = line("a", "", "libc6") + line("libc6", "", "", "", "installed", "i386");
  EXPECT_THAT(missing(text, {"a"}), HasSubstr("libc6"));
}

TEST(Packages, WithTriggersToRunTheyAreInstalled) {
  for (const char* status : {"triggers-pending", "triggers-awaited"})
    EXPECT_THAT(closure(line("a", "", "", "", status), {"a"}), ElementsAre("a"));
  for (const char* status : {"half-installed", "unpacked", "half-configured", "config-files"})
    EXPECT_THAT(missing(line("a", "", "", "", status), {"a"}), HasSubstr("a")) << status;
}

TEST(Packages, MissingOnesAreAllNamedWithTheirRemedy) {
  std::string text = line("a", "", "x | y, z");
  EXPECT_THAT(missing(text, {"a", "perl"}), HasSubstr("run: apt-get install perl x z"));
}

}  // namespace
