// PassHooks: what is told of a network's passes, unit of parameters by unit, so that it may bring values and take gradients
// away.
#pragma once

#include <cstddef>

namespace harness {

class PassHooks {
 public:
  virtual ~PassHooks() = default;
  // The values of unit `unit` are read after `hold` and until as many `release`s.
  virtual void hold(size_t unit) = 0;
  virtual void release(size_t unit) noexcept = 0;
  // Gradients are added to those of the unit's parameters after `open_gradients`; at `close_gradients` all that this part of
  // the pass adds are there. One unit is open at a time; a unit that stands in two places (a tied embedding) is opened twice.
  virtual void open_gradients(size_t unit) = 0;
  virtual void close_gradients(size_t unit) = 0;
};

// Holds a unit while it lives; nothing where there are no hooks.
class HeldUnit {
 public:
  HeldUnit(PassHooks* hooks, size_t unit) : hooks_(hooks), unit_(unit) {
    if (hooks_ != nullptr) hooks_->hold(unit_);
  }
  ~HeldUnit() {
    if (hooks_ != nullptr) hooks_->release(unit_);
  }
  HeldUnit(const HeldUnit&) = delete;
  HeldUnit& operator=(const HeldUnit&) = delete;

 private:
  PassHooks* hooks_;
  size_t unit_;
};

// Runs `body`, which adds to the gradients of a unit; `values`: it reads the unit's values too.
template <typename Body>
void add_to_unit(PassHooks* hooks, size_t unit, bool values, Body&& body) {
  const HeldUnit held(values ? hooks : nullptr, unit);
  if (hooks != nullptr) hooks->open_gradients(unit);
  body();
  if (hooks != nullptr) hooks->close_gradients(unit);  // not where body throws: other processes may wait in here
}

}  // namespace harness
