// Evaluator: the values of a template's expressions, and the limits of one rendering.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/error.h"
#include "harness/text/jinja/ast.h"
#include "harness/text/jinja/scope.h"

namespace harness::jinja {

using ScopePtr = std::shared_ptr<Scope>;

inline constexpr int kDeepestCalls = 100;  // calls and loops inside one another

// Error with the line of the innermost place that failed.
class TemplateError : public Error {
 public:
  using Error::Error;
};

// Throws TemplateError for what fails and for a template that goes on too long or too deep.
class Evaluator {
 protected:
  // One more level of statements or expressions while it lives.
  struct Level {
    Level(Evaluator& owner, int line);
    ~Level() { --evaluator.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    Evaluator& evaluator;
  };
  void step(int line);
  // Runs `body`; an Error that leaves it gets the line.
  template <typename Body>
  auto at_line(int line, Body&& body) -> decltype(body()) {
    try {
      return body();
    } catch (const TemplateError&) {
      throw;
    } catch (const Error& error) {
      throw TemplateError("line {}: {}", line, error.what());
    }
  }

  Value evaluate(const Expression& node, const ScopePtr& scope);
  CallArguments evaluate_arguments(const CallSyntax& syntax, const ScopePtr& scope);
  Value call(const Value& callee, const CallArguments& arguments);
  // A chain of filters that begins with nothing, over a block's text.
  Value filter_text(const Expression& node, const std::string& text, const ScopePtr& scope);

  Budget budget_;
  int calls_ = 0;

 private:
  Value evaluate_part(const Expression& node, const ScopePtr& scope);
  Value evaluate_name(const Expression& node, const ScopePtr& scope);
  Value evaluate_dict(const Expression& node, const ScopePtr& scope);
  Value evaluate_compare(const Expression& node, const ScopePtr& scope);
  List evaluate_all(const std::vector<ExpressionPtr>& parts, const ScopePtr& scope);
  // Takes the value's weight from the budget.
  Value charged(Value value);

  int64_t steps_ = 0;
  int depth_ = 0;
  const std::string* block_text_ = nullptr;  // what a filter block's chain begins with
};

}  // namespace harness::jinja
