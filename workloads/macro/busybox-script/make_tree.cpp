// make_tree FOLDER: makes the tree that busybox-script works on, before a run. Seeded, with its
// own arithmetic throughout, so every build on every machine makes the same bytes: some 1500 files,
// 12 MB, of four kinds that text tools meet in life: sources, prose, server logs, tables.
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

// xorshift64*: std:: distributions differ between libraries.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1du;
  }
  std::uint64_t below(std::uint64_t bound) { return (next() >> 11) % bound; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }

 private:
  std::uint64_t state_;
};

// Words made of syllables, frequent ones short, drawn with about the skew of natural language.
class Vocabulary {
 public:
  explicit Vocabulary(Random& random) : random_(random) {
    static constexpr std::array<std::string_view, 40> syllables = {
        "ka", "to",  "mi",  "re",  "lon", "ter", "in",  "ver", "al",   "sa",
        "ne", "dor", "pi",  "con", "st",  "el",  "ur",  "ba",  "tion", "en",
        "fo", "gra", "li",  "mu",  "or",  "pe",  "qui", "ra",  "sol",  "tan",
        "um", "vi",  "wen", "ex",  "yar", "zo",  "ch",  "de",  "hal",  "is"};
    for (std::size_t i = 0; i < 3000; ++i) {
      std::string word;
      const std::size_t parts = 1 + (i > 30) + (i > 300) + random_.below(2);
      for (std::size_t part = 0; part < parts; ++part) word += syllables[random_.below(40)];
      words_.push_back(word);
    }
  }
  const std::string& word() {
    // The product of two uniform draws prefers the front of the list.
    return words_[random_.below(3000) * random_.below(3000) / 3000];
  }
  std::string capitalised() {
    std::string text = word();
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
  }

 private:
  Random& random_;
  std::vector<std::string> words_;
};

// Text is put together with <<, whose operands C++ evaluates from left to right; the operands of +
// come in whatever order the compiler likes, and each draw moves the generator on.
class TreeMaker {
 public:
  explicit TreeMaker(std::filesystem::path root) : root_(std::move(root)) {}

  void make() {
    for (int project = 0; project < 24; ++project) {
      const std::string base = words_.word() + std::to_string(project);
      for (int i = 0; i < 30; ++i) {
        file(base + "/src" + part(i), i % 4 == 0 ? ".h" : ".c", &TreeMaker::source);
      }
      for (int i = 0; i < 16; ++i) file(base + "/doc" + part(i), ".txt", &TreeMaker::prose);
      for (int i = 0; i < 8; ++i) file(base + "/log", ".log", &TreeMaker::log);
      for (int i = 0; i < 8; ++i) file(base + "/data", ".csv", &TreeMaker::table);
    }
    std::cout << files_ << " files, " << bytes_ << " bytes\n";
  }

 private:
  using Writer = void (TreeMaker::*)(std::ostream&);

  static std::string part(int i) { return i % 3 == 0 ? "" : "/part" + std::to_string(i % 5); }

  void file(const std::string& folder, const char* extension, Writer writer) {
    std::ostringstream text;
    (this->*writer)(text);
    std::filesystem::create_directories(root_ / folder);
    const std::string name = words_.word() + "_" + std::to_string(files_) + extension;
    std::ofstream out(root_ / folder / name, std::ios::binary);
    out << text.view() << std::flush;
    if (!out) throw std::runtime_error("cannot write " + folder + "/" + name);
    ++files_;
    bytes_ += text.view().size();
  }

  void source(std::ostream& out) {
    out << "/* ";
    sentence(out);
    out << " */\n#include <" << words_.word() << ".h>\n\n";
    for (std::uint64_t f = random_.between(4, 14); f > 0; --f) {
      out << "static int " << words_.word() << "_" << words_.word() << "(struct " << words_.word()
          << " *" << words_.word() << ", unsigned long flags)\n{\n";
      for (std::uint64_t line = random_.between(4, 18); line > 0; --line) statement(out);
      out << "\treturn " << random_.below(3) << ";\n}\n\n";
    }
  }

  void statement(std::ostream& out) {
    const std::string& a = words_.word();
    const std::string& b = words_.word();
    switch (random_.below(4)) {
      case 0:
        out << "\tif (" << a << " < " << b << "->" << words_.word() << ")\n\t\treturn -EINVAL;\n";
        return;
      case 1:
        out << "\t" << a << " = " << b << "(" << words_.word() << ", flags);\n";
        return;
      case 2:
        out << "\tfor (i = 0; i < " << random_.below(4096) << "; i++)\n\t\t" << a << "[i] += " << b
            << ";\n";
        return;
      default:
        out << "\t/* ";
        sentence(out);
        out << " */\n";
    }
  }

  void sentence(std::ostream& out) {
    out << words_.capitalised();
    for (std::uint64_t n = random_.between(4, 14); n > 0; --n) out << " " << words_.word();
    out << ".";
  }

  void prose(std::ostream& out) {
    for (std::uint64_t paragraph = random_.between(6, 20); paragraph > 0; --paragraph) {
      for (std::uint64_t n = random_.between(3, 8); n > 0; --n) {
        sentence(out);
        out << "\n";
      }
      out << "\n";
    }
  }

  void log(std::ostream& out) {
    static constexpr std::array<std::string_view, 5> levels = {"DEBUG", "INFO", "INFO", "WARN",
                                                               "ERROR"};
    std::uint64_t second = 0;
    for (std::uint64_t line = random_.between(60, 180); line > 0; --line) {
      second += random_.below(90);
      out << "2003-06-" << two(9 + second / 86400) << " " << two(second / 3600 % 24) << ":"
          << two(second / 60 % 60) << ":" << two(second % 60) << " " << levels[random_.below(5)]
          << " 10.0." << random_.below(16) << "." << random_.below(256) << " " << words_.word()
          << " took " << random_.below(5000) << " ms: ";
      sentence(out);
      out << "\n";
    }
  }

  void table(std::ostream& out) {
    out << "id,name,group,amount,price\n";
    for (std::uint64_t row = 1, rows = random_.between(200, 500); row <= rows; ++row) {
      out << row << "," << words_.word() << " " << words_.word() << "," << words_.word() << ","
          << random_.below(1000) << "," << random_.below(500) << "." << two(random_.below(100))
          << "\n";
    }
  }

  static std::string two(std::uint64_t value) {
    return (value < 10 ? "0" : "") + std::to_string(value);
  }

  std::filesystem::path root_;
  Random random_{0x20030609};
  Vocabulary words_{random_};
  std::uint64_t files_ = 0, bytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: make_tree FOLDER\n";
    return 2;
  }
  umask(022);
  TreeMaker(argv[1]).make();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "make_tree: " << error.what() << "\n";
  return 1;
}
