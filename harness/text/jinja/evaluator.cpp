#include "harness/text/jinja/evaluator.h"

#include "harness/text/jinja/builtins.h"
#include "harness/text/jinja/operators.h"

namespace harness::jinja {

namespace {

// What a template may do before it is taken for one that never ends.
constexpr int64_t kMostSteps = 1'000'000;
constexpr int kDeepestEvaluation = 500;  // statements and expressions inside one another, those of called macros included

}  // namespace

Evaluator::Level::Level(Evaluator& owner, int line) : evaluator(owner) {
  if (++evaluator.depth_ > kDeepestEvaluation) {
    throw TemplateError("line {}: expected less recursion, found {} levels", line, evaluator.depth_);
  }
}

void Evaluator::step(int line) {
  if (++steps_ > kMostSteps)
    throw TemplateError("line {}: expected a template that ends, found one of more than {} steps", line, kMostSteps);
}

Value Evaluator::filter_text(const Expression& node, const std::string& text, const ScopePtr& scope) {
  const std::string* before = std::exchange(block_text_, &text);
  budget_.take(1 + text.size() / 16);
  Value value = evaluate(node, scope);
  block_text_ = before;
  return value;
}

Value Evaluator::evaluate(const Expression& node, const ScopePtr& scope) {
  step(node.line);
  const Level level(*this, node.line);
  return at_line(node.line, [&] { return evaluate_part(node, scope); });
}

List Evaluator::evaluate_all(const std::vector<ExpressionPtr>& parts, const ScopePtr& scope) {
  List items;
  for (const auto& part : parts) items.push_back(evaluate(*part, scope));
  return items;
}

Value Evaluator::evaluate_name(const Expression& node, const ScopePtr& scope) {
  const Value* found = scope->find(node.name);
  return found == nullptr ? Value::undefined("'" + node.name + "'") : *found;
}

Value Evaluator::evaluate_dict(const Expression& node, const ScopePtr& scope) {
  Dict dict;
  for (size_t i = 0; i + 1 < node.parts.size(); i += 2) {
    const Value key = evaluate(*node.parts[i], scope);
    dict.set(key, evaluate(*node.parts[i + 1], scope));
  }
  return Value::dict(std::move(dict));
}

Value Evaluator::evaluate_compare(const Expression& node, const ScopePtr& scope) {
  Value left = evaluate(*node.parts.front(), scope);
  for (size_t i = 0; i < node.operators.size(); ++i) {
    Value right = evaluate(*node.parts[i + 1], scope);
    budget_.take(left.weight() + right.weight());
    if (!compare(node.operators[i], left, right)) return false;
    left = std::move(right);
  }
  return true;
}

CallArguments Evaluator::evaluate_arguments(const CallSyntax& syntax, const ScopePtr& scope) {
  CallArguments arguments;
  arguments.budget = &budget_;
  arguments.positional = evaluate_all(syntax.positional, scope);
  for (const auto& [name, value] : syntax.named) arguments.named.emplace_back(name, evaluate(*value, scope));
  if (syntax.spread_list) {
    for (const Value& item : iterate(evaluate(*syntax.spread_list, scope))) arguments.positional.push_back(item);
  }
  if (syntax.spread_dict) {
    const Value more = evaluate(*syntax.spread_dict, scope);
    if (!more.is_dict()) throw Error("**: expected a mapping, found {}", more.type_name());
    for (const auto& [key, value] : more.entries().entries()) arguments.named.emplace_back(key.to_text(), value);
  }
  return arguments;
}

Value Evaluator::call(const Value& callee, const CallArguments& arguments) {
  require_defined(callee);
  if (!callee.is_object()) throw Error("{} is not callable", callee.type_name());
  if (++calls_ > kDeepestCalls) throw Error("expected at most {} nested calls, found more", kDeepestCalls);
  Value result = callee.object().call(arguments);
  --calls_;
  return result;
}

Value Evaluator::charged(Value value) {
  budget_.take(value.weight());
  return value;
}

Value Evaluator::evaluate_part(const Expression& node, const ScopePtr& scope) {
  const auto part = [&](size_t i) { return node.parts[i] ? evaluate(*node.parts[i], scope) : Value(); };
  switch (node.kind) {
    case ExpressionKind::kConstant:
      return node.constant;
    case ExpressionKind::kName:
      return evaluate_name(node, scope);
    case ExpressionKind::kList:
      return Value::list(evaluate_all(node.parts, scope));
    case ExpressionKind::kTuple:
      return Value::tuple(evaluate_all(node.parts, scope));
    case ExpressionKind::kDict:
      return evaluate_dict(node, scope);
    case ExpressionKind::kAttribute:
      return get_attribute(part(0), node.name);
    case ExpressionKind::kItem: {
      const Value object = part(0);
      if (object.is_string()) budget_.take(object.weight());
      return get_item(object, part(1));
    }
    case ExpressionKind::kSlice: {
      const Value object = part(0);
      budget_.take(object.weight());
      return get_slice(object, part(1), part(2), part(3));
    }
    case ExpressionKind::kCall: {
      const Value callee = part(0);
      return charged(call(callee, evaluate_arguments(node.call, scope)));
    }
    case ExpressionKind::kFilter: {
      const Value input = node.parts[0] ? part(0) : Value(block_text_ == nullptr ? std::string() : *block_text_);
      return charged(apply_filter(node.name, input, evaluate_arguments(node.call, scope)));
    }
    case ExpressionKind::kTest:
      return apply_test(node.name, part(0), evaluate_arguments(node.call, scope)) != node.negated;
    case ExpressionKind::kNegative:
      return negative(part(0));
    case ExpressionKind::kPositive:
      return positive(part(0));
    case ExpressionKind::kNot:
      return !part(0).is_true();
    case ExpressionKind::kAnd: {
      Value left = part(0);
      return left.is_true() ? part(1) : left;
    }
    case ExpressionKind::kOr: {
      Value left = part(0);
      return left.is_true() ? left : part(1);
    }
    case ExpressionKind::kBinary: {
      const Value left = part(0);
      return charged(binary(node.name, left, part(1)));
    }
    case ExpressionKind::kCompare:
      return evaluate_compare(node, scope);
    case ExpressionKind::kConditional:
      if (part(0).is_true()) return part(1);
      return node.parts[2] ? part(2) : Value::undefined("the inline if-expression without else");
  }
  return {};
}

}  // namespace harness::jinja
