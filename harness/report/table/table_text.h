// A Summary as text: Markdown, LaTeX (booktabs), CSV (one line a number, in full precision) and aligned columns for a terminal.
#pragma once

#include <string>
#include <string_view>

#include "harness/report/table/summary.h"

namespace harness {

std::string markdown_table(const Summary& summary);
// A fragment that needs \usepackage{booktabs} alone.
std::string latex_table(const Summary& summary);
std::string csv_table(const Summary& summary);
std::string terminal_table(const Summary& summary);
// The verdicts alone, as a terminal shows them, after a line's end; "" where there are none.
std::string verdicts_text(const Summary& summary);

// Text with every character that means something to Markdown tables or LaTeX made to show as itself.
std::string markdown_escape(std::string_view text);
std::string latex_escape(std::string_view text);

}  // namespace harness
