// Clean-up of the SVG that gnuplot writes, so that it can stand in a page with others and does not name the program's version.
#pragma once

#include <string>
#include <string_view>

namespace harness {

// `name` is a prefix for ids that is unique in the page; title and description are for readers who do not see the picture.
// Colours come out as lower-case #rrggbb, so that a style sheet can give them dark twins by attribute.
std::string tidy_svg(const std::string& svg, const std::string& name, std::string_view title, std::string_view description);
// The picture as a file of its own: XML declaration and a white ground.
std::string standalone_svg(const std::string& tidy);

// Text made to show as itself in HTML and XML, in content and in quoted attributes. Bytes that are no UTF-8 become U+FFFD, and
// control characters that XML forbids become U+FFFD too.
std::string markup_escape(std::string_view text);

}  // namespace harness
