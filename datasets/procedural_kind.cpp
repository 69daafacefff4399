#include "datasets/procedural_kind.h"

#include <algorithm>

namespace datasets {

std::string ProceduralKind::text(const Numbers& numbers) const {
  std::string out;
  size_t next = 0;
  for (const char c : pattern) {
    if (c == '#' || c == '@') {
      out += std::to_string(numbers.at(next++));
    } else {
      out += c;
    }
  }
  return out;
}

int64_t answer_of(const Strategy& strategy, const Numbers& numbers) {
  Chain chain;
  return strategy.answer(numbers, chain);
}

std::map<std::string, std::string> error_labels(const std::vector<Strategy>& strategies, const Numbers& numbers) {
  const int64_t gold = answer_of(strategies.back(), numbers);
  std::map<std::string, std::string> labels;
  for (size_t i = 0; i + 1 < strategies.size(); ++i) {
    const int64_t answer = answer_of(strategies[i], numbers);
    if (answer == gold) continue;
    const auto [place, fresh] = labels.emplace(std::to_string(answer), strategies[i].name);
    if (!fresh) place->second = "ambiguous";
  }
  return labels;
}

bool wrong_answers_differ(const std::vector<Strategy>& strategies, const Numbers& numbers) {
  const int64_t gold = answer_of(strategies.back(), numbers);
  return std::none_of(strategies.begin(), strategies.end() - 1,
                      [&](const Strategy& strategy) { return answer_of(strategy, numbers) == gold; });
}

std::map<std::string, std::string> error_openings(const std::vector<Strategy>& strategies, const Numbers& numbers) {
  std::map<std::string, std::string> openings;
  for (const Strategy& strategy : strategies) {
    Chain chain;
    (void)strategy.answer(numbers, chain);
    const std::string opening = chain.text().substr(0, chain.text().find('=') + 1);
    if (!openings.emplace(opening, strategy.name).second) return {};
  }
  std::erase_if(openings, [&](const auto& opening) { return opening.second == strategies.back().name; });
  return openings;
}

std::vector<ProceduralKind> arena_kinds() {
  std::vector<ProceduralKind> all = nano_kinds();
  for (ProceduralKind& kind : error_kinds()) all.push_back(std::move(kind));
  return all;
}

std::vector<ProceduralKind> nano_kinds() {
  std::vector<ProceduralKind> all;
  for (const auto& part : {precedence_kinds(), modulus_kinds(), linear_kinds(), sequence_kinds(), list_kinds()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace datasets
