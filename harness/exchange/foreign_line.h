// ForeignProblem: one problem of a foreign file with its responses and verdicts, before they are outcomes.
#pragma once

#include <string>
#include <vector>

#include "harness/exchange/foreign_outcomes.h"

namespace harness {

struct ForeignProblem {
  std::string id, question, question_hash;  // the hash tells one problem of an id from another
  std::vector<std::string> answers;         // right ones; {}: not known
  std::vector<std::string> responses;       // one a sample; "" of a multiple choice
  Json metrics = Json::object();            // name -> number, truth value or a list of one a response
  std::optional<std::string> extracted;     // answer of the only response
  std::optional<double> temperature;
};

// The parts of a row of lm-evaluation-harness's samples, whose filter is `filter`, and of lighteval's details. Throw Error.
std::string lm_eval_filter(const Json& row);
ForeignProblem lm_eval_problem(const Json& row);
ForeignProblem lighteval_problem(const Json& row);

// What the answer is in a text that tells how it comes about: after the last "####", in the last box, else all of it.
std::string final_answer_of(const std::string& text);

}  // namespace harness
