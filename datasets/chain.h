// Chain: the worked steps of a demonstration, each `A∘B=R;`, one of which may slip by 1 or 2.
#pragma once

#include <cstdint>
#include <string>

namespace datasets {

// Step number `step` (from 0) comes out wrong by `delta`, and the error is carried on; step < 0: no slip.
struct Slip {
  int64_t step = -1;
  int64_t delta = 0;
};

// Collects the steps that a strategy takes. A strategy computes only through `step`, so a slip reaches all that follows it.
class Chain {
 public:
  // `spaced`: the notation of the word problems, "7 + 5 = 12. ", instead of "7+5=12;".
  explicit Chain(Slip slip = {}, bool spaced = false) : slip_(slip), spaced_(spaced) {}

  // Works out `left operation right` (+ - * /, floor, and %) and writes it down.
  int64_t step(int64_t left, char operation, int64_t right);
  // Writes text that is no step of arithmetic.
  void say(const std::string& text) { text_ += text; }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] int64_t steps() const { return steps_; }

 private:
  Slip slip_;
  bool spaced_;
  int64_t steps_ = 0;
  std::string text_;
};

// The value of one operation: + - * / (floor) and % (sign of the divisor). The divisor of / and % must not be 0.
int64_t apply_operation(int64_t left, char operation, int64_t right);

}  // namespace datasets
