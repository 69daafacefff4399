// Published sets: where each comes from, and the map from its fields to a Problem.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/data/problem.h"

namespace datasets {

// A repository on the hub, and the folder of it that holds the set ("" for all of it).
struct HubSource {
  std::string repository;
  std::string folder;
};

enum class AnswerForm {
  plain,         // the field as it stands
  integral,      // a number; 27.0 means 27
  after_hashes,  // the number after "####", thousands separators removed
  listed,        // a list of one text that may hold several answers (`is_multiple_answer`), with unit, type and tolerance
};

struct PublishedSet {
  std::string name;
  std::vector<std::string> splits;
  std::vector<HubSource> sources;
  std::vector<std::string> text_fields;    // the first one that a record has; dots go into objects
  std::vector<std::string> answer_fields;  // the same
  std::vector<std::string> box_fields;     // where no answer field is there: the last box of this text
  std::vector<std::string> kind_fields;    // may be absent
  AnswerForm form = AnswerForm::plain;
  std::vector<std::string> levels;  // only records whose "level" is one of these; empty: all
  bool deduplicate = false;         // a text that comes again is dropped and counted
};

// The sets that the program knows by name, in the order of the catalog.
const std::vector<PublishedSet>& published_sets();
// Null where no published set bears the name.
const PublishedSet* find_published_set(const std::string& name);
// Fields of a file of the user's own, dots go into objects; "": those that plain_set knows.
struct FieldNames {
  std::string problem;
  std::string answer;
};
// For a file of the user's own: the problem is `problem`, `question` or `prompt` (a text, or a chat's message of the user), the
// answer `answer`, verl's `reward_model.ground_truth` or the last box of `solution`.
PublishedSet plain_set(const std::string& name, const FieldNames& fields = {});

// Whether its training records carry worked solutions: a chain before "####", or a text with the boxed answer.
bool has_solutions(const PublishedSet& set);

// The top-level fields that a set's map reads.
std::vector<std::string> fields_of(const PublishedSet& set);
// The problem of one record; none if the record is not of the set (its level). Throws Error naming the field that is missing.
std::optional<harness::Problem> map_record(const PublishedSet& set, const harness::Json& record);

struct ReadCounts {
  int64_t rows = 0;
  int64_t left_out = 0;    // of another level
  int64_t duplicates = 0;  // a text seen before
  int64_t conflicts = 0;   // among them: with another answer (the first one counts)
};
struct ReadSet {
  harness::ProblemSet set;
  std::vector<std::string> solutions;  // of each problem, its answer in a \boxed{}; "" where the record has none
  ReadCounts counts;
};
// Reads and joins the files of a set. Throws Error with file and line.
ReadSet read_published(const PublishedSet& set, const std::vector<std::string>& files);

}  // namespace datasets
