#include "harness/metrics/quantity.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <system_error>
#include <utility>

#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/stats/pass_at_k.h"

namespace harness {

namespace {

using Kind = Quantity::Kind;

struct KindName {
  Kind kind;
  const char* name;     // of the quantity, or what stands before @k
  const char* heading;  // the same
};
constexpr KindName kKinds[] = {
    {Kind::pass, "pass", "pass"},
    {Kind::g_pass, "g_pass", "G-pass"},  // as arXiv 2412.13147 writes it
    {Kind::maj, "maj", "maj"},
    {Kind::cover, "cover", "Cover"},  // as arXiv 2510.08325 writes it
    {Kind::luck, "luck", "luck"},
    {Kind::distinct_answers, "distinct_answers", "distinct answers"},
    {Kind::answer_entropy, "answer_entropy", "answer entropy"},
    {Kind::no_answer, "no_answer", "no answer"},
    {Kind::undecided, "undecided", "undecided"},
    {Kind::disagreement, "disagreement", "graders disagree"},
    {Kind::iqm, "iqm", "IQM"},
    {Kind::train_pass_rate, "train_pass_rate", "train pass rate"},
    {Kind::rollout_pass_rate, "rollout_pass_rate", "rollout pass rate"},
    {Kind::tokens_generated, "tokens_generated", "tokens"},
    {Kind::responses_generated, "responses_generated", "responses"},
    {Kind::responses_kept, "responses_kept", "kept"},
    {Kind::updates, "updates", "updates"},
    {Kind::visits_per_problem, "visits_per_problem", "visits"},
};

const KindName& names_of(Kind kind) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds), [&](const KindName& one) { return one.kind == kind; });
}

bool of_samples(Kind kind) { return kind == Kind::pass || kind == Kind::g_pass || kind == Kind::maj; }

// Takes a number off the front of the text; false where none stands there.
template <typename Number>
bool take_number(std::string_view& text, Number& number) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

// Every quantity but maj@k; undefined where the counts do not define it.
double value_of(const ProblemCounts& counts, const Quantity& quantity) {
  const auto share = [&](int64_t count) { return static_cast<double>(count) / static_cast<double>(counts.n); };
  switch (quantity.kind) {
    case Kind::pass:
      return quantity.k > counts.n ? kUndefined : pass_at_k(counts.n, counts.right, quantity.k);
    case Kind::g_pass:
      return quantity.k > counts.n ? kUndefined : g_pass_at_k(counts.n, counts.right, quantity.k, quantity.tau);
    case Kind::cover:
      return cover_at(counts.n, counts.right, quantity.tau);
    case Kind::luck:
      return counts.right == 1 || counts.right == 2 ? 1.0 : 0.0;
    case Kind::distinct_answers:
      return counts.answers_known ? static_cast<double>(counts.distinct_answers) : kUndefined;
    case Kind::answer_entropy:
      return counts.answer_entropy;
    case Kind::no_answer:
      return counts.answers_known ? share(counts.no_answer) : kUndefined;
    case Kind::undecided:
      return share(counts.undecided);
    case Kind::disagreement:
      return share(counts.disagree);
    default:
      MEDSBENCH_CHECK(false, "{} is not a quantity of a problem", quantity.name());
  }
  return kUndefined;
}

std::vector<double> values_of(const ProblemCounts& counts, std::span<const Quantity> quantities, const RandomStream& subsets) {
  std::vector<double> values(quantities.size(), kUndefined);
  std::vector<int64_t> ks;
  std::vector<size_t> places;  // of maj@k
  for (size_t q = 0; q < quantities.size(); ++q) {
    if (quantities[q].kind != Kind::maj) {
      values[q] = value_of(counts, quantities[q]);
    } else if (quantities[q].k <= static_cast<int64_t>(counts.votes.answers.size())) {
      ks.push_back(quantities[q].k);
      places.push_back(q);
    }
  }
  if (ks.empty()) return values;
  const std::vector<double> majorities = majority_at_k(counts.votes, ks, subsets);
  for (size_t i = 0; i < ks.size(); ++i) values[places[i]] = majorities[i];
  return values;
}

}  // namespace

bool Quantity::depends_on_n() const {
  return kind == Kind::cover || kind == Kind::luck || kind == Kind::distinct_answers || kind == Kind::answer_entropy;
}

std::string Quantity::name() const {
  std::string text = names_of(kind).name;
  if (of_samples(kind)) text += fmt::format("@{}", k);
  if (kind == Kind::cover) text += fmt::format("@{}", tau);
  return kind == Kind::g_pass ? text + fmt::format("_{}", tau) : text;
}

std::string Quantity::heading() const {
  std::string text = names_of(kind).heading;
  if (of_samples(kind)) text += fmt::format("@{}", k);
  if (kind == Kind::cover) text += fmt::format("@{}", tau);
  return kind == Kind::g_pass ? text + fmt::format(" at {}", tau) : text;
}

Quantity parse_quantity(std::string_view name) {
  for (const KindName& one : kKinds) {
    std::string_view rest = name;
    if (!rest.starts_with(one.name)) continue;
    rest.remove_prefix(std::string_view(one.name).size());
    Quantity quantity{one.kind, 0, 0};
    if (of_samples(one.kind)) {
      if (!rest.starts_with('@')) continue;
      rest.remove_prefix(1);
      if (!take_number(rest, quantity.k) || quantity.k < 1) continue;
    }
    if (one.kind == Kind::g_pass) {
      if (!rest.starts_with('_')) continue;
      rest.remove_prefix(1);
      if (!take_number(rest, quantity.tau) || !(quantity.tau >= 0 && quantity.tau <= 1)) continue;
    }
    if (one.kind == Kind::cover) {
      if (!rest.starts_with('@')) continue;
      rest.remove_prefix(1);
      if (!take_number(rest, quantity.tau) || !(quantity.tau > 0 && quantity.tau <= 1)) continue;
    }
    if (rest.empty()) return quantity;
  }
  std::vector<std::string> known = {"pass@K", "g_pass@K_TAU", "maj@K", "cover@TAU"};
  for (const KindName& one : kKinds) {
    if (!of_samples(one.kind) && one.kind != Kind::cover) known.push_back(one.name);
  }
  throw Error("expected one of {}, found \"{}\"", fmt::join(known, ", "), name);
}

std::vector<SeedTable> seed_tables(const SeedCounts& seeds, std::span<const Quantity> quantities, uint64_t key) {
  std::set<std::string> problems;
  std::vector<int64_t> numbers;
  for (const auto& [seed, counts] : seeds) {
    numbers.push_back(seed);
    for (const auto& [problem, count] : *counts) problems.insert(problem);
  }
  std::vector<SeedTable> tables(quantities.size(), SeedTable(numbers, {problems.begin(), problems.end()}));
  size_t place = 0;
  for (const auto& [seed, counts] : seeds) {
    size_t problem = 0;
    for (const std::string& id : problems) {
      if (const auto found = counts->find(id); found != counts->end()) {
        const RandomStream subsets("maj@k subsets", {key, static_cast<uint64_t>(seed), hash64(id)});
        const std::vector<double> values = values_of(found->second, quantities, subsets);
        for (size_t q = 0; q < quantities.size(); ++q) tables[q].at(place, problem) = values[q];
      }
      ++problem;
    }
    ++place;
  }
  return tables;
}

}  // namespace harness
