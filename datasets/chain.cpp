#include "datasets/chain.h"

#include <cstdlib>

#include "harness/core/error.h"

namespace datasets {

int64_t apply_operation(int64_t left, char operation, int64_t right) {
  switch (operation) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    default:
      break;
  }
  MEDSBENCH_CHECK((operation == '/' || operation == '%') && right != 0, "{}{}{}", left, operation, right);
  const int64_t remainder = (left % right + right) % right;
  return operation == '%' ? remainder : (left - remainder) / right;
}

int64_t Chain::step(int64_t left, char operation, int64_t right) {
  int64_t result = apply_operation(left, operation, right);
  if (steps_ == slip_.step) {
    // A slip never turns a positive number into zero or less: it goes up instead, so that no divisor becomes zero.
    result += result > 0 && result + slip_.delta <= 0 ? std::abs(slip_.delta) : slip_.delta;
  }
  ++steps_;
  text_ += spaced_ ? fmt::format("{} {} {} = {}. ", left, operation, right, result)
                   : fmt::format("{}{}{}={};", left, operation, right, result);
  return result;
}

}  // namespace datasets
