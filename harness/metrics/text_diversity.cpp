#include "harness/metrics/text_diversity.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_map>

#include "harness/stats/undefined.h"

namespace harness {

namespace {

// Pairs of numbers -> dense numbers in the order of first appearance: open addressing, since this is the inner loop.
class PairNumbering {
 public:
  explicit PairNumbering(size_t pairs) : slots_(std::bit_ceil(2 * pairs + 2)), mask_(slots_.size() - 1) {}

  int64_t number_of(int64_t first, int64_t second) {
    uint64_t hash =
        static_cast<uint64_t>(first) * 0x9E3779B97F4A7C15ULL ^ static_cast<uint64_t>(second) * 0xC2B2AE3D27D4EB4FULL;
    hash ^= hash >> 29;
    for (size_t place = hash & mask_;; place = (place + 1) & mask_) {
      Slot& slot = slots_[place];
      if (slot.number < 0) {
        slot = {first, second, count_};
        return count_++;
      }
      if (slot.first == first && slot.second == second) return slot.number;
    }
  }
  [[nodiscard]] int64_t size() const { return count_; }

 private:
  struct Slot {
    int64_t first = 0;
    int64_t second = 0;
    int64_t number = -1;
  };
  std::vector<Slot> slots_;
  size_t mask_;
  int64_t count_ = 0;
};

// The n-grams of one order, numbered densely.
struct Grams {
  std::vector<std::vector<int64_t>> numbers;  // one list a sequence, in the order of the text
  int64_t unique = 0;
  int64_t total = 0;
};

// The grams of order m + 1 from those of order m (a gram is its first m words and its last word).
Grams extend(const Grams& shorter, std::span<const WordSequence> sequences, int64_t order) {
  PairNumbering numbering(static_cast<size_t>(shorter.total));
  Grams grams;
  for (size_t s = 0; s < sequences.size(); ++s) {
    const auto count = std::max<int64_t>(0, static_cast<int64_t>(sequences[s].size()) - order + 1);
    std::vector<int64_t> numbers(static_cast<size_t>(count));
    for (size_t i = 0; i < numbers.size(); ++i) {
      numbers[i] = numbering.number_of(shorter.numbers[s][i], sequences[s][i + static_cast<size_t>(order) - 1]);
    }
    grams.total += count;
    grams.numbers.push_back(std::move(numbers));
  }
  grams.unique = numbering.size();
  return grams;
}

Grams grams_of_order_zero(std::span<const WordSequence> sequences) {
  Grams grams;
  for (const WordSequence& sequence : sequences) {
    grams.numbers.emplace_back(sequence.size(), 0);
    grams.total += static_cast<int64_t>(sequence.size());
  }
  return grams;
}

// Per gram: the largest count in any one sequence, whose it is, and the largest among the others.
struct TopCounts {
  int64_t largest = 0;
  int64_t owner = -1;
  int64_t second = 0;
};

// Matches of each sequence's grams in the others, clipped.
std::vector<int64_t> clipped_matches(const Grams& grams) {
  std::vector<TopCounts> tops(static_cast<size_t>(grams.unique));
  std::vector<int64_t> counts(static_cast<size_t>(grams.unique), 0);
  std::vector<int64_t> matches(grams.numbers.size(), 0);
  // Visits each distinct gram of sequence s once with its count.
  const auto visit = [&](size_t s, const auto& body) {
    for (const int64_t gram : grams.numbers[s]) ++counts[static_cast<size_t>(gram)];
    for (const int64_t gram : grams.numbers[s]) {
      int64_t& count = counts[static_cast<size_t>(gram)];
      if (count > 0) body(tops[static_cast<size_t>(gram)], count);
      count = 0;
    }
  };
  for (size_t s = 0; s < grams.numbers.size(); ++s) {
    visit(s, [&](TopCounts& top, int64_t count) {
      if (count > top.largest) {
        top = {count, static_cast<int64_t>(s), top.largest};
      } else {
        top.second = std::max(top.second, count);
      }
    });
  }
  for (size_t s = 0; s < grams.numbers.size(); ++s) {
    visit(s, [&](const TopCounts& top, int64_t count) {
      matches[s] += std::min(count, top.owner == static_cast<int64_t>(s) ? top.second : top.largest);
    });
  }
  return matches;
}

// The length among the others closest to that of sequence s; of two as close, the shorter.
int64_t closest_length(std::span<const WordSequence> sequences, size_t s) {
  const auto own = static_cast<int64_t>(sequences[s].size());
  int64_t closest = -1;
  for (size_t other = 0; other < sequences.size(); ++other) {
    if (other == s) continue;
    const auto length = static_cast<int64_t>(sequences[other].size());
    const int64_t distance = std::abs(length - own);
    const int64_t best = std::abs(closest - own);
    if (closest < 0 || distance < best || (distance == best && length < closest)) closest = length;
  }
  return closest;
}

// Length in bytes of the white space that begins at `at` (Python's str.isspace); 0: none.
size_t white_space_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0; };
  const int first = byte(0);
  if (first == ' ' || (first >= 0x09 && first <= 0x0d) || (first >= 0x1c && first <= 0x1f)) return 1;
  if (first == 0xc2) return byte(1) == 0x85 || byte(1) == 0xa0 ? 2 : 0;
  if (first == 0xe1) return byte(1) == 0x9a && byte(2) == 0x80 ? 3 : 0;  // U+1680
  if (first == 0xe2 && byte(1) == 0x80) {                                // U+2000..200A, 2028, 2029, 202F
    const int last = byte(2);
    return (last >= 0x80 && last <= 0x8a) || last == 0xa8 || last == 0xa9 || last == 0xaf ? 3 : 0;
  }
  if (first == 0xe2 && byte(1) == 0x81) return byte(2) == 0x9f ? 3 : 0;  // U+205F
  if (first == 0xe3) return byte(1) == 0x80 && byte(2) == 0x80 ? 3 : 0;  // U+3000
  return 0;
}

}  // namespace

std::vector<WordSequence> number_words(std::span<const std::string> texts) {
  std::unordered_map<std::string_view, int64_t> numbers;
  std::vector<WordSequence> sequences;
  for (const std::string& text : texts) {
    WordSequence sequence;
    const std::string_view view = text;
    size_t begin = 0;
    const auto end_word = [&](size_t end) {
      if (end > begin) {
        sequence.push_back(
            numbers.try_emplace(view.substr(begin, end - begin), static_cast<int64_t>(numbers.size())).first->second);
      }
    };
    for (size_t at = 0; at < view.size();) {
      const size_t space = white_space_at(view, at);
      if (space == 0) {
        ++at;
        continue;
      }
      end_word(at);
      at += space;
      begin = at;
    }
    end_word(view.size());
    sequences.push_back(std::move(sequence));
  }
  return sequences;
}

double distinct_share(std::span<const WordSequence> sequences, int64_t order) {
  Grams grams = grams_of_order_zero(sequences);
  for (int64_t m = 1; m <= order; ++m) grams = extend(grams, sequences, m);
  return grams.total == 0 ? kUndefined : static_cast<double>(grams.unique) / static_cast<double>(grams.total);
}

double self_bleu_4(std::span<const WordSequence> sequences) {
  if (sequences.size() < 2) return kUndefined;
  std::vector<double> log_precisions(sequences.size(), 0.0);  // sum over orders
  Grams grams = grams_of_order_zero(sequences);
  for (int64_t order = 1; order <= 4; ++order) {
    grams = extend(grams, sequences, order);
    const std::vector<int64_t> matches = clipped_matches(grams);
    for (size_t s = 0; s < sequences.size(); ++s) {
      // log 0 is -inf, which makes the score 0, as the absence of any gram of this order does.
      log_precisions[s] += grams.numbers[s].empty()
                               ? -std::numeric_limits<double>::infinity()
                               : std::log(static_cast<double>(matches[s]) / static_cast<double>(grams.numbers[s].size()));
    }
  }
  double sum = 0;
  for (size_t s = 0; s < sequences.size(); ++s) {
    const auto length = static_cast<double>(sequences[s].size());
    const auto reference = static_cast<double>(closest_length(sequences, s));
    const double brevity = length < reference ? (length > 0 ? std::exp(1 - reference / length) : 0.0) : 1.0;
    sum += 100 * brevity * std::exp(log_precisions[s] / 4);
  }
  return sum / static_cast<double>(sequences.size());
}

}  // namespace harness
