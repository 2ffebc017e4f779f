// dpkg's dependency fields, read as Debian policy 7.1 has them: "a (>= 1) | b:any, c [amd64]".
// Versions are not compared: dpkg has done that when it installed the packages.
#include "workloads/image/packages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "monitor/tool/error.h"
#include "workloads/image/host_program.h"

namespace image {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

/// " libc6:any (>= 2.36)" to "libc6".
std::string name_of(const std::string& relation) {
  auto begin = relation.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return relation.substr(begin, relation.find_first_of(" \t:([", begin) - begin);
}

std::vector<std::string> names_in(const std::string& field, char separator) {
  std::vector<std::string> names;
  for (const auto& relation : split(field, separator)) {
    if (auto name = name_of(relation); !name.empty()) names.push_back(name);
  }
  return names;
}

void add_depends(const std::string& field, Package& package) {
  for (const auto& alternatives : split(field, ',')) {
    auto names = names_in(alternatives, '|');
    if (!names.empty()) package.depends.push_back(names);
  }
}

}  // namespace

std::vector<Package> parse_packages(const std::string& text) {
  std::vector<Package> packages;
  for (const auto& line : split(text, '\n')) {
    auto fields = split(line, '\t');
    fields.resize(7);
    Package package;
    package.name = fields[0];
    package.architecture = fields[1];
    package.version = fields[2];
    if (package.name.empty()) continue;
    if (package.architecture != "amd64" && package.architecture != "all") continue;
    // Its files are all there while others' triggers are still to run.
    package.installed = fields[3] == "installed" || fields[3] == "triggers-pending" ||
                        fields[3] == "triggers-awaited";
    add_depends(fields[4], package);
    add_depends(fields[5], package);
    package.provides = names_in(fields[6], ',');
    packages.push_back(std::move(package));
  }
  return packages;
}

PackageDatabase::PackageDatabase(const std::vector<Package>& packages) {
  for (const auto& package : packages) {
    packages_[package.name] = package;
    if (!package.installed) continue;
    for (const auto& name : package.provides) providers_[name].insert(package.name);
  }
}

PackageDatabase PackageDatabase::of_host() {
  return PackageDatabase(parse_packages(
      require_program({"dpkg-query", "-W", "-f", package_format},
                      "images are made of Debian packages, so a Debian host is needed")));
}

const Package* PackageDatabase::installed(const std::string& name) const {
  auto found = packages_.find(name);
  if (found != packages_.end() && found->second.installed) return &found->second;
  auto provided = providers_.find(name);
  if (provided == providers_.end()) return nullptr;
  return &packages_.at(*provided->second.begin());
}

std::vector<Package> PackageDatabase::closure(const std::vector<std::string>& names) const {
  std::map<std::string, Package> taken;
  std::set<std::string> missing;
  std::vector<std::vector<std::string>> wanted;
  for (const auto& name : names) wanted.push_back({name});
  while (!wanted.empty()) {
    auto alternatives = std::move(wanted.back());
    wanted.pop_back();
    const Package* package = nullptr;
    for (const auto& name : alternatives) {
      if ((package = installed(name))) break;
    }
    if (!package) {
      missing.insert(alternatives.front());
    } else if (taken.emplace(package->name, *package).second) {
      wanted.insert(wanted.end(), package->depends.begin(), package->depends.end());
    }
  }
  if (!missing.empty()) {
    throw monitor::HostError(
        fmt::format("not installed on this host, whose packages images are made of: {}; run: "
                    "apt-get install {}",
                    fmt::join(missing, ", "), fmt::join(missing, " ")));
  }
  std::vector<Package> packages;
  for (auto& [name, package] : taken) packages.push_back(std::move(package));
  return packages;
}

}  // namespace image
