// Reading specifications: a table of keys, each with the function that takes its value. A wrong
// type is nlohmann's to find; everything is reported with the file's name.
#include "workloads/harness/workload_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>
#include <tuple>

#include "machines/kinds.h"
#include "monitor/tool/error.h"
#include "monitor/tool/nearest.h"

namespace harness {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// What a specification says and a Workload keeps in another form.
struct Spec {
  Workload workload;
  std::optional<unsigned> quick_place;
  bool is_micro = false;
};

[[noreturn]] void refuse(const std::string& what) {
  throw monitor::HostError(what);
}

template <class Key>
std::vector<std::string_view> names_of(const std::map<std::string, Key>& keys) {
  std::vector<std::string_view> names;
  for (const auto& [name, take] : keys) names.push_back(name);
  return names;
}

/// Gives each member of `object` to the function of its name.
template <class To>
void take_all(const json& object, const std::map<std::string, void (*)(To&, const json&)>& keys,
              To& to) {
  for (const auto& [name, value] : object.items()) {
    const auto key = keys.find(name);
    if (key == keys.end()) refuse(monitor::unknown("key", name, names_of(keys)));
    try {
      key->second(to, value);
    } catch (const json::exception& error) {
      refuse(fmt::format("'{}' is {}: {}", name, value.dump(), error.what()));
    }
  }
}

void take_unit(Spec& spec, const json& value) {
  static const std::map<std::string, double> units = {
      {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"1/s", 1e9}, {"k/s", 1e6}, {"M/s", 1e3}};
  const auto unit = units.find(value.get<std::string>());
  if (unit == units.end())
    refuse(monitor::unknown("unit", value.get<std::string>(), names_of(units)));
  spec.workload.info.unit = unit->first;
  spec.workload.unit_ns = unit->second;
}

void take_check(Spec& spec, const json& value) {
  static const std::map<std::string, void (*)(OutputCheck&, const json&)> keys = {
      {"exact", [](OutputCheck& check, const json& text) { check.exact = text; }},
      {"hash", [](OutputCheck& check, const json& hash) { check.hash = hash; }},
      {"program", [](OutputCheck& check, const json& words) { check.program = words; }},
      {"ignore", [](OutputCheck& check, const json& lines) { check.ignore = lines; }},
  };
  OutputCheck& check = spec.workload.check;
  take_all(value, keys, check);
  if (check.exact.has_value() + check.hash.has_value() + !check.program.empty() > 1) {
    refuse("'check' has more than one of exact, hash and program");
  }
  for (const auto& pattern : check.ignore) {
    try {
      const std::regex compiles(pattern);
    } catch (const std::regex_error& error) {
      refuse(fmt::format("'ignore' has '{}', no regular expression: {}", pattern, error.what()));
    }
  }
}

Size read_size(const json& value, std::uint64_t times) {
  Size size{.times = times, .words = {}};
  for (const auto& [name, what] : value.items()) {
    if (name == "times") {
      size.times = what;
    } else {
      size.words[name] = what;
    }
  }
  return size;
}

void take_sizes(Spec& spec, const json& value) {
  for (const auto& [name, what] : value.items()) {
    if (name != "quick" && name != "full")
      refuse(monitor::unknown("size", name, {"quick", "full"}));
    Size& size = spec.workload.sizes[name == "full" ? 1 : 0];
    size = read_size(what, size.times);
  }
}

void take_counts(Spec& spec, const json& value) {
  spec.workload.counts = value;
  for (const auto& [name, count] : spec.workload.counts) {
    if (count == 0) refuse(fmt::format("'counts' of {} is 0", name));
  }
  spec.workload.sizes[1].times = 4;
}

void take_image(Spec& spec, const json& value) {
  spec.workload.from_image = true;
  static const std::map<std::string, void (*)(Spec&, const json&)> keys = {
      {"packages", [](Spec& to, const json& names) { to.workload.packages = names; }}};
  take_all(value, keys, spec);
}

const std::map<std::string, void (*)(Spec&, const json&)> keys = {
    {"measures", [](Spec& spec, const json& v) { spec.workload.info.measures = v; }},
    {"unit", take_unit},
    {"run", [](Spec& spec, const json& v) { spec.workload.run = v; }},
    {"counts", take_counts},
    {"pairs", [](Spec& spec, const json& v) { spec.workload.pairs = v; }},
    {"sizes", take_sizes},
    {"check", take_check},
    {"files", [](Spec& spec, const json& v) { spec.workload.files = v; }},
    {"image", take_image},
    {"environment", [](Spec& spec, const json& v) { spec.workload.environment = v; }},
    {"memory_mib",
     [](Spec& spec, const json& v) { spec.workload.min_memory = v.get<std::uint64_t>() << 20; }},
    {"prepare", [](Spec& spec, const json& v) { spec.workload.prepare = v; }},
    {"clean_up", [](Spec& spec, const json& v) { spec.workload.clean_up = v; }},
    {"client", [](Spec& spec, const json& v) { spec.workload.client = v; }},
    {"connect", [](Spec& spec, const json& v) { spec.workload.connect = v; }},
    {"publish", [](Spec& spec, const json& v) { spec.workload.publish = v; }},
    {"quick", [](Spec& spec, const json& v) { spec.quick_place = v.get<unsigned>(); }},
    {"configurations", [](Spec& spec, const json& v) { spec.workload.configs = v; }},
    {"standalone_only", [](Spec& spec, const json& v) { spec.workload.info.standalone_only = v; }},
};

void check_whole(const Workload& workload) {
  if (workload.info.measures.empty()) refuse("'measures' is missing: say in a line what it is");
  if (workload.info.unit.empty()) refuse("'unit' is missing: ns, us, ms, s, 1/s, k/s or M/s");
  if (workload.run.empty()) refuse("'run' is missing: the words of the guest's first process");
  if (workload.pairs == 0) refuse("'pairs' is 0");
  if (workload.from_image && !workload.files.empty()) {
    refuse("'files' and 'image' together are not possible: put the files into a package's place");
  }
  for (const auto& config : workload.configs) (void)machines::parse(config);
  for (const Effort effort : {Effort::quick, Effort::full}) {
    (void)make_work(workload, machines::standalone(), effort);
  }
}

Spec read_spec(const fs::path& path, const std::string& name, const std::string& built) try {
  std::ifstream in(path);
  const json object = json::parse(in);
  if (!object.is_object()) refuse("it holds no object");
  Spec spec;
  spec.workload.info.name = name;
  spec.workload.folder = path.parent_path();
  spec.is_micro = path.parent_path().filename() == "micro";
  spec.workload.built = built + (spec.is_micro ? "/micro" : "/macro/" + name);
  take_all(object, keys, spec);
  spec.workload.info.in_quick = spec.quick_place.has_value();
  check_whole(spec.workload);
  return spec;
} catch (const std::exception& error) {
  throw monitor::HostError(fmt::format("{}: {}", path.string(), error.what()));
}

/// The specifications in a folder and the workloads' names.
std::vector<std::pair<std::string, fs::path>> find_specs(const fs::path& folder) {
  std::vector<std::pair<std::string, fs::path>> found;
  for (const auto& entry : fs::directory_iterator(folder / "micro")) {
    if (entry.path().extension() == ".json") {
      std::string name = entry.path().stem();
      std::replace(name.begin(), name.end(), '_', '-');
      found.emplace_back(std::move(name), entry.path());
    }
  }
  for (const auto& entry : fs::directory_iterator(folder / "macro")) {
    const fs::path spec = entry.path() / "workload.json";
    if (fs::exists(spec)) found.emplace_back(entry.path().filename(), spec);
  }
  return found;
}

}  // namespace

std::vector<Workload> load_workloads(const std::string& folder, const std::string& built) {
  std::vector<Spec> specs;
  for (const auto& [name, path] : find_specs(folder)) specs.push_back(read_spec(path, name, built));
  const auto place = [](const Spec& spec) {
    return std::tuple(spec.quick_place.value_or(1000), !spec.is_micro,
                      std::string_view(spec.workload.info.name));
  };
  std::sort(specs.begin(), specs.end(),
            [&](const Spec& a, const Spec& b) { return place(a) < place(b); });
  std::vector<Workload> workloads;
  std::set<std::string> names;
  for (Spec& spec : specs) {
    if (!names.insert(spec.workload.info.name).second) {
      throw monitor::HostError(
          fmt::format("two workloads are called {}: rename one", spec.workload.info.name));
    }
    workloads.push_back(std::move(spec.workload));
  }
  return workloads;
}

}  // namespace harness
