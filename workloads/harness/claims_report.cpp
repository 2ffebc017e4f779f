// Called at the end of `typetwo run` (text), and by `typetwo claims`.
#include "workloads/harness/claims_report.h"

#include <fmt/format.h>

#include <functional>
#include <vector>

#include "monitor/tool/error.h"
#include "monitor/tool/nearest.h"
#include "workloads/harness/text_table.h"

namespace harness {
namespace {

using results::Judgement;

/// "baseline / extended = 46.3 [45.1..47.9]"
std::string value_of(const Judgement& judgement) {
  return fmt::format("{} = {}", judgement.claim->value_text, ratio_text(judgement.value));
}

/// "baseline 630.1, extended 13.6"
std::string medians_of(const Judgement& judgement) {
  std::string text;
  for (std::size_t i = 0; i < judgement.medians.size(); ++i) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", judgement.claim->needs[i].name,
                        number(judgement.medians[i]));
  }
  return text;
}

std::string statement_of(const Judgement& judgement) {
  return judgement.config.empty() ? judgement.claim->text
                                  : fmt::format("{} ({})", judgement.claim->text, judgement.config);
}

/// A language for tables: how a text is written in it, and what stands around cells.
struct Language {
  std::string (*escaped)(const std::string&);
  const char *begin, *row_begin, *between, *row_end, *after_head, *end;
};

std::string escaped(const std::string& text, const std::function<std::string(char)>& replaced) {
  std::string result;
  for (const char c : text) {
    const std::string instead = replaced(c);
    result += instead.empty() ? std::string(1, c) : instead;
  }
  return result;
}

std::string in_markdown(const std::string& text) {
  return escaped(text, [](char c) -> std::string {
    return std::string_view("|*_`<>\\[]").find(c) == std::string_view::npos ? ""
                                                                            : std::string("\\") + c;
  });
}

std::string in_latex(const std::string& text) {
  return escaped(text, [](char c) -> std::string {
    if (c == '\\') return "\\textbackslash{}";
    if (c == '~') return "\\textasciitilde{}";
    if (c == '^') return "\\textasciicircum{}";
    if (c == '<') return "\\textless{}";
    if (c == '>') return "\\textgreater{}";
    return std::string_view("&%$#_{}").find(c) == std::string_view::npos ? ""
                                                                         : std::string("\\") + c;
  });
}

std::string in_html(const std::string& text) {
  return escaped(text, [](char c) -> std::string {
    if (c == '&') return "&amp;";
    if (c == '<') return "&lt;";
    if (c == '>') return "&gt;";
    if (c == '"') return "&quot;";
    return "";
  });
}

constexpr Language markdown = {in_markdown, "", "| ", " | ", " |\n", "|---|---|---|---|---|\n", ""};
constexpr Language latex = {in_latex,
                            "\\begin{tabular}{p{7cm}llll}\n\\hline\n",
                            "",
                            " & ",
                            " \\\\\n",
                            "\\hline\n",
                            "\\hline\n\\end{tabular}\n"};
constexpr Language html = {in_html,        "<table>\n", "<tr><td>",  "</td><td>",
                           "</td></tr>\n", "",          "</table>\n"};

std::string row(const Language& language, const Row& cells) {
  std::string text = language.row_begin;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    text += (i > 0 ? language.between : "") + language.escaped(cells[i]);
  }
  return text + language.row_end;
}

std::string as_table(std::span<const Judgement> judgements, const Language& language) {
  std::string text = language.begin +
                     row(language, {"claim", "value", "claimed", "verdict", "source"}) +
                     language.after_head;
  for (const Judgement& one : judgements) {
    text += row(language, {statement_of(one), value_of(one), one.claim->bound_text,
                           verdict_text(one.verdict), one.claim->source});
  }
  return text + language.end;
}

std::string as_text(std::span<const Judgement> judgements) {
  std::string text = "Claims:\n";
  for (const Judgement& one : judgements) {
    text += fmt::format("  {}: {}\n    {} ({}); \"{}\" {}\n", one.claim->id, statement_of(one),
                        value_of(one), medians_of(one), one.claim->bound_text,
                        verdict_text(one.verdict));
  }
  return text;
}

}  // namespace

Format parse_format(std::string_view word) {
  constexpr std::string_view words[] = {"text", "markdown", "latex", "html"};
  for (std::size_t i = 0; i < std::size(words); ++i) {
    if (words[i] == word) return static_cast<Format>(i);
  }
  throw monitor::UsageError(monitor::unknown("format", word, {std::begin(words), std::end(words)}));
}

std::string render(std::span<const Judgement> judgements, Format format) {
  if (judgements.empty()) return "";
  switch (format) {
    case Format::markdown:
      return as_table(judgements, markdown);
    case Format::latex:
      return as_table(judgements, latex);
    case Format::html:
      return as_table(judgements, html);
    case Format::text:
      break;
  }
  return as_text(judgements);
}

}  // namespace harness
