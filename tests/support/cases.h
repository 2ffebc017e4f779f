// Which topics are tested at which points of the axes. For the drivers of conformance and hostile
// programs, whose whole product takes longer than an everyday run should.
#pragma once

#include <string>
#include <tuple>
#include <vector>

namespace support {

using Case = std::tuple<std::string, std::string>;  // topic, point

/// Every topic at baseline and extended, and at a few of the other points: a sample by a seed that
/// is another one each day, so that days make up the whole. TYPETWO_TEST_SEED sets it;
/// TYPETWO_TEST_ALL takes every point. What is taken is said on stdout.
std::vector<Case> cases(const std::vector<std::string>& topics,
                        const std::vector<std::string>& points);

/// The words of a definition that the build makes: it knows which programs there are.
std::vector<std::string> topics_of(const std::string& words);

/// "topic_on_point" as a test's name may have it.
std::string case_name(const Case&);

}  // namespace support
