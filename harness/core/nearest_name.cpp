#include "harness/core/nearest_name.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "harness/core/text_edit.h"

namespace harness {

namespace {

// Letters added, left out, changed, or swapped with their neighbour (optimal string alignment).
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> before, above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = above;
    above = row;
  }
  return above[b.size()];
}

std::string plain(const std::string& name) {
  std::string text = lower_ascii(name);
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

bool goes_on(const std::string& word, const std::string& candidate) {
  return word.size() >= 3 && candidate.starts_with(word) && candidate.find('.', word.size()) == std::string::npos;
}

}  // namespace

std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string wanted = plain(word);
  const size_t part = wanted.size() - (wanted.rfind('.') + 1);  // npos + 1 is 0
  const size_t allowed = part >= 3 ? part / 3 : 0;
  std::string best;
  size_t best_distance = std::numeric_limits<size_t>::max();
  for (const std::string& candidate : candidates) {
    const std::string known = plain(candidate);
    const size_t distance = edit_distance(wanted, known);
    if (distance < best_distance && (distance <= allowed || goes_on(wanted, known))) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string nearest_text(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string name = nearest_name(word, candidates);
  return name.empty() ? "" : "; the nearest is " + name;
}

}  // namespace harness
