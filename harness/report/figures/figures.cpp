#include "harness/report/figures/figures.h"

#include <algorithm>
#include <limits>

#include "harness/core/error.h"
#include "harness/core/subprocess.h"
#include "harness/core/utf8.h"
#include "harness/report/figures/palette.h"
#include "harness/report/figures/svg.h"

namespace harness {

namespace {

// gnuplot's single-quoted string.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char character : text) {
    if (character == '\'') result += '\'';
    result += static_cast<unsigned char>(character) < 0x20 ? ' ' : character;
  }
  return result + "'";
}

bool has_band(const CurveLine& line) {
  return std::any_of(line.points.begin(), line.points.end(),
                     [](const CurveLine::Point& point) { return point.low < point.high; });
}

// gnuplot's names are letters, digits and underscores.
std::string gnuplot_name(std::string name) {
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

std::string data_blocks(const Chart& chart) {
  std::string text;
  for (size_t i = 0; i < chart.lines.size(); ++i) {
    text += fmt::format("$line{} << END\n", i);
    for (const CurveLine::Point& point : chart.lines[i].points) {
      text += fmt::format("{} {} {} {}\n", point.x, point.value, point.low, point.high);
    }
    text += "END\n";
  }
  return text;
}

// A label as the legend shows it: no longer than the picture is wide.
std::string legend_label(const CurveLine& line) {
  constexpr size_t kMost = 60;
  return line.label.size() <= kMost ? line.label : to_valid_utf8(line.label.substr(0, kMost - 3)) + "...";
}

// The legend stands below the plot: its font, and the height of a picture that leaves the plot its own. gnuplot takes about
// 0.63 em a character and 1.5 em a line, and draws over the plot where the legend is higher than half of the picture.
struct Legend {
  int font = 13;
  int height = 420;
};
Legend legend_of(const Chart& chart) {
  constexpr size_t kManyLines = 12, kRowsThatFit = 4;
  constexpr double kWidth = 600;
  size_t longest = 1;
  for (const CurveLine& line : chart.lines) longest = std::max(longest, legend_label(line).size());
  Legend legend;
  if (chart.lines.size() > kManyLines) legend.font = 10;
  const double entry = 0.63 * legend.font * static_cast<double>(longest + 8);
  const auto columns = std::max<size_t>(1, static_cast<size_t>(kWidth / entry));
  const size_t rows = (chart.lines.size() + columns - 1) / columns;
  if (rows <= kRowsThatFit) return legend;
  const int legend_height = static_cast<int>(1.5 * legend.font * static_cast<double>(rows));
  legend.height = std::max(legend.height, legend_height) + legend_height + 40;
  return legend;
}

// From the first step to the last: a run of one step has a little room.
std::string step_range(const Chart& chart) {
  double first = std::numeric_limits<double>::infinity(), last = -first;
  for (const CurveLine& line : chart.lines) {
    for (const CurveLine::Point& point : line.points) {
      first = std::min({first, point.x, 1.0});
      last = std::max(last, point.x);
    }
  }
  if (first > last) return "";
  return first < last ? fmt::format("set xrange [{}:{}]\n", first, last)
                      : fmt::format("set xrange [{}:{}]\n", first - 0.5, last + 0.5);
}

// Ticks that rise from the axis in a line's colour, where an alarm began.
std::string alarm_marks(const Chart& chart) {
  std::string text;
  for (const CurveLine& line : chart.lines) {
    for (const int64_t step : line.alarms) {
      text += fmt::format("set arrow from first {0}, graph 0 to first {0}, graph 0.07 nohead front lc rgb '{1}' lw 2.5\n", step,
                          series_style(line.place, line.trained).colour.light);
    }
  }
  return text;
}

}  // namespace

std::string gnuplot_script(const Chart& chart) {
  const Legend legend = legend_of(chart);
  std::string text = fmt::format("set terminal svg size 640,{} dynamic noenhanced font 'sans-serif,13' linewidth 1.4 name {}\n",
                                 legend.height, quoted(gnuplot_name(chart.name)));
  text += fmt::format("set border 3 lc rgb '{}'\nset tics nomirror textcolor rgb '{}'\n", kAxisInk.light, kTextInk.light);
  text += fmt::format("set grid ytics lc rgb '{}' lw 0.6 dt 1\n", kGridInk.light);
  if (chart.logarithmic_x) text += "set logscale x 2\nset format x '%.0f'\n";
  text += fmt::format("set xlabel {} tc rgb '{}'\nset ylabel {} tc rgb '{}'\n", quoted(chart.x_label), kTextInk.light,
                      quoted(chart.y_label), kTextInk.light);
  text += fmt::format("set title {} tc rgb '{}'\n", quoted(chart.title), kTextInk.light);
  text += fmt::format(
      "set key below center horizontal tc rgb '{}' height 1 samplen 2.5 font ',{}'\nset offsets graph 0.01, graph 0.01, 0, 0\n",
      kTextInk.light, legend.font);
  if (chart.x_label == kStepLabel) text += step_range(chart);
  text += alarm_marks(chart);
  text += data_blocks(chart);
  std::string bands, lines;
  for (size_t i = 0; i < chart.lines.size(); ++i) {
    const CurveLine& line = chart.lines[i];
    const SeriesStyle style = series_style(line.place, line.trained);
    if (has_band(line)) {
      bands += fmt::format("$line{} using 1:3:4 with filledcurves fc rgb '{}' fs transparent solid 0.13 noborder notitle, ", i,
                           style.colour.light);
    }
    const size_t every = std::max<size_t>(1, line.points.size() / 10);
    lines += fmt::format("{}$line{} using 1:2 with linespoints lc rgb '{}' lw 1.4 dt {} pt {} ps 0.55 pi {} title {}",
                         i == 0 ? "" : ", ", i, style.colour.light, style.dash, style.point, every, quoted(legend_label(line)));
  }
  return text + "plot " + bands + lines + "\n";
}

Figures draw_figures(const ExperimentResults& results) {
  Figures figures;
  if (find_program("gnuplot").empty()) {
    figures.warnings.push_back("figures: expected gnuplot in PATH, found none; tables are written without figures");
    return figures;
  }
  for (Chart& chart : experiment_charts(results)) {
    // A row without a finished seed has no points, and gnuplot takes no empty data.
    std::erase_if(chart.lines, [](const CurveLine& line) { return line.points.empty(); });
    if (chart.lines.empty()) continue;
    const ProcessResult drawn = run_process({"gnuplot"}, gnuplot_script(chart));
    if (drawn.status != 0 || drawn.out.find("<svg") == std::string::npos) {
      figures.warnings.push_back(fmt::format("figure {}: expected SVG from gnuplot, found status {}: {}", chart.name,
                                             drawn.status, drawn.err.substr(0, drawn.err.find('\n'))));
      continue;
    }
    figures.figures.push_back({chart, tidy_svg(drawn.out, gnuplot_name(chart.name), chart.title, chart.description)});
  }
  return figures;
}

}  // namespace harness
