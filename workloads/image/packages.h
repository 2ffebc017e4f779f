// Debian packages that are installed on this host, and the closure of their dependencies. Made from
// dpkg's own database, never from the network: an image holds what the host itself would run.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace image {

struct Package {
  std::string name, architecture, version;
  bool installed = false;
  std::vector<std::vector<std::string>> depends;  // all of these; any of the inner ones
  std::vector<std::string> provides;

  friend bool operator==(const Package&, const Package&) = default;
};

/// The fields of a package, for `dpkg-query -W -f`, one line a package.
inline constexpr const char* package_format =
    "${Package}\t${Architecture}\t${Version}\t${db:Status-Status}\t${Pre-Depends}\t${Depends}\t"
    "${Provides}\n";

/// Lines of that format. A foreign architecture's packages are left out: guests are x86-64.
std::vector<Package> parse_packages(const std::string& text);

class PackageDatabase {
 public:
  explicit PackageDatabase(const std::vector<Package>& packages);
  /// What dpkg-query says of this host. Throws HostError where there is no dpkg.
  static PackageDatabase of_host();

  /// The packages with all that they depend on, installed ones only, by name. Of alternatives, and
  /// of packages that provide a virtual one, the first that is installed. Throws HostError naming
  /// the missing ones and the apt-get line that installs them.
  [[nodiscard]] std::vector<Package> closure(const std::vector<std::string>& names) const;

 private:
  [[nodiscard]] const Package* installed(const std::string& name) const;

  std::map<std::string, Package> packages_;
  std::map<std::string, std::set<std::string>> providers_;  // virtual name -> packages
};

}  // namespace image
