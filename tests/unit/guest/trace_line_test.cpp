// TraceLine: what a trace says of failures.
#include "guest/syscall/trace_line.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace {

using namespace guest;

std::string told(int error) {
  TraceLine line;
  line.put_error(static_cast<Errno>(error));
  return std::string(line.view());
}

/// The host's C library knows the same names.
TEST(TraceLine, NamesErrorsAsTheHostDoes) {
  for (Errno error :
       {Errno::perm, Errno::again, Errno::loop, Errno::nodata, Errno::overflow, Errno::libbad,
        Errno::notsock, Errno::notsup, Errno::afnosupport, Errno::timedout}) {
    const int number = static_cast<int>(error);
    EXPECT_EQ(told(number), std::string("-1 ") + strerrorname_np(number));
  }
  EXPECT_EQ(told(333), "-1 (error 333)");
}

}  // namespace
