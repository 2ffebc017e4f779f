// Reading and writing results.jsonl.
#include "results/results.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "machines/kinds.h"
#include "monitor/tool/error.h"
#include "monitor/tool/output_file.h"
#include "results/outcome_record.h"

namespace results {

using nlohmann::json;

namespace {

json to_json(const CpuShare& cpu) {
  return {{"elapsed_seconds", cpu.elapsed_seconds}, {"own_seconds", cpu.own_seconds},
          {"idle_seconds", cpu.idle_seconds},       {"steal_seconds", cpu.steal_seconds},
          {"waited_seconds", cpu.waited_seconds},   {"load", cpu.load}};
}

CpuShare cpu_share_from_json(const json& cpu) {
  return {cpu.at("elapsed_seconds"), cpu.at("own_seconds"),    cpu.at("idle_seconds"),
          cpu.at("steal_seconds"),   cpu.at("waited_seconds"), cpu.at("load")};
}

}  // namespace

monitor::Config config_of(const Launch& launch) try {
  return machines::parse(launch.config == standalone_again ? standalone : launch.config);
} catch (const monitor::UsageError& error) {
  throw monitor::HostError(fmt::format("results of another version of typetwo: {}", error.what()));
}

double CpuShare::taken_seconds() const {
  return std::max({elapsed_seconds - own_seconds - idle_seconds, steal_seconds, 0.0});
}

bool CpuShare::disturbed() const {
  constexpr double ticks = 0.025, little = 0.03;
  return taken_seconds() > std::max(ticks, little * elapsed_seconds);
}

json to_json(const Header& header) {
  return {{"schema", schema_version},
          {"kind", "typetwo-results"},
          {"started", header.started},
          {"options", header.options},
          {"context", header.context}};
}

Header header_from_json(const json& line) {
  return {line.at("started"), line.at("options"), line.at("context")};
}

json to_json(const Launch& launch) {
  json line = {{"workload", launch.workload},
               {"config", launch.config},
               {"axes", launch.axes},
               {"promise", launch.promise},
               {"unit", launch.unit},
               {"round", launch.round},
               {"warmup", launch.warmup},
               {"count", launch.count},
               {"samples", launch.samples},
               {"ok", launch.ok()},
               {"output_hash", launch.output_hash},
               {"report", outcome_record(launch.outcome, config_of(launch))}};
  if (launch.cpu) line["cpu"] = to_json(*launch.cpu);
  if (!launch.ok()) {
    line["problem"] = launch.problem;
    line["stderr"] = launch.stderr_tail;
  }
  return line;
}

Launch launch_from_json(const json& line) {
  Launch launch;
  launch.workload = line.at("workload");
  launch.config = line.at("config");
  launch.axes = line.at("axes");
  launch.promise = line.at("promise");
  launch.unit = line.at("unit");
  launch.round = line.at("round");
  launch.warmup = line.at("warmup");
  launch.count = line.at("count");
  launch.samples = line.at("samples").get<std::vector<double>>();
  launch.output_hash = line.at("output_hash");
  launch.outcome = outcome_from_record(line.at("report"));
  if (line.contains("cpu")) launch.cpu = cpu_share_from_json(line.at("cpu"));
  if (!line.at("ok").get<bool>()) {
    launch.problem = line.at("problem");
    launch.stderr_tail = line.at("stderr");
  }
  return launch;
}

std::string locate(const std::string& folder_or_file) {
  const std::filesystem::path path(folder_or_file);
  return std::filesystem::is_directory(path) ? path / file_name : path;
}

namespace {

/// Up to the end of the last complete line.
std::size_t whole_lines(const std::string& text) {
  const std::size_t end = text.rfind('\n');
  return end == std::string::npos ? 0 : end + 1;
}

std::string whole_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw monitor::HostError(
        fmt::format("cannot read results '{}': {}; name a folder that "
                    "`typetwo run --out` wrote",
                    path, std::strerror(errno)));
  }
  return {std::istreambuf_iterator<char>(in), {}};
}

void read_header(File& file, const json& line) {
  if (!line.is_object() || line.value("kind", "") != "typetwo-results") {
    throw monitor::HostError(file.path + " is not a results file of typetwo");
  }
  if (line.at("schema") != 1 && line.at("schema") != schema_version) {
    throw monitor::HostError(fmt::format(
        "{} has schema version {}, this typetwo reads 1 and {}; use the typetwo that wrote it",
        file.path, line.at("schema").dump(), schema_version));
  }
  file.header = header_from_json(line);
}

}  // namespace

File read(const std::string& folder_or_file) {
  File file;
  file.path = locate(folder_or_file);
  const std::string text = whole_file(file.path);
  std::size_t number = 0, begin = 0;
  for (;;) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // the rest, if any, is an incomplete line
    ++number;
    try {
      const json line = json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                    text.begin() + static_cast<std::ptrdiff_t>(end));
      if (number == 1) {
        read_header(file, line);
      } else {
        file.launches.push_back(launch_from_json(line));
      }
    } catch (const json::exception& error) {
      if (number == 1) {
        throw monitor::HostError(file.path +
                                 " is no results file, or its first line is damaged: name a folder "
                                 "that typetwo run made");
      }
      throw monitor::HostError(fmt::format("{}:{} is damaged ({}); remove that line or the file",
                                           file.path, number, error.what()));
    }
    begin = end + 1;
  }
  if (number == 0) {
    throw monitor::HostError(file.path +
                             " is empty: its run ended before its first line; run again");
  }
  file.valid_bytes = begin;
  return file;
}

bool is_begun(const std::string& folder) {
  const std::string path = std::filesystem::path(folder) / file_name;
  if (!std::filesystem::exists(path)) return false;
  if (!std::filesystem::is_regular_file(path)) {
    throw monitor::HostError(path + " is no regular file: remove it, or choose another --out");
  }
  return whole_lines(whole_file(path)) > 0;
}

Writer::Writer(std::string path, int flags) : path_(std::move(path)) {
  fd_ = open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0644);
  if (fd_ < 0) monitor::throw_errno("cannot write " + path_, "choose another --out");
  if (flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
  const int cause = errno;
  close(fd_);
  if (cause == EWOULDBLOCK) {
    throw monitor::HostError("another run is writing " + path_ + "; choose another --out");
  }
  errno = cause;
  monitor::throw_errno("cannot lock " + path_, "choose another --out");
}

Writer::~Writer() {
  if (fd_ >= 0) close(fd_);
}

Writer Writer::create(const std::string& folder, const Header& header) {
  monitor::make_folder(folder);
  Writer writer(std::filesystem::path(folder) / file_name, O_CREAT);
  if (is_begun(folder)) {  // since we looked
    throw monitor::HostError("another run has just begun " + writer.path_ +
                             "; choose another --out");
  }
  writer.cut(0);
  writer.append_line(to_json(header));
  monitor::flush_folder(folder);
  return writer;
}

Writer Writer::resume(const File& file) {
  Writer writer(file.path, 0);
  if (whole_lines(whole_file(file.path)) != file.valid_bytes) {
    throw monitor::HostError("another run has just added to " + file.path + "; run this again");
  }
  writer.cut(file.valid_bytes);
  return writer;
}

void Writer::cut(std::uint64_t bytes) {
  if (ftruncate(fd_, static_cast<off_t>(bytes)) != 0) {
    monitor::throw_errno("cannot cut the incomplete last line off " + path_);
  }
}

void Writer::append(const Launch& launch) {
  append_line(to_json(launch));
}

void Writer::append_line(const json& line) {
  // Program output may hold bytes that are not UTF-8: replaced rather than refused.
  const std::string text = line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  const off_t before = lseek(fd_, 0, SEEK_END);
  if (monitor::write_all(fd_, text) && fdatasync(fd_) == 0) return;
  const int cause = errno;
  // Should this fail too, an incomplete last line is left, which readers drop.
  if (before >= 0) [[maybe_unused]]
    const int done = ftruncate(fd_, before);
  errno = cause;
  monitor::throw_unwritten(path_);
}

}  // namespace results
