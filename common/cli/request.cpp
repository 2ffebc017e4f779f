// From words to a request. What is refused here is refused as a wrong option (exit status 2), with
// the remedy; what only the host knows comes later (run_request.cpp).
#include "cli/request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "machines/kinds.h"
#include "monitor/tool/error.h"
#include "workloads/harness/context.h"
#include "workloads/image/root_image.h"

namespace cli {

using machines::Request;
using monitor::UsageError;

void add_machine_options(options::options_description& visible) {
  auto add = visible.add_options();
  add("on", options::value<std::string>()->default_value("extended")->value_name("CONFIG"),
      "where it runs");
  add("root", options::value<std::string>()->value_name("DIR|IMAGE"),
      "the guest's files: a copy of this folder, or a raw ext2 image");
  add("add", options::value<Words>()->composing()->value_name("HOSTPATH:GUESTPATH"),
      "put a file or folder into the guest; may be repeated");
  add("read-only", "a guest does not write the image");
  add("env", options::value<Words>()->composing()->value_name("K=V"),
      "environment of the program, which is empty otherwise; may be repeated");
  add("publish", options::value<Words>()->composing()->value_name("[ADDRESS:]HOSTPORT:GUESTPORT"),
      "a port of the host, of its loopback unless ADDRESS is given, leads to a port of the guest; "
      "may be repeated");
  add("connect", options::value<Words>()->composing()->value_name("HOST:PORT,..."),
      "the guest may connect to these, and to nothing else outside; may be repeated");
  add("memory", options::value<std::string>()->default_value("1G")->value_name("SIZE"),
      "guest RAM, with K, M or G: 16M to 2G");
  add("fill", options::value<std::string>()->default_value("ahead")->value_name("WHEN"),
      "guest RAM gets the host's memory before the guest starts, ahead of its use, or on demand");
  add("timeout", options::value<std::string>()->value_name("SECONDS"), "stop the guest after that");
  add("cpu", options::value<int>()->value_name("N"),
      "host CPU for all of the guest (otherwise the last allowed one)");
  add("report", options::value<std::string>()->value_name("FILE"),
      "write times, counters and markers there, as JSON");
  add("summary", "print them on stderr, readably");
  add("account", "keep account of where the guest's time goes (costs it up to 3 %)");
}

void add_watching_options(options::options_description& visible) {
  visible.add_options()("strace", "print the guest's system calls on stderr, as strace would")(
      "debug", options::value<std::string>()->value_name("SOCKET"),
      "wait for gdb at this Unix socket, which then has the guest (docs/debugging.md)")(
      "observe", "record every host call of the guest in the report (slow; for tests)");
}

namespace {

std::string text_of(const options::variables_map& values, const char* option) {
  return values.contains(option) ? values[option].as<std::string>() : "";
}

Words words_of(const options::variables_map& values, const char* option) {
  return values.contains(option) ? values[option].as<Words>() : Words{};
}

machines::Addition addition(const std::string& word) {
  const auto colon = word.rfind(":/");
  if (colon == std::string::npos || colon == 0) {
    throw UsageError(fmt::format("--add '{}' is not of the form HOSTPATH:/GUESTPATH", word));
  }
  return {word.substr(0, colon), word.substr(colon + 1)};
}

Words environment(Words words) {
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw UsageError(fmt::format("--env '{}' is not of the form K=V", word));
    }
  }
  return words;
}

int allowed_cpu(int cpu) {
  const auto allowed = harness::allowed_cpus();
  if (std::find(allowed.begin(), allowed.end(), cpu) == allowed.end()) {
    throw UsageError(fmt::format("--cpu {} is none that this process may use: choose one of {}",
                                 cpu, fmt::join(allowed, ", ")));
  }
  return cpu;
}

void check_root(const Request& request) {
  if (request.root_is_image) {
    image::read_superblock(request.root);
    if (!request.add.empty()) {
      throw UsageError("--add puts nothing into an image: add it to a folder, with --root DIR");
    }
  } else if (request.read_only) {
    throw UsageError("--read-only is about an image, and --root names none");
  }
}

monitor::OutsideRules outside(const Words& publish, const Words& connect) {
  monitor::OutsideRules rules;
  for (const auto& word : publish) monitor::add_publication(word, rules);
  for (const auto& word : connect) monitor::add_permissions(word, rules);
  return rules;
}

/// What can be asked of a guest alone.
void check_watching(const Request& request) {
  const struct {
    bool asked;
    const char *option, *instead;
  } watching[] = {
      {request.strace, "strace", "use the host's own strace there"},
      {request.account, "account", "use the host's own perf there"},
      {request.observe, "observe", "there is no monitor to watch"},
      {!request.debug.empty(), "debug", "run gdb itself there"},
      {!request.outside.publish.empty(), "publish", "its ports are the host's own there"},
      {!request.outside.connect.empty(), "connect", "it has the host's own network there"},
  };
  for (const auto& [asked, option, instead] : watching) {
    if (asked && !request.on.is_guest()) {
      throw UsageError(fmt::format("--{} is for guests, and {} has none: {}", option,
                                   request.on.kind->name, instead));
    }
  }
  if (request.observe && !request.debug.empty()) {
    throw UsageError("--debug and --observe exclude one another: one tracer");
  }
}

}  // namespace

Request request_from(const options::variables_map& values, const Words& program) {
  Request request{.on = machines::parse(text_of(values, "on"))};
  request.root = text_of(values, "root");
  std::error_code none;
  request.root_is_image = std::filesystem::is_regular_file(request.root, none);
  request.read_only = values.contains("read-only");
  for (const auto& word : words_of(values, "add")) request.add.push_back(addition(word));
  request.environment = environment(words_of(values, "env"));
  request.outside = outside(words_of(values, "publish"), words_of(values, "connect"));
  request.memory_bytes = parse_memory(text_of(values, "memory"));
  request.fill = monitor::parse_fill(text_of(values, "fill"));
  if (values.contains("timeout")) {
    request.timeout_seconds = parse_seconds(text_of(values, "timeout"), "--timeout");
  }
  if (values.contains("cpu")) request.cpu = allowed_cpu(values["cpu"].as<int>());
  request.account = values.contains("account");
  request.strace = values.contains("strace");
  request.observe = values.contains("observe");
  request.summary = values.contains("summary");
  request.report = text_of(values, "report");
  request.debug = text_of(values, "debug");
  request.program = program;
  check_root(request);
  check_watching(request);
  return request;
}

Split split_at_dashes(const Words& words) {
  const auto dashes = std::find(words.begin(), words.end(), "--");
  if (dashes == words.end()) return {words, {}};
  return {{words.begin(), dashes}, {dashes + 1, words.end()}};
}

std::string config_help() {
  std::string text = "CONFIG is one of these, or a point on its axes, the default first:\n";
  for (const monitor::Kind* kind : machines::kinds()) {
    std::string axes;
    for (const monitor::Axis& axis : kind->axes) {
      if (axis.words.size() < 2) continue;
      axes +=
          fmt::format("{}{}={}", axes.empty() ? ":" : ",", axis.name, fmt::join(axis.words, "|"));
    }
    text += fmt::format("  {:<11} {}\n", kind->name, kind->about);
    if (!axes.empty()) text += fmt::format("    {}{}\n", kind->name, axes);
  }
  return text;
}

}  // namespace cli
