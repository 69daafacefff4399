#include "harness/text/jinja/interpreter.h"

#include <algorithm>

#include "harness/text/jinja/builtins.h"
#include "harness/text/jinja/evaluator.h"
#include "harness/text/jinja/globals.h"
#include "harness/text/jinja/loop.h"
#include "harness/text/jinja/parser.h"

namespace harness::jinja {

namespace {

enum class Flow { kNormal, kBreak, kContinue };

class Interpreter : private Evaluator {
 public:
  explicit Interpreter(std::shared_ptr<const Body> body) : body_(std::move(body)) {}

  std::string run(const std::vector<std::pair<std::string, Value>>& variables) {
    auto scope = make_scope(nullptr);
    with_macros_.push_back(scope);  // namespaces hold names, names hold namespaces
    add_globals(*scope, [this](const auto& space) { keep(space); });
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
  Flow execute(const Body& body, const ScopePtr& scope, std::string& out);
  Flow execute_statement(const Statement& node, const ScopePtr& scope, std::string& out);
  const Body& chosen_branch(const Statement& node, const ScopePtr& scope);
  Flow loop_over(const Statement& node, const Value& items, int64_t depth, const ScopePtr& scope, std::string& out);
  void execute_call_block(const Statement& node, const ScopePtr& scope, std::string& out);
  std::string captured(const Body& body, const ScopePtr& scope);
  void assign(const Expression& target, const Value& value, Scope& scope);
  Value make_macro(const Statement& node, const ScopePtr& scope);

  std::shared_ptr<const Body> body_;
  std::vector<ScopePtr> with_macros_;
  std::vector<std::shared_ptr<Object>> objects_;  // every namespace and loop
};

Flow Interpreter::execute(const Body& body, const ScopePtr& scope, std::string& out) {
  for (const auto& node : body) {
    step(node->line);
    const Level level(*this, node->line);
    if (out.size() > kLongestText)
      throw TemplateError("line {}: expected at most {} bytes of text, found more", node->line, kLongestText);
    if (const Flow flow = execute_statement(*node, scope, out); flow != Flow::kNormal) return flow;
  }
  return Flow::kNormal;
}

Flow Interpreter::execute_statement(const Statement& node, const ScopePtr& scope, std::string& out) {
  switch (node.kind) {
    case StatementKind::kText:
      at_line(node.line, [&] { budget_.take(1 + node.text.size() / 16); });
      out += node.text;
      break;
    case StatementKind::kOutput: {
      const Value value = evaluate(*node.value, scope);
      at_line(node.line, [&] {
        budget_.take(value.weight());
        extend(out, value.to_text());
      });
      break;
    }
    case StatementKind::kIf:
      return execute(chosen_branch(node, scope), scope, out);
    case StatementKind::kFor:
      return loop_over(node, evaluate(*node.value, scope), 0, scope, out);
    case StatementKind::kSet: {
      const Value value = evaluate(*node.value, scope);
      at_line(node.line, [&] { assign(*node.target, value, *scope); });
      break;
    }
    case StatementKind::kSetBlock: {
      const std::string text = captured(node.body, scope);
      const Value value = node.value ? filter_text(*node.value, text, scope) : Value(text);
      at_line(node.line, [&] { assign(*node.target, value, *scope); });
      break;
    }
    case StatementKind::kMacro:
      scope->set(node.text, make_macro(node, scope));
      break;
    case StatementKind::kCallBlock:
      execute_call_block(node, scope, out);
      break;
    case StatementKind::kFilter:
      extend(out, filter_text(*node.value, captured(node.body, scope), scope).to_text());
      break;
    case StatementKind::kWith: {
      auto inner = make_scope(scope);
      for (const auto& [target, value] : node.assignments) assign(*target, evaluate(*value, scope), *inner);
      return execute(node.body, inner, out);
    }
    case StatementKind::kGeneration:
      extend(out, captured(node.body, scope));
      break;
    case StatementKind::kBreak:
      return Flow::kBreak;
    case StatementKind::kContinue:
      return Flow::kContinue;
  }
  return Flow::kNormal;
}

const Body& Interpreter::chosen_branch(const Statement& node, const ScopePtr& scope) {
  for (const auto& [condition, branch] : node.branches) {
    if (evaluate(*condition, scope).is_true()) return branch;
  }
  return node.otherwise;
}

Flow Interpreter::loop_over(const Statement& node, const Value& items, int64_t depth, const ScopePtr& scope, std::string& out) {
  if (++calls_ > kDeepestCalls)
    throw TemplateError("line {}: expected at most {} nested loops, found more", node.line, kDeepestCalls);
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
  if (items.size() != target.parts.size())
    throw Error("expected {} values to unpack, found {}", target.parts.size(), items.size());
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
      inner->set(parameter.name, given != nullptr     ? *given
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
      const bool known = std::any_of(node.parameters.begin(), node.parameters.end(),
                                     [&, &n = name](const Parameter& p) { return p.name == n; });
      if (!known) named.set(Value(name), value);
    }
    inner->set("kwargs", Value::dict(std::move(named)));
    std::string text;
    execute(node.body, inner, text);
    return Value(text);
  }));
}

void Interpreter::execute_call_block(const Statement& node, const ScopePtr& scope, std::string& out) {
  at_line(node.line, [&] {
    const Expression& syntax = *node.value;
    const Value callee = evaluate(*syntax.parts.front(), scope);
    CallArguments arguments = evaluate_arguments(syntax.call, scope);
    arguments.named.emplace_back("caller", make_macro(node, scope));
    extend(out, call(callee, arguments).to_text());
  });
}

}  // namespace

Template::Template(std::string_view source) : body_(std::make_shared<const Body>(parse_template(source))) {}

std::string Template::render(const std::vector<std::pair<std::string, Value>>& variables) const {
  return Interpreter(body_).run(variables);
}

}  // namespace harness::jinja
