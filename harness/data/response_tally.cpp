#include "harness/data/response_tally.h"

#include <algorithm>
#include <vector>

#include "harness/core/error.h"
#include "harness/core/utf8.h"

namespace harness {

namespace {

constexpr std::array<const char*, 4> kKindNames = {"right", "wrong", "without an answer", "cut off"};

// The beginning and the end of a text, a few lines in all.
std::string cut_text(std::string_view text) {
  constexpr size_t kBegin = 240, kEnd = 120;
  std::string cut(text);
  if (text.size() > kBegin + kEnd) {
    cut = fmt::format("{} [{} bytes left out] {}", text.substr(0, kBegin), text.size() - kBegin - kEnd,
                      text.substr(text.size() - kEnd));
  }
  for (char& c : cut) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return to_valid_utf8(cut);
}

}  // namespace

void ResponseTally::add(const Problem& problem, std::string_view text, Correctness verdict, bool answered, bool stopped) {
  const ResponseKind of = verdict == Correctness::right ? ResponseKind::right
                          : !stopped                    ? ResponseKind::cut_off
                          : !answered                   ? ResponseKind::no_answer
                                                        : ResponseKind::wrong;
  Kind& kind = kinds_[static_cast<size_t>(of)];
  if (++kind.count > 1) return;
  kind.problem = cut_text(problem.text);
  kind.answer = cut_text(problem.answer);
  kind.text = cut_text(text);
}

int64_t ResponseTally::total() const {
  int64_t all = 0;
  for (const Kind& kind : kinds_) all += kind.count;
  return all;
}

double ResponseTally::share_right() const {
  return static_cast<double>(count(ResponseKind::right)) / static_cast<double>(std::max<int64_t>(1, total()));
}

std::string ResponseTally::counts() const {
  std::string text = fmt::format("of {} responses", total());
  for (size_t i = 0; i < kinds_.size(); ++i) text += fmt::format("{} {} {}", i == 0 ? "" : ",", kinds_[i].count, kKindNames[i]);
  return text;
}

std::string ResponseTally::advice() const {
  // In the order of ResponseKind.
  constexpr std::array<const char*, 4> kAdvice = {
      "the problems are too easy for this model: take harder ones (data.train)",
      "many answers are wrong: take easier problems (data.train), worked examples (prompt.shots), the model's own "
      "prompt.template, or a supervised cold start (models.NAME.pretrain with start)",
      "the grader finds no answer in many responses: say in prompt.instruction how to give it, show it in worked examples "
      "(prompt.shots), use the model's own prompt.template, begin with a supervised cold start (models.NAME.pretrain with "
      "start), or take a grader that reads such answers (reward.grader)",
      "many responses end at the length limit: raise sampling.max_new_tokens, or see whether the prompt lets the model stop "
      "(prompt.template, prompt.stop_ids)"};
  std::vector<size_t> order = {0, 1, 2, 3};
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return kinds_[a].count > kinds_[b].count; });
  std::string text;
  for (const size_t kind : order) {
    if (kinds_[kind].count == 0 || 4 * kinds_[kind].count < total()) break;
    text += (text.empty() ? "" : "; ") + std::string(kAdvice[kind]);
  }
  return text;
}

std::string ResponseTally::examples() const {
  std::string text;
  for (size_t i = 0; i < kinds_.size(); ++i) {
    const Kind& kind = kinds_[i];
    if (kind.count == 0) continue;
    text += fmt::format("{} ({} of {}), for example:\n  problem:  {}\n  answer:   {}\n  response: {}\n", kKindNames[i],
                        kind.count, total(), kind.problem, kind.answer, kind.text);
  }
  return text;
}

}  // namespace harness
