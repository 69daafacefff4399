// Jinja syntax tree: expressions and statements of a parsed template.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/text/jinja/value.h"

namespace harness::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

enum class ExpressionKind {
  kConstant,
  kName,
  kList,
  kTuple,
  kDict,       // parts: key, value, key, value, ...
  kAttribute,  // parts: object; name
  kItem,       // parts: object, index
  kSlice,      // parts: object, begin, end, step (null where left out)
  kCall,       // parts: callee; call
  kFilter,     // parts: input (null inside a filter block); name, call
  kTest,       // parts: input; name, call, negated
  kNegative,
  kPositive,
  kNot,
  kAnd,
  kOr,
  kBinary,       // name: the operator
  kCompare,      // parts: operands; operators
  kConditional,  // parts: condition, then, else (null where left out)
};

struct CallSyntax {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr spread_list;  // *expression
  ExpressionPtr spread_dict;  // **expression
};

struct Expression {
  ExpressionKind kind = ExpressionKind::kConstant;
  int line = 1;
  Value constant;
  std::string name;
  std::vector<ExpressionPtr> parts;
  std::vector<std::string> operators;
  CallSyntax call;
  bool negated = false;
  int height = 1;  // levels of the tree below and with this node
};

struct Statement;
using Body = std::vector<std::unique_ptr<Statement>>;

enum class StatementKind {
  kText,
  kOutput,
  kIf,         // branches; body: else
  kFor,        // target, value, condition (optional); body; otherwise
  kSet,        // target, value
  kSetBlock,   // target, value (a filter chain over nothing, optional); body
  kMacro,      // name, parameters; body
  kCallBlock,  // value (the call), parameters; body
  kFilter,     // value (a filter chain over nothing); body
  kWith,       // assignments; body
  kGeneration,
  kBreak,
  kContinue,
};

struct Parameter {
  std::string name;
  ExpressionPtr fallback;  // null: none
};

struct Statement {
  StatementKind kind = StatementKind::kText;
  int line = 1;
  std::string text;
  ExpressionPtr target;
  ExpressionPtr value;
  ExpressionPtr condition;
  bool recursive = false;
  Body body;
  Body otherwise;
  std::vector<std::pair<ExpressionPtr, Body>> branches;
  std::vector<Parameter> parameters;
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> assignments;
};

}  // namespace harness::jinja
