#include "harness/text/jinja_interpreter.h"

#include <algorithm>
#include <ctime>

#include "harness/core/error.h"
#include "harness/text/jinja_builtins.h"
#include "harness/text/jinja_loop.h"
#include "harness/text/jinja_operators.h"
#include "harness/text/jinja_parser.h"
#include "harness/text/jinja_scope.h"

namespace harness::jinja {

namespace {

// What a template may do before it is taken for one that never ends.
constexpr int64_t kMostSteps = 1'000'000;
constexpr int kDeepestCalls = 100;
constexpr int kDeepestEvaluation = 500;  // statements and expressions inside one another, those of called macros included

enum class Flow { kNormal, kBreak, kContinue };

// Error with the line of the innermost place that failed.
class TemplateError : public Error {
 public:
  using Error::Error;
};

class Interpreter {
 public:
  explicit Interpreter(std::shared_ptr<const Body> body) : body_(std::move(body)) {}

  std::string run(const std::vector<std::pair<std::string, Value>>& variables) {
    auto scope = make_scope(nullptr);
    with_macros_.push_back(scope);  // namespaces hold names, names hold namespaces
    add_globals(*scope);
    for (const auto& [name, value] : variables) scope->set(name, value);
    std::string out;
    try {
      execute(*body_, make_scope(scope), out);
    } catch (...) {
      release();
      throw;
    }
    release();
    return out;
  }

 private:
  using ScopePtr = std::shared_ptr<Scope>;

  ScopePtr make_scope(const ScopePtr& outer) {
    auto scope = std::make_shared<Scope>(outer);
    return scope;
  }
  // Macros know the scope they stand in, which knows them; namespaces and loops may hold each other: the circles are cut here,
  // and no chain of them is long when it goes.
  void release() {
    for (const auto& object : objects_) object->clear();
    for (const ScopePtr& scope : with_macros_) scope->clear();
    objects_.clear();
  }
  template <typename Kind>
  std::shared_ptr<Kind> keep(std::shared_ptr<Kind> object) {
    objects_.push_back(object);
    return object;
  }
  // One more level of statements or expressions while it lives.
  struct Level {
    Level(Interpreter& owner, int line) : interpreter(owner) {
      if (++interpreter.depth_ > kDeepestEvaluation) {
        throw TemplateError("line {}: expected less recursion, found {} levels", line, interpreter.depth_);
      }
    }
    ~Level() { --interpreter.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    Interpreter& interpreter;
  };
  void step(int line) {
    if (++steps_ > kMostSteps) throw TemplateError("line {}: expected a template that ends, found one of more than {} steps", line, kMostSteps);
  }
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

  void add_globals(Scope& scope);

  // --- statements
  Flow execute(const Body& body, const ScopePtr& scope, std::string& out);
  Flow execute_for(const Statement& node, const ScopePtr& scope, std::string& out);
  Flow loop_over(const Statement& node, const Value& items, int64_t depth, const ScopePtr& scope, std::string& out);
  void execute_macro(const Statement& node, const ScopePtr& scope);
  void execute_call_block(const Statement& node, const ScopePtr& scope, std::string& out);
  std::string captured(const Body& body, const ScopePtr& scope);
  void assign(const Expression& target, const Value& value, Scope& scope);
  Value make_macro(const Statement& node, const ScopePtr& scope);

  // --- expressions
  Value evaluate(const Expression& node, const ScopePtr& scope);
  Value evaluate_part(const Expression& node, const ScopePtr& scope);
  Value evaluate_name(const Expression& node, const ScopePtr& scope);
  Value evaluate_compare(const Expression& node, const ScopePtr& scope);
  CallArguments evaluate_arguments(const CallSyntax& syntax, const ScopePtr& scope);
  Value call(const Value& callee, const CallArguments& arguments);
  List evaluate_all(const std::vector<ExpressionPtr>& parts, const ScopePtr& scope);
  Value filter_text(const Expression& node, const std::string& text, const ScopePtr& scope);

  std::shared_ptr<const Body> body_;
  std::vector<ScopePtr> with_macros_;
  std::vector<std::shared_ptr<Object>> objects_;  // every namespace and loop
  Budget budget_;
  int64_t steps_ = 0;
  int calls_ = 0;
  int depth_ = 0;
  const std::string* block_text_ = nullptr;  // what a filter block's chain begins with
};

void Interpreter::add_globals(Scope& scope) {
  const auto add = [&](const std::string& name, Function::Body body) {
    scope.set(name, Value(std::make_shared<Function>(name, std::move(body))));
  };
  add("raise_exception", [](const CallArguments& a) -> Value {
    throw Error("{}", a.positional.empty() ? "the template raised an exception" : a.positional.front().to_text());
  });
  add("range", [](const CallArguments& a) { return make_range(a); });
  add("namespace", [this](const CallArguments& a) {
    const auto space = keep(std::make_shared<Namespace>());
    for (const Value& source : a.positional) {
      if (!source.is_dict()) throw Error("namespace: expected a mapping, found {}", source.type_name());
      for (const auto& [key, value] : source.entries().entries()) space->set(key.to_text(), value);
    }
    for (const auto& [name, value] : a.named) space->set(name, value);
    return Value(space);
  });
  add("dict", [](const CallArguments& a) {
    Dict dict;
    for (const Value& source : a.positional) {
      if (!source.is_dict()) throw Error("dict: expected a mapping, found {}", source.type_name());
      for (const auto& [key, value] : source.entries().entries()) dict.set(key, value);
    }
    for (const auto& [name, value] : a.named) dict.set(Value(name), value);
    return Value::dict(std::move(dict));
  });
  add("strftime_now", [](const CallArguments& a) {
    const std::string format = a.positional.empty() ? "" : a.positional.front().to_text();
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    char buffer[512];
    return Value(std::string(buffer, std::strftime(buffer, sizeof buffer, format.c_str(), &local)));
  });
}

Flow Interpreter::execute(const Body& body, const ScopePtr& scope, std::string& out) {
  for (const auto& node : body) {
    step(node->line);
    const Level level(*this, node->line);
    if (out.size() > kLongestText) throw TemplateError("line {}: expected at most {} bytes of text, found more", node->line, kLongestText);
    switch (node->kind) {
      case StatementKind::kText:
        at_line(node->line, [&] { budget_.take(1 + node->text.size() / 16); });
        out += node->text;
        break;
      case StatementKind::kOutput: {
        const Value value = evaluate(*node->value, scope);
        at_line(node->line, [&] {
          budget_.take(value.weight());
          extend(out, value.to_text());
        });
        break;
      }
      case StatementKind::kIf: {
        const Body* chosen = &node->otherwise;
        for (const auto& [condition, branch] : node->branches) {
          if (evaluate(*condition, scope).is_true()) {
            chosen = &branch;
            break;
          }
        }
        if (const Flow flow = execute(*chosen, scope, out); flow != Flow::kNormal) return flow;
        break;
      }
      case StatementKind::kFor:
        if (const Flow flow = execute_for(*node, scope, out); flow != Flow::kNormal) return flow;
        break;
      case StatementKind::kSet: {
        const Value value = evaluate(*node->value, scope);
        at_line(node->line, [&] { assign(*node->target, value, *scope); });
        break;
      }
      case StatementKind::kSetBlock: {
        const std::string text = captured(node->body, scope);
        const Value value = node->value ? filter_text(*node->value, text, scope) : Value(text);
        at_line(node->line, [&] { assign(*node->target, value, *scope); });
        break;
      }
      case StatementKind::kMacro: execute_macro(*node, scope); break;
      case StatementKind::kCallBlock: execute_call_block(*node, scope, out); break;
      case StatementKind::kFilter: extend(out, filter_text(*node->value, captured(node->body, scope), scope).to_text()); break;
      case StatementKind::kWith: {
        auto inner = make_scope(scope);
        for (const auto& [target, value] : node->assignments) assign(*target, evaluate(*value, scope), *inner);
        if (const Flow flow = execute(node->body, inner, out); flow != Flow::kNormal) return flow;
        break;
      }
      case StatementKind::kGeneration: extend(out, captured(node->body, scope)); break;
      case StatementKind::kBreak: return Flow::kBreak;
      case StatementKind::kContinue: return Flow::kContinue;
    }
  }
  return Flow::kNormal;
}

Flow Interpreter::execute_for(const Statement& node, const ScopePtr& scope, std::string& out) {
  return loop_over(node, evaluate(*node.value, scope), 0, scope, out);
}

Flow Interpreter::loop_over(const Statement& node, const Value& items, int64_t depth, const ScopePtr& scope, std::string& out) {
  if (++calls_ > kDeepestCalls) throw TemplateError("line {}: expected at most {} nested loops, found more", node.line, kDeepestCalls);
  List visited = at_line(node.line, [&] {
    budget_.take(items.weight());
    return iterate(items);
  });
  if (node.condition) {
    List kept;
    for (const Value& item : visited) {
      step(node.line);
      auto inner = make_scope(scope);
      at_line(node.line, [&] { assign(*node.target, item, *inner); });
      if (evaluate(*node.condition, inner).is_true()) kept.push_back(item);
    }
    visited = std::move(kept);
  }
  Function::Body again;
  if (node.recursive) {
    again = [this, &node, depth, scope](const CallArguments& a) {
      if (a.positional.empty()) throw Error("loop(): expected items, found none");
      std::string text;
      loop_over(node, a.positional.front(), depth + 1, scope, text);
      return Value(text);
    };
  }
  const auto loop = keep(std::make_shared<Loop>(visited, depth, std::move(again)));
  for (size_t i = 0; i < visited.size(); ++i) {
    step(node.line);
    loop->move_to(i);
    auto inner = make_scope(scope);
    inner->set("loop", Value(loop));
    at_line(node.line, [&] { assign(*node.target, visited[i], *inner); });
    if (execute(node.body, inner, out) == Flow::kBreak) break;
  }
  --calls_;
  return visited.empty() ? execute(node.otherwise, make_scope(scope), out) : Flow::kNormal;
}

std::string Interpreter::captured(const Body& body, const ScopePtr& scope) {
  std::string text;
  execute(body, make_scope(scope), text);
  return text;
}

void Interpreter::assign(const Expression& target, const Value& value, Scope& scope) {
  if (target.kind == ExpressionKind::kName) {
    scope.set(target.name, value);
    return;
  }
  if (target.kind == ExpressionKind::kAttribute) {
    const Value* space = scope.find(target.parts.front()->name);
    auto* object = space != nullptr && space->is_object() ? dynamic_cast<Namespace*>(&space->object()) : nullptr;
    if (object == nullptr) throw Error("expected a namespace as \"{}\", found none", target.parts.front()->name);
    object->set(target.name, value);
    return;
  }
  const List items = iterate(value);
  if (items.size() != target.parts.size()) throw Error("expected {} values to unpack, found {}", target.parts.size(), items.size());
  for (size_t i = 0; i < items.size(); ++i) assign(*target.parts[i], items[i], scope);
}

Value Interpreter::make_macro(const Statement& node, const ScopePtr& scope) {
  with_macros_.push_back(scope);
  const std::weak_ptr<Scope> home = scope;
  return Value(std::make_shared<Function>(node.text, [this, &node, home](const CallArguments& arguments) {
    const ScopePtr outer = home.lock();
    if (!outer) throw Error("macro \"{}\": its scope is gone", node.text);
    auto inner = make_scope(outer);
    for (size_t i = 0; i < node.parameters.size(); ++i) {
      const Parameter& parameter = node.parameters[i];
      const Value* given = arguments.find(i, parameter.name);
      inner->set(parameter.name, given != nullptr       ? *given
                                 : parameter.fallback ? evaluate(*parameter.fallback, inner)
                                                      : Value::undefined("parameter '" + parameter.name + "'"));
    }
    List more;
    for (size_t i = node.parameters.size(); i < arguments.positional.size(); ++i) more.push_back(arguments.positional[i]);
    inner->set("varargs", Value::tuple(std::move(more)));
    Dict named;
    for (const auto& [name, value] : arguments.named) {
      if (name == "caller") {
        inner->set("caller", value);
        continue;
      }
      const bool known = std::any_of(node.parameters.begin(), node.parameters.end(), [&, &n = name](const Parameter& p) { return p.name == n; });
      if (!known) named.set(Value(name), value);
    }
    inner->set("kwargs", Value::dict(std::move(named)));
    std::string text;
    execute(node.body, inner, text);
    return Value(text);
  }));
}

void Interpreter::execute_macro(const Statement& node, const ScopePtr& scope) { scope->set(node.text, make_macro(node, scope)); }

void Interpreter::execute_call_block(const Statement& node, const ScopePtr& scope, std::string& out) {
  at_line(node.line, [&] {
    const Expression& syntax = *node.value;
    const Value callee = evaluate(*syntax.parts.front(), scope);
    CallArguments arguments = evaluate_arguments(syntax.call, scope);
    arguments.named.emplace_back("caller", make_macro(node, scope));
    extend(out, call(callee, arguments).to_text());
  });
}

Value Interpreter::filter_text(const Expression& node, const std::string& text, const ScopePtr& scope) {
  const std::string* before = std::exchange(block_text_, &text);
  budget_.take(1 + text.size() / 16);
  Value value = evaluate(node, scope);
  block_text_ = before;
  return value;
}

Value Interpreter::evaluate(const Expression& node, const ScopePtr& scope) {
  step(node.line);
  const Level level(*this, node.line);
  return at_line(node.line, [&] { return evaluate_part(node, scope); });
}

List Interpreter::evaluate_all(const std::vector<ExpressionPtr>& parts, const ScopePtr& scope) {
  List items;
  for (const auto& part : parts) items.push_back(evaluate(*part, scope));
  return items;
}

Value Interpreter::evaluate_name(const Expression& node, const ScopePtr& scope) {
  const Value* found = scope->find(node.name);
  return found == nullptr ? Value::undefined("'" + node.name + "'") : *found;
}

Value Interpreter::evaluate_compare(const Expression& node, const ScopePtr& scope) {
  Value left = evaluate(*node.parts.front(), scope);
  for (size_t i = 0; i < node.operators.size(); ++i) {
    Value right = evaluate(*node.parts[i + 1], scope);
    budget_.take(left.weight() + right.weight());
    if (!compare(node.operators[i], left, right)) return false;
    left = std::move(right);
  }
  return true;
}

CallArguments Interpreter::evaluate_arguments(const CallSyntax& syntax, const ScopePtr& scope) {
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

Value Interpreter::call(const Value& callee, const CallArguments& arguments) {
  if (callee.is_undefined()) throw Error("{} is undefined", callee.undefined_name());
  if (!callee.is_object()) throw Error("{} is not callable", callee.type_name());
  if (++calls_ > kDeepestCalls) throw Error("expected at most {} nested calls, found more", kDeepestCalls);
  Value result = callee.object().call(arguments);
  --calls_;
  return result;
}

Value Interpreter::evaluate_part(const Expression& node, const ScopePtr& scope) {
  const auto part = [&](size_t i) { return node.parts[i] ? evaluate(*node.parts[i], scope) : Value(); };
  switch (node.kind) {
    case ExpressionKind::kConstant: return node.constant;
    case ExpressionKind::kName: return evaluate_name(node, scope);
    case ExpressionKind::kList: return Value::list(evaluate_all(node.parts, scope));
    case ExpressionKind::kTuple: return Value::tuple(evaluate_all(node.parts, scope));
    case ExpressionKind::kDict: {
      Dict dict;
      for (size_t i = 0; i + 1 < node.parts.size(); i += 2) {
        const Value key = part(i);
        dict.set(key, part(i + 1));
      }
      return Value::dict(std::move(dict));
    }
    case ExpressionKind::kAttribute: return get_attribute(part(0), node.name);
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
      const Value result = call(callee, evaluate_arguments(node.call, scope));
      budget_.take(result.weight());
      return result;
    }
    case ExpressionKind::kFilter: {
      const Value input = node.parts[0] ? part(0) : Value(block_text_ == nullptr ? std::string() : *block_text_);
      const Value result = apply_filter(node.name, input, evaluate_arguments(node.call, scope));
      budget_.take(result.weight());
      return result;
    }
    case ExpressionKind::kTest: return apply_test(node.name, part(0), evaluate_arguments(node.call, scope)) != node.negated;
    case ExpressionKind::kNegative: return negative(part(0));
    case ExpressionKind::kPositive: return positive(part(0));
    case ExpressionKind::kNot: return !part(0).is_true();
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
      const Value result = binary(node.name, left, part(1));
      budget_.take(result.weight());
      return result;
    }
    case ExpressionKind::kCompare: return evaluate_compare(node, scope);
    case ExpressionKind::kConditional:
      if (part(0).is_true()) return part(1);
      return node.parts[2] ? part(2) : Value::undefined("the inline if-expression without else");
  }
  return {};
}

}  // namespace

Template::Template(std::string_view source) : body_(std::make_shared<const Body>(parse_template(source))) {}

std::string Template::render(const std::vector<std::pair<std::string, Value>>& variables) const {
  return Interpreter(body_).run(variables);
}

}  // namespace harness::jinja
