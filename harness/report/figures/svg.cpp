#include "harness/report/figures/svg.h"

#include <array>
#include <charconv>
#include <regex>

#include "harness/core/error.h"
#include "harness/core/json.h"

namespace harness {

namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// Removes from each `begin` to the next `end`, both included.
void cut_all(std::string& text, std::string_view begin, std::string_view end) {
  for (size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    const size_t stop = text.find(end, at);
    if (stop == std::string::npos) return;
    text.erase(at, stop + end.size() - at);
  }
}

// rgb( 0, 114, 178) -> #0072b2
std::string hexadecimal_colours(const std::string& text) {
  std::string result;
  size_t at = 0;
  for (size_t begin = text.find("rgb("); begin != std::string::npos; begin = text.find("rgb(", at)) {
    const size_t end = text.find(')', begin);
    if (end == std::string::npos) break;
    result.append(text, at, begin - at);
    std::array<int, 3> parts{};
    size_t position = begin + 4;
    for (int& part : parts) {
      position = text.find_first_of("0123456789", position);
      if (position == std::string::npos) return text;
      position = static_cast<size_t>(std::from_chars(text.data() + position, text.data() + end, part).ptr - text.data());
    }
    result += fmt::format("#{:02x}{:02x}{:02x}", parts[0], parts[1], parts[2]);
    at = end + 1;
  }
  return result.append(text, at, std::string::npos);
}

// gnuplot leaves many groups without content.
std::string without_empty_groups(const std::string& text) {
  static const std::regex kEmpty(R"(<g [^<>]*>\s*</g>\n?)");
  return std::regex_replace(text, kEmpty, "");
}

// Length of the valid UTF-8 sequence at the beginning of `text`; 0 if there is none.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const size_t length = lead < 0x80                   ? 1
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                        : (lead & 0xF0) == 0xE0       ? 3
                        : lead >= 0xF0 && lead < 0xF5 ? 4
                                                      : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) >= 0xA0) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) >= 0x90) return 0;
  return length;
}

std::string_view escaped_character(char character) {
  switch (character) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

}  // namespace

std::string markup_escape(std::string_view text) {
  std::string escaped;
  for (size_t i = 0; i < text.size();) {
    const size_t length = sequence_length(text.substr(i));
    const unsigned char byte = static_cast<unsigned char>(text[i]);
    const bool forbidden = byte == 0x7F || (byte < 0x20 && byte != '\n' && byte != '\t');
    if (length == 0 || forbidden) {
      escaped += "\uFFFD";
      i += 1;
      continue;
    }
    const std::string_view entity = length == 1 ? escaped_character(text[i]) : std::string_view();
    escaped += entity.empty() ? text.substr(i, length) : entity;
    i += length;
  }
  return escaped;
}

std::string tidy_svg(const std::string& svg, const std::string& name, std::string_view title, std::string_view description) {
  const size_t begin = svg.find("<svg");
  if (begin == std::string::npos) throw Error("figure {}: expected SVG from gnuplot, found none", name);
  std::string text = hexadecimal_colours(svg.substr(begin));
  cut_all(text, "<title>", "</title>\n");
  cut_all(text, "<desc>", "</desc>\n");
  cut_all(text, "<filter", "</filter>\n");
  text = without_empty_groups(text);
  replace_all(text, "id='gp", "id='" + name + "-gp");
  replace_all(text, "'#gp", "'#" + name + "-gp");
  replace_all(text, "id=\"gnuplot_canvas\"", "class=\"canvas\"");
  static const std::regex kPlotIds(R"( id="[^"]*_plot_[^"]*")");
  text = std::regex_replace(text, kPlotIds, "");
  const size_t open = text.find('>') + 1;
  text.insert(open, fmt::format("\n<title>{}</title>\n<desc>{}</desc>", markup_escape(title), markup_escape(description)));
  text.insert(4, " role=\"img\"");
  return text;
}

std::string standalone_svg(const std::string& tidy) {
  std::string text = tidy;
  text.insert(text.find("</desc>") + 7, "\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>");
  return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" + text;
}

}  // namespace harness
