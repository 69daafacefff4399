// Colours of rows, the same in every figure: Okabe and Ito's set, which colour-blind readers can tell apart, and its dark twin.
#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace harness {

struct SeriesColour {
  const char* light;  // on white
  const char* dark;   // on near-black
};
// An untrained base model is grey; trained rows take the others in turn, with another dash pattern and other points on each
// round: 35 that differ in colour and dashes, 245 that differ in something.
inline constexpr SeriesColour kUntrainedColour{"#6e6e6e", "#a8a8a8"};
inline constexpr std::array<SeriesColour, 7> kSeriesColours{{{"#0072b2", "#56a8e0"},
                                                             {"#d55e00", "#ff8c42"},
                                                             {"#009e73", "#2fcf9f"},
                                                             {"#cc79a7", "#e9a3cb"},
                                                             {"#b37c00", "#f0b429"},
                                                             {"#2d9fd8", "#8fd3ff"},
                                                             {"#5b3fb5", "#b29cff"}}};
// Ink of axes, text and grid in figures, and their dark twins.
inline constexpr SeriesColour kTextInk{"#333333", "#d6d6d6"};
inline constexpr SeriesColour kAxisInk{"#8a8a8a", "#8a8a8a"};
inline constexpr SeriesColour kGridInk{"#dddddd", "#3a3a3a"};

struct SeriesStyle {
  SeriesColour colour;
  int dash = 1;   // gnuplot's dash type
  int point = 7;  // gnuplot's point type
};
inline SeriesStyle series_style(size_t trained_index, bool trained) {
  constexpr std::array<int, 7> kPoints{7, 5, 9, 11, 13, 6, 4};
  if (!trained) return {kUntrainedColour, 3, 6};
  constexpr size_t kDashes = 5;  // gnuplot's
  const size_t index = trained_index % kSeriesColours.size(), round = trained_index / kSeriesColours.size();
  return {kSeriesColours[index], static_cast<int>(1 + round % kDashes), kPoints[(index + round) % kPoints.size()]};
}

}  // namespace harness
