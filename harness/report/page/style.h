// The style sheet of report.html: one column of cards, light and dark by the reader's setting, plain on paper.
#pragma once

#include <string>

namespace harness {

// With the dark twins of the figures' colours.
std::string html_style();

}  // namespace harness
