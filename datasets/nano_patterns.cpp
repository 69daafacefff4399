// Sets seq and list of the nano suite: sequences, and picking from a list of digits.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>

#include "datasets/procedural_kind.h"

namespace datasets {
namespace {

using N = const Numbers&;

// T: numbers n, p, q. The common difference, written as larger minus smaller.
int64_t difference_step(int64_t p, int64_t q, Chain& c) { return q > p ? c.step(q, '-', p) : c.step(p, '-', q); }

int64_t nth_term(N n, Chain& c, bool always_plus) {
  const int64_t difference = difference_step(n[1], n[2], c);
  const int64_t way = c.step(c.step(n[0], '-', 1), '*', difference);
  return c.step(n[1], always_plus || n[2] > n[1] ? '+' : '-', way);
}

ProceduralKind term_of_arithmetic() {
  return {"seqT",
          "seq",
          "T#:#,#",
          [](Draws& draws) {
            const int64_t n = draws.between(4, 7);
            const int64_t step = draws.between(2, 6);
            if (draws.uniform() < .3) {
              const int64_t p = (n - 1) * step + draws.between(1, 9);
              return Numbers{n, p, p - step};
            }
            const int64_t p = draws.between(1, 9);
            return Numbers{n, p, p + step};
          },
          {{"always_plus", .45, [](N n, Chain& c) { return nth_term(n, c, true); }},
           {"n_for_n_less_one", .40,
            [](N n, Chain& c) {
              const int64_t difference = difference_step(n[1], n[2], c);
              return c.step(n[1], '+', c.step(n[0], '*', difference));
            }},
           {"right", .15, [](N n, Chain& c) { return nth_term(n, c, false); }}},
          true};
}

ProceduralKind sum_of_three() {
  const auto third = [](N n, Chain& c) { return c.step(n[1], '+', c.step(n[1], '-', n[0])); };
  return {"seqS",
          "seq",
          "S3:#,#",
          [](Draws& draws) {
            const int64_t p = draws.between(1, 9);
            return Numbers{p, p + draws.between(1, 9)};
          },
          {{"sum_of_two", .37, [](N n, Chain& c) { return c.step(n[0], '+', n[1]); }},
           {"third_term", .27, third},
           {"right", .36, [third](N n, Chain& c) {
              const int64_t last = third(n, c);
              return c.step(c.step(n[0], '+', n[1]), '+', last);
            }}}};
}

int64_t geometric(N n, Chain& c, int64_t multiplications) {
  const int64_t ratio = c.step(n[2], '/', n[1]);
  int64_t term = n[2];
  for (int64_t i = 0; i < multiplications; ++i) term = c.step(term, '*', ratio);
  return term;
}

ProceduralKind term_of_geometric() {
  return {"seqG",
          "seq",
          "G#:#,#",
          [](Draws& draws) {
            for (;;) {
              const int64_t n = draws.between(3, 4);
              const int64_t p = draws.between(1, 15);
              const int64_t ratio = draws.between(2, 5);
              const int64_t answer = p * ratio * ratio * (n == 4 ? ratio : 1);
              if (answer <= 200) return Numbers{n, p, p * ratio};
            }
          },
          {{"arithmetic", .62,
            [](N n, Chain& c) {
              const int64_t difference = c.step(n[2], '-', n[1]);
              int64_t term = n[2];
              for (int64_t i = 2; i < n[0]; ++i) term = c.step(term, '+', difference);
              return term;
            }},
           {"one_too_many", .30, [](N n, Chain& c) { return geometric(n, c, n[0] - 1); }},
           {"right", .08, [](N n, Chain& c) { return geometric(n, c, n[0] - 2); }}}};
}

int64_t fibonacci(N n, Chain& c, int64_t sums) {
  int64_t before = n[1];
  int64_t term = n[2];
  for (int64_t i = 0; i < sums; ++i) {
    const int64_t next = c.step(before, '+', term);
    before = term;
    term = next;
  }
  return term;
}

ProceduralKind term_of_fibonacci() {
  return {"seqF",
          "seq",
          "F#:#,#",
          [](Draws& draws) {
            const int64_t n = draws.between(4, 5);
            const int64_t p = draws.between(1, 9);
            return Numbers{n, p, draws.between(1, 9)};
          },
          {{"one_too_few", .43, [](N n, Chain& c) { return fibonacci(n, c, n[0] - 3); }},
           {"arithmetic", .34,
            [](N n, Chain& c) {
              const int64_t difference = difference_step(n[1], n[2], c);
              return c.step(n[2], '+', c.step(c.step(n[0], '-', 2), '*', difference));
            }},
           {"doubling", .20,
            [](N n, Chain& c) {
              int64_t term = n[2];
              for (int64_t i = 2; i < n[0]; ++i) term = c.step(term, '*', 2);
              return term;
            }},
           {"right", .03, [](N n, Chain& c) { return fibonacci(n, c, n[0] - 2); }}}};
}

// Four digits 1..9, exactly two of them even.
Numbers two_even_digits(Draws& draws) {
  for (;;) {
    Numbers numbers;
    for (int i = 0; i < 4; ++i) numbers.push_back(draws.between(1, 9));
    if (std::count_if(numbers.begin(), numbers.end(), [](int64_t n) { return n % 2 == 0; }) == 2) return numbers;
  }
}

std::function<int64_t(N, Chain&)> combine_those(int64_t parity, char operation) {
  return [parity, operation](N n, Chain& c) {
    Numbers picked;
    std::copy_if(n.begin(), n.end(), std::back_inserter(picked), [parity](int64_t d) { return d % 2 == parity; });
    return c.step(picked.at(0), operation, picked.at(1));
  };
}

std::function<int64_t(N, Chain&)> at_rank(size_t rank) {
  return [rank](N n, Chain& c) {
    Numbers sorted = n;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    for (const int64_t digit : sorted) c.say(std::to_string(digit));
    c.say(";");
    return sorted.at(rank);
  };
}

Numbers distinct_digits(Draws& draws) {
  Numbers numbers;
  while (numbers.size() < 4) {
    const int64_t digit = draws.between(2, 9);
    if (std::find(numbers.begin(), numbers.end(), digit) == numbers.end()) numbers.push_back(digit);
  }
  return numbers;
}

ProceduralKind products_of_pairs() {
  return {"listP",
          "list",
          "P:@@@@",
          [](Draws& draws) {
            Numbers numbers;
            for (int i = 0; i < 4; ++i) numbers.push_back(draws.between(1, 6));
            return numbers;
          },
          {{"neighbours", .37,
            [](N n, Chain& c) {
              const int64_t first = c.step(n[0], '*', n[1]);
              return c.step(first, '+', c.step(n[2], '*', n[3]));
            }},
           {"outer_only", .30, [](N n, Chain& c) { return c.step(n[0], '*', n[3]); }},
           {"inner_only", .30, [](N n, Chain& c) { return c.step(n[1], '*', n[2]); }},
           {"right", .03, [](N n, Chain& c) {
              const int64_t outer = c.step(n[0], '*', n[3]);
              return c.step(outer, '+', c.step(n[1], '*', n[2]));
            }}}};
}

}  // namespace

std::vector<ProceduralKind> sequence_kinds() {
  return {term_of_arithmetic(), sum_of_three(), term_of_geometric(), term_of_fibonacci()};
}

std::vector<ProceduralKind> list_kinds() {
  return {{"listV",
           "list",
           "V:@@@@",
           two_even_digits,
           {{"sum_of_odds", .20, combine_those(1, '+')},
            {"first_two", .10, [](N n, Chain& c) { return c.step(n[0], '+', n[1]); }},
            {"right", .70, combine_those(0, '+')}}},
          {"listK",
           "list",
           "K:@@@@",
           distinct_digits,
           {{"largest", .37, at_rank(0)}, {"third", .27, at_rank(2)}, {"right", .36, at_rank(1)}}},
          {"listE",
           "list",
           "E:@@@@",
           two_even_digits,
           {{"sum_of_evens", .50, combine_those(0, '+')},
            {"product_of_odds", .38, combine_those(1, '*')},
            {"right", .12, combine_those(0, '*')}}},
          products_of_pairs()};
}

}  // namespace datasets
