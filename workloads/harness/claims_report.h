// Judged claims for people: one table, in the language that is asked for. Nothing is judged here.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "results/claim.h"

namespace harness {

enum class Format { text, markdown, latex, html };

inline constexpr std::string_view format_words = "text, markdown, latex or html";
/// Throws monitor::UsageError.
Format parse_format(std::string_view word);

/// "" where there are none.
std::string render(std::span<const results::Judgement>, Format);

}  // namespace harness
