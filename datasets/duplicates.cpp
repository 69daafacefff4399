#include "datasets/duplicates.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "harness/core/error.h"

namespace datasets {
namespace {

// Hashes of all runs of `length` words, each once; FNV-1a over the words with a separator.
std::vector<uint64_t> runs_of(const std::vector<std::string>& words, size_t length, bool whole_if_shorter) {
  std::vector<uint64_t> runs;
  if (words.size() < length) {
    if (!whole_if_shorter || words.empty()) return runs;
    length = words.size();
  }
  for (size_t begin = 0; begin + length <= words.size(); ++begin) {
    uint64_t hash = 0xcbf29ce484222325u;
    const auto add = [&hash](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u; };
    for (size_t i = begin; i < begin + length; ++i) {
      for (const char c : words[i]) add(c);
      add('\x1f');
    }
    runs.push_back(hash);
  }
  std::sort(runs.begin(), runs.end());
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());
  return runs;
}

struct TrainProblem {
  const harness::ProblemSet* set = nullptr;
  const harness::Problem* problem = nullptr;
  size_t shingles = 0;
};

// From shingles, n-grams and whole texts to the training problems (numbers) that hold them.
struct TrainIndex {
  std::vector<TrainProblem> problems;
  std::unordered_map<uint64_t, std::vector<uint32_t>> shingles;
  std::unordered_map<uint64_t, uint32_t> ngrams;  // the first that holds it
  std::unordered_map<uint64_t, uint32_t> texts;
};

TrainIndex index_problems(const std::vector<harness::ProblemSet>& train, const OverlapSettings& settings) {
  TrainIndex index;
  for (const harness::ProblemSet& set : train) {
    for (const harness::Problem& problem : set.problems) {
      const auto number = static_cast<uint32_t>(index.problems.size());
      const auto words = words_of(problem.text);
      const auto shingles = runs_of(words, static_cast<size_t>(settings.shingle), true);
      for (const uint64_t shingle : shingles) index.shingles[shingle].push_back(number);
      for (const uint64_t ngram : runs_of(words, static_cast<size_t>(settings.ngram), false))
        index.ngrams.emplace(ngram, number);
      index.texts.emplace(problem.hash(), number);
      index.problems.push_back({&set, &problem, shingles.size()});
    }
  }
  return index;
}

struct Candidate {
  uint32_t number = 0;
  double jaccard = -1;
};

// The training problem with the largest Jaccard similarity.
Candidate nearest_problem(const TrainIndex& index, const std::vector<uint64_t>& shingles) {
  std::map<uint32_t, size_t> common;
  for (const uint64_t shingle : shingles) {
    const auto place = index.shingles.find(shingle);
    if (place == index.shingles.end()) continue;
    for (const uint32_t number : place->second) ++common[number];
  }
  Candidate best;
  for (const auto& [number, count] : common) {
    const size_t together = shingles.size() + index.problems[number].shingles - count;
    const double jaccard = static_cast<double>(count) / static_cast<double>(together);
    if (jaccard > best.jaccard) best = {number, jaccard};
  }
  return best;
}

}  // namespace

const char* to_string(OverlapKind kind) {
  switch (kind) {
    case OverlapKind::same_text:
      return "same text";
    case OverlapKind::ngram:
      return "13-gram";
    case OverlapKind::near_duplicate:
      break;
  }
  return "near duplicate";
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = byte >= 0x80 || std::isalnum(byte) != 0;
    if (letter && !inside) words.emplace_back();
    if (letter) words.back() += byte < 0x80 ? static_cast<char>(std::tolower(byte)) : c;
    inside = letter;
  }
  return words;
}

Contamination check_contamination(const std::vector<harness::ProblemSet>& train, const harness::ProblemSet& test,
                                  const OverlapSettings& settings) {
  if (settings.ngram < 1 || settings.shingle < 1) {
    throw harness::Error("contamination check: expected runs of at least one word, found {} and {}", settings.ngram,
                         settings.shingle);
  }
  const TrainIndex index = index_problems(train, settings);
  Contamination found;
  found.test_set = test.name;
  found.problems = std::ssize(test.problems);
  for (const harness::Problem& problem : test.problems) {
    const auto words = words_of(problem.text);
    const Candidate nearest = nearest_problem(index, runs_of(words, static_cast<size_t>(settings.shingle), true));
    const auto same = index.texts.find(problem.hash());
    const uint32_t* shared = nullptr;
    for (const uint64_t ngram : runs_of(words, static_cast<size_t>(settings.ngram), false)) {
      const auto place = index.ngrams.find(ngram);
      if (place != index.ngrams.end()) shared = &place->second;
    }
    const bool near = nearest.jaccard >= settings.jaccard;
    found.same_text += same != index.texts.end();
    found.ngram += shared != nullptr;
    found.near_duplicate += near;
    if (same == index.texts.end() && shared == nullptr && !near) continue;
    const bool is_same = same != index.texts.end();
    const uint32_t number = is_same ? same->second : near ? nearest.number : *shared;
    const TrainProblem& other = index.problems[number];
    found.overlaps.push_back({problem.id, other.set->name, other.problem->id,
                              is_same ? OverlapKind::same_text
                              : near  ? OverlapKind::near_duplicate
                                      : OverlapKind::ngram,
                              is_same ? 1.0 : std::max(nearest.jaccard, 0.0)});
  }
  return found;
}

std::string contamination_line(const std::vector<Contamination>& all) {
  std::vector<std::string> parts;
  for (const Contamination& one : all) {
    std::string part = fmt::format("{} {} of {}", one.test_set, one.overlaps.size(), one.problems);
    if (!one.overlaps.empty()) {
      part += fmt::format(" (same text {}, 13-gram {}, near duplicate {})", one.same_text, one.ngram, one.near_duplicate);
    }
    parts.push_back(std::move(part));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace datasets
