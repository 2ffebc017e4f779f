// What the tool says to a person on stderr. Nobody may be listening there: that must neither end
// what is going on nor hide it, so nothing is thrown. main() looks at ferror(stderr) at the end.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>

namespace monitor {

template <class... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace monitor
