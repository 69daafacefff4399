#include "datasets/procedural_kind.h"

#include <cctype>

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

std::optional<Numbers> ProceduralKind::parse(std::string_view text) const {
  Numbers numbers;
  size_t at = 0;
  for (const char c : pattern) {
    if (c != '#' && c != '@') {
      if (at >= text.size() || text[at++] != c) return std::nullopt;
      continue;
    }
    const size_t longest = c == '@' ? 1 : 9;
    size_t end = at;
    int64_t number = 0;
    while (end < text.size() && end - at < longest && std::isdigit(static_cast<unsigned char>(text[end])) != 0) {
      number = number * 10 + (text[end++] - '0');
    }
    if (end == at) return std::nullopt;
    numbers.push_back(number);
    at = end;
  }
  if (at != text.size()) return std::nullopt;
  return numbers;
}

int64_t answer_of(const Strategy& strategy, const Numbers& numbers) {
  Chain chain;
  return strategy.answer(numbers, chain);
}

std::map<std::string, std::string> ProceduralKind::error_labels(const Numbers& numbers) const {
  const int64_t gold = answer_of(right(), numbers);
  std::map<std::string, std::string> labels;
  for (size_t i = 0; i + 1 < strategies.size(); ++i) {
    const int64_t answer = answer_of(strategies[i], numbers);
    if (answer == gold) continue;
    const auto [place, fresh] = labels.emplace(std::to_string(answer), strategies[i].name);
    if (!fresh) place->second = "ambiguous";
  }
  return labels;
}

bool ProceduralKind::accepts(const Numbers& numbers) const {
  if (wrong_may_be_right) return true;
  const int64_t gold = answer_of(right(), numbers);
  for (size_t i = 0; i + 1 < strategies.size(); ++i) {
    if (answer_of(strategies[i], numbers) == gold) return false;
  }
  return true;
}

std::vector<ProceduralKind> nano_kinds() {
  std::vector<ProceduralKind> all;
  for (const auto& part : {precedence_kinds(), modulus_kinds(), linear_kinds(), sequence_kinds(), list_kinds()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace datasets
