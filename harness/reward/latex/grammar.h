// LatexGrammar: recursive descent over LaTeX mathematics; operators in parser.cpp, what they join in atoms.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/reward/latex/cursor.h"
#include "harness/reward/latex/expression.h"
#include "harness/reward/latex/number_forms.h"
#include "harness/reward/latex/parts.h"

namespace harness {

// Throws NotMathematics for what it cannot read. `cased`: the lower-case letters whose two cases are two symbols.
class LatexGrammar : private LatexCursor {
 public:
  LatexGrammar(std::string_view text, std::string_view cased, StepBudget& budget)
      : LatexCursor(text), cased_(cased), budget_(budget), thousands_(commas_are_thousands(text)) {}

  Expression whole();

 private:
  static constexpr int kDeepest = 60;

  class Depth {
   public:
    explicit Depth(LatexGrammar& grammar) : grammar_(grammar) {
      if (++grammar_.depth_ > kDeepest) throw NotMathematics{};
      grammar_.budget_.spend();
    }
    ~Depth() { --grammar_.depth_; }

   private:
    LatexGrammar& grammar_;
  };

  // Operators, the loosest first.
  // element (, element)*, also with `\land` and `\lor`; a bare list of two or more is a set with the name ",", "and" or "or".
  Expression list(std::string_view closers);
  Expression relation();
  // Takes a relation sign and gives its one spelling; "" if there is none.
  std::string relation_operator();
  Expression set_sum();
  Expression sum();
  // A product with its sign; none where no sign stands before a further one.
  std::optional<Expression> signed_product(bool first);
  // factors (: factors)*, a quotient of two, a ratio of more.
  Expression product();
  Expression factors();
  Expression signed_power();
  // An atom with its postfix operators.
  Expression power();
  // What `^` takes: a group, a number, or one atom with its own power.
  Expression script();
  bool starts_factor();

  // Atoms.
  Expression atom();
  Expression number();
  // A number as a factor: mixed (`2 3/4`), a time of day, or one that no further digit follows.
  Expression quantity();
  // Takes `\text{am}`: 1, `\text{pm}`: 2, neither: 0.
  int day_half();
  Expression letter();
  // A symbol with its subscript and primes.
  Expression subscripted(std::string name);
  Expression braces();
  Expression brackets();
  Expression bars();
  Expression command_atom();
  Expression fraction();
  Expression root();
  // `{...}`, `(...)` or one character: the argument of \frac and \sqrt.
  Expression script_argument();
  Expression function_call(const std::string& name);
  // A bracketed argument, or the factors up to the next operator or function.
  Expression function_argument();
  // A number or a formula in text is read as such, words are a symbol.
  Expression text_atom(const std::string& content);
  Expression braced_set();
  // `x :`, `x \in S \mid` at the beginning of a set's braces, with the bar; none where no such thing stands there.
  std::optional<Expression> builder_element();
  Expression matrix();

  std::string_view cased_;
  StepBudget& budget_;
  int depth_ = 0;
  bool builder_ = false;  // before the bar of `\{x \in S : ...\}`
  int bars_ = 0;          // open ones
  int brackets_ = 0;      // open ones: a comma inside is none of thousands
  bool thousands_;
};

}  // namespace harness
