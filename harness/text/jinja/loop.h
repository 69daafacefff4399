// Jinja's `loop` variable.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "harness/core/error.h"
#include "harness/text/jinja/value.h"

namespace harness::jinja {

class Loop : public Object, public std::enable_shared_from_this<Loop> {
 public:
  // `again`: the body of a recursive loop over other items; empty: the loop is not recursive.
  Loop(List items, int64_t depth, Function::Body again) : items_(std::move(items)), depth_(depth), again_(std::move(again)) {}
  // To the item of that number, from 0.
  void move_to(size_t place) { place_ = place; }

  [[nodiscard]] std::optional<Value> attribute(const std::string& name) override {
    const auto at = static_cast<int64_t>(place_);
    const auto count = static_cast<int64_t>(items_.size());
    if (name == "index") return at + 1;
    if (name == "index0") return at;
    if (name == "revindex") return count - at;
    if (name == "revindex0") return count - at - 1;
    if (name == "first") return at == 0;
    if (name == "last") return at + 1 == count;
    if (name == "length") return count;
    if (name == "depth") return depth_ + 1;
    if (name == "depth0") return depth_;
    if (name == "previtem") return at > 0 ? items_[place_ - 1] : Value::undefined("'loop.previtem'");
    if (name == "nextitem") return at + 1 < count ? items_[place_ + 1] : Value::undefined("'loop.nextitem'");
    if (name == "cycle") {
      return Value(std::make_shared<Function>("cycle", [at](const CallArguments& a) {
        if (a.positional.empty()) throw Error("loop.cycle: expected values, found none");
        return a.positional[static_cast<size_t>(at) % a.positional.size()];
      }));
    }
    if (name == "changed") {
      return Value(std::make_shared<Function>("changed", [self = shared_from_this()](const CallArguments& a) {
        Value now = Value::list(a.positional);
        const bool differs = !self->last_ || !equal(*self->last_, now);
        self->last_ = std::move(now);
        return Value(differs);
      }));
    }
    return std::nullopt;
  }
  Value call(const CallArguments& arguments) override {
    if (!again_) throw Error("loop(): expected a recursive loop, found one that is not");
    return again_(arguments);
  }
  [[nodiscard]] std::string to_text(int /*level*/) const override { return "<loop>"; }
  void clear() override {
    items_.clear();
    again_ = nullptr;
    last_.reset();
  }

 private:
  List items_;
  int64_t depth_;
  Function::Body again_;
  size_t place_ = 0;
  std::optional<Value> last_;
};

}  // namespace harness::jinja
