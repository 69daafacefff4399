// Jinja scopes: names and values, each scope inside another.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/text/jinja/value.h"

namespace harness::jinja {

class Scope {
 public:
  explicit Scope(std::shared_ptr<Scope> outer) : outer_(std::move(outer)) {}
  // In this scope or the nearest outer one that has it; null: none has.
  [[nodiscard]] const Value* find(const std::string& name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->outer_.get()) {
      for (const auto& [key, value] : scope->values_) {
        if (key == name) return &value;
      }
    }
    return nullptr;
  }
  // In this scope alone.
  void set(const std::string& name, Value value) {
    for (auto& [key, old] : values_) {
      if (key == name) {
        old = std::move(value);
        return;
      }
    }
    values_.emplace_back(name, std::move(value));
  }
  // Macros hold the scope they were made in: without this the two keep each other alive.
  void clear() { values_.clear(); }

 private:
  std::shared_ptr<Scope> outer_;
  std::vector<std::pair<std::string, Value>> values_;
};

}  // namespace harness::jinja
