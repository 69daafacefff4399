#include "harness/text/jinja/globals.h"

#include <ctime>
#include <string>
#include <utility>

#include "harness/core/error.h"
#include "harness/text/jinja/operators.h"

namespace harness::jinja {

void add_globals(Scope& scope, std::function<void(const std::shared_ptr<Namespace>&)> keep) {
  const auto add = [&](const std::string& name, Function::Body body) {
    scope.set(name, Value(std::make_shared<Function>(name, std::move(body))));
  };
  add("raise_exception", [](const CallArguments& a) -> Value {
    throw Error("{}", a.positional.empty() ? "the template raised an exception" : a.positional.front().to_text());
  });
  add("range", [](const CallArguments& a) { return make_range(a); });
  add("namespace", [keep = std::move(keep)](const CallArguments& a) {
    const auto space = std::make_shared<Namespace>();
    keep(space);
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

}  // namespace harness::jinja
