#include "harness/data/correctness.h"

#include "harness/core/error.h"

namespace harness {

const char* to_string(Correctness correctness) {
  switch (correctness) {
    case Correctness::right:
      return "right";
    case Correctness::wrong:
      return "wrong";
    case Correctness::undecided:
      break;
  }
  return "undecided";
}

Correctness parse_correctness(std::string_view word) {
  for (const Correctness one : {Correctness::right, Correctness::wrong, Correctness::undecided}) {
    if (word == to_string(one)) return one;
  }
  throw Error("expected right, wrong or undecided, found \"{}\"", word);
}

}  // namespace harness
