// What tests of the tool's end have in common: whatever they did, afterwards there is no process,
// no mount, no temporary file and no descriptor that was not there before.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace support {

class LeavesNothing : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override;
  void TearDown() override;

 private:
  std::set<std::string> files_;
  std::vector<std::string> mounts_;
  std::size_t descriptors_ = 0;
};

}  // namespace support
