#include "harness/reward/math/math_grader.h"

#include <fmt/format.h>

#include <charconv>
#include <exception>
#include <utility>

#include "harness/core/text_edit.h"
#include "harness/reward/answer/boxed.h"
#include "harness/reward/latex/number_forms.h"
#include "harness/reward/latex/parser.h"
#include "harness/reward/latex/parts.h"
#include "harness/reward/math/latex_clean.h"
#include "harness/reward/math/math_equality.h"

namespace harness {
namespace {

constexpr int64_t kMathSteps = 200000;
constexpr size_t kLongestMathAnswer = 4000;

// Letters and digits alone, without \text: how two words are compared.
std::string word_form(const std::string& text) {
  std::string plain = squeeze(replace_all(text, "\\text", ""));
  std::string result;
  for (const char c : plain) {
    if (c != '{' && c != '}' && c != '(' && c != ')') result += c;
  }
  return result.find('\\') == std::string::npos ? lower_ascii(result) : std::string();
}

bool is_word(const std::string& form) {
  for (const char c : form) {
    const bool letter = (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80 || c == '-';
    if (!letter) return false;
  }
  return !form.empty();
}

// Whether both are one word whatever its case. Short ones with a letter in both cases (`Rr`, `Tt`) are formulas or names, which
// have their case, unless they stand in \text{}.
bool same_word(const std::string& gold, const std::string& found) {
  const std::string form = word_form(gold);
  if (form != word_form(found) || !is_word(form)) return false;
  if (letters_of_both_cases(replace_all(gold + found, "\\text", "")).empty() || form.size() > 3) return true;
  return (contains(gold, "\\text") || contains(found, "\\text")) && !repeats_one_letter(form);
}

std::vector<long double> tolerances_of(const std::string& text) {
  std::vector<long double> result;
  for (const std::string& part : split_text(text, ",")) {
    const std::string number = trim(part);
    double value = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
    result.push_back(!number.empty() && read.ec == std::errc() ? static_cast<long double>(value) : -1);
  }
  return result;
}

struct Comparison {
  Equality equality = Equality::different;
  std::string why;
};

const char* words_of(Equality equality) {
  switch (equality) {
    case Equality::equal:
      return "equal";
    case Equality::different:
      return "different";
    case Equality::unknown:
      break;
  }
  return "not comparable: a value is undefined or out of range";
}

std::vector<Expression> list_members(Expression x) {
  if (x.is(Op::set)) return std::move(x.parts);
  return one_part(std::move(x));
}

// Members in any order, each with its own tolerance where the set gives one for each answer.
Comparison compare_with_several(const std::vector<std::string>& golds, const std::string& found, const Problem& problem,
                                StepBudget& budget) {
  const std::vector<long double> tolerances = tolerances_of(problem.tolerance);
  std::string cased = letters_of_both_cases(found);
  std::vector<std::string> cleaned;
  for (const std::string& gold : golds) {
    cleaned.push_back(clean_answer(gold, problem.unit));
    cased += letters_of_both_cases(cleaned.back());
  }
  const std::optional<Expression> parsed = parse_answer(found, cased, budget);
  if (!parsed) return {Equality::different, "the answer is not readable as mathematics and is not the gold text"};
  std::vector<Expression> members = list_members(*parsed);
  if (members.size() != golds.size()) {
    return {Equality::different, fmt::format("{} answers expected, {} found", golds.size(), members.size())};
  }
  for (size_t i = 0; i < golds.size(); ++i) {
    const std::optional<Expression> gold = parse_answer(cleaned[i], cased, budget);
    if (!gold) return {Equality::different, "a gold answer is not readable as mathematics"};
    const EqualityRule rule{tolerances.size() == golds.size() ? tolerances[i] : tolerances[0]};
    bool met = false;
    for (size_t j = 0; j < members.size() && !met; ++j) {
      if (compare_answers(*gold, members[j], rule, budget) != Equality::equal) continue;
      members.erase(members.begin() + static_cast<std::ptrdiff_t>(j));
      met = true;
    }
    if (!met) return {Equality::different, fmt::format("no answer found for the gold answer {}", golds[i])};
  }
  return {Equality::equal, "each gold answer has its equal"};
}

Comparison compare_texts(const std::string& gold, const std::string& found, const Problem& problem, StepBudget& budget) {
  // "58 or 500" is no 58,500.
  const bool same_commas = commas_are_thousands(gold) == commas_are_thousands(found);
  if (same_commas && squeeze(gold) == squeeze(found)) return {Equality::equal, "the cleaned texts are equal"};
  if (same_word(gold, found)) return {Equality::equal, "the words are equal"};
  if (gold.size() > kLongestMathAnswer || found.size() > kLongestMathAnswer) {
    return {Equality::unknown, fmt::format("an answer is longer than {} bytes and the texts differ", kLongestMathAnswer)};
  }
  if (problem.answers.size() > 1) return compare_with_several(problem.answers, found, problem, budget);
  const std::string cased = letters_of_both_cases(gold) + letters_of_both_cases(found);
  const std::optional<Expression> a = parse_answer(gold, cased, budget);
  if (!a) return {Equality::different, "the gold answer is not readable as mathematics and the texts differ"};
  const std::optional<Expression> b = parse_answer(found, cased, budget);
  if (!b) return {Equality::different, "the answer is not readable as mathematics and the texts differ"};
  const EqualityRule rule{tolerances_of(problem.tolerance)[0]};
  const Equality equality = compare_answers(*a, *b, rule, budget);
  return {equality, fmt::format("read as mathematics, {} and {} are {}", gold, found, words_of(equality))};
}

Comparison compare_bounded(const std::string& gold, const std::string& found, const Problem& problem) {
  try {
    StepBudget budget(kMathSteps);
    return compare_texts(gold, found, problem, budget);
  } catch (const OutOfSteps&) {
    return {Equality::unknown, fmt::format("the comparison takes more than {} steps", kMathSteps)};
  } catch (const std::exception& error) {
    return {Equality::unknown, fmt::format("the comparison failed: {}", error.what())};
  }
}

}  // namespace

Verdict MathGrader::grade(std::string_view response, const Problem& problem) const {
  Verdict verdict;
  verdict.extracted = last_balanced_box(response);
  if (!verdict.extracted) {
    verdict.why = "no \\boxed or \\fbox with balanced braces";
    return verdict;
  }
  const std::string gold = clean_answer(problem.answers.size() == 1 ? problem.answers[0] : problem.answer, problem.unit);
  const std::string found = clean_answer(*verdict.extracted, problem.unit);
  verdict.normalised = found;
  Comparison comparison = compare_bounded(gold, found, problem);
  const bool several_values = contains(gold, ",") || contains(gold, "\\lor") || problem.answers.size() > 1;
  if (comparison.equality != Equality::equal && several_values) {
    const std::string several = neighbouring_boxes(response);
    if (several != *verdict.extracted) {
      const std::string joined = clean_answer(several, problem.unit);
      Comparison other = compare_bounded(gold, joined, problem);
      if (other.equality == Equality::equal) {
        comparison = std::move(other);
        verdict.extracted = several;
        verdict.normalised = joined;
      }
    }
  }
  verdict.why = comparison.why;
  verdict.correctness = comparison.equality == Equality::equal       ? Correctness::right
                        : comparison.equality == Equality::different ? Correctness::wrong
                                                                     : Correctness::undecided;
  return verdict;
}

}  // namespace harness
