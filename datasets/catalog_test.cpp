#include "datasets/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "datasets/locate.h"
#include "datasets/published.h"
#include "datasets/word_kind.h"
#include "harness/core/error.h"
#include "harness/core/testing.h"
#include "harness/hub/hub_cache.h"

namespace datasets {
namespace {

using harness::error_of;
using harness::ScratchFolder;

using ::testing::ElementsAre;
using ::testing::HasSubstr;

harness::Problem only_problem(const std::string& set, const std::string& line) {
  const auto problem = map_record(*find_published_set(set), harness::parse_json(line));
  EXPECT_TRUE(problem.has_value());
  return problem.value_or(harness::Problem{});
}

TEST(FieldMap, TakesTheAnswerOrTheLastBoxOfTheSolution) {
  EXPECT_EQ(only_problem("aime24", R"({"problem": "P", "answer": "204"})").answer, "204");
  EXPECT_EQ(only_problem("aime24", R"({"problem": "P", "solution": "So \\boxed{1} no \\boxed{20\\frac{1}{2}}."})").answer,
            "20\\frac{1}{2}");
  EXPECT_EQ(only_problem("aime25", R"({"problem": " P ", "answer": 7})").text, "P");
  EXPECT_EQ(only_problem("hmmt25", R"({"problem": "P", "answer": "\\sqrt{2}"})").answer, "\\sqrt{2}");
}

TEST(FieldMap, ReadsAWholeDecimalNumberAsAnInteger) {
  EXPECT_EQ(only_problem("amc23", R"({"question": "Q", "answer": 27.0})").answer, "27");
  EXPECT_EQ(only_problem("amc23", R"({"question": "Q", "answer": -1.0})").answer, "-1");
  EXPECT_EQ(only_problem("amc23", R"({"question": "Q", "answer": "3159.0"})").answer, "3159");
  EXPECT_EQ(only_problem("amc23", R"({"question": "Q", "answer": 2.5})").answer, "2.5");
}

TEST(FieldMap, TakesTheNumberAfterTheHashesOfGsm8k) {
  EXPECT_EQ(only_problem("gsm8k", R"({"question": "Q", "answer": "a #### no\n#### 1,234"})").answer, "1234");
  EXPECT_THAT(error_of([] { only_problem("gsm8k", R"({"question": "Q", "answer": "12"})"); }), HasSubstr("####"));
}

TEST(FieldMap, ReadsSeveralAnswersUnitsTypesAndTolerancesOfOlympiadBench) {
  const auto several = only_problem("olympiadbench", R"({"question": "Q", "final_answer": ["$(1,8,19), (2,7,13)$"],
      "is_multiple_answer": true, "unit": null, "answer_type": "Tuple", "error": null, "subfield": "Algebra"})");
  EXPECT_THAT(several.answers, ElementsAre("(1,8,19)", "(2,7,13)"));
  EXPECT_EQ(several.answer, "(1,8,19), (2,7,13)");
  EXPECT_EQ(several.answer_type, "Tuple");
  EXPECT_EQ(several.kind, "Algebra");
  const auto listed =
      only_problem("olympiadbench", R"({"question": "Q", "final_answer": ["$69$,$84$"], "is_multiple_answer": true})");
  EXPECT_THAT(listed.answers, ElementsAre("69", "84"));
  const auto one = only_problem("olympiadbench", R"({"question": "Q", "final_answer": ["$1,000$"], "is_multiple_answer": false,
      "unit": "$cm^2$", "answer_type": "Numerical", "error": "1e-1"})");
  EXPECT_EQ(one.answer, "1,000");
  EXPECT_TRUE(one.answers.empty());
  EXPECT_EQ(one.unit, "cm^2");
  EXPECT_EQ(one.tolerance, "1e-1");
}

TEST(FieldMap, KeepsLevelsThreeToFiveOfMath) {
  const PublishedSet& math = *find_published_set("math345");
  const auto with_level = [&](const std::string& level) {
    return map_record(math, harness::parse_json(R"({"problem": "P", "type": "Algebra", "solution": "\\boxed{5}", "level": ")" +
                                                level + "\"}"));
  };
  EXPECT_FALSE(with_level("Level 2").has_value());
  EXPECT_FALSE(with_level("Level ?").has_value());
  ASSERT_TRUE(with_level("Level 3").has_value());
  EXPECT_EQ(with_level("Level 5")->kind, "Algebra");
  EXPECT_EQ(with_level("Level 5")->answer, "5");
}

TEST(ReadPublished, NamesFileLineAndTheFieldThatIsMissing) {
  const ScratchFolder folder;
  folder.write("aime24.jsonl", "{\"problem\": \"P\", \"answer\": 1}\n{\"problem\": \"R\"}\n");
  LoadSettings settings;
  settings.data_dir = folder.path();
  EXPECT_THAT(error_of([&] { load_set("aime24", settings); }),
              HasSubstr("aime24.jsonl: line 2: expected the field \"answer\", found none"));
  folder.write("aime24.jsonl", "{\"answer\": 1}\n");
  EXPECT_THAT(error_of([&] { load_set("aime24", settings); }),
              HasSubstr("line 1: expected the field \"problem\" or \"question\", found none"));
  folder.write("aime24.jsonl", "");
  EXPECT_THAT(error_of([&] { load_set("aime24", settings); }), HasSubstr("expected problems"));
}

TEST(ReadPublished, KeepsTheDigitsOfTheFile) {
  const ScratchFolder folder;
  const std::vector<std::string> numbers = {"123456789012345678901234567890",
                                            "18446744073709551616",
                                            "-9223372036854775809",
                                            "18446744073709551615",
                                            "-9223372036854775808",
                                            "12345678901234567.0",
                                            "0.1000000000000000055511151231257827",
                                            "1e3",
                                            "1E+3",
                                            "1.50",
                                            "-0.0",
                                            "2.5",
                                            "42"};
  std::string lines, array;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const std::string record = fmt::format("{{\"problem\": \"P{}\", \"answer\": {}}}", i, numbers[i]);
    lines += record + "\n";
    array += (i == 0 ? "[" : ",") + record;
  }
  folder.write("big.jsonl", lines);
  folder.write("big.json", array + "]");
  for (const char* name : {"big.jsonl", "big.json"}) {
    const auto set = load_set(folder.path(name));
    ASSERT_EQ(set.problems.size(), numbers.size());
    for (size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(set.problems[i].answer, numbers[i]) << name;
  }
  folder.write("huge.jsonl", "{\"problem\": \"P\", \"answer\": 1e400}\n");
  EXPECT_THAT(error_of([&] { load_set(folder.path("huge.jsonl")); }),
              ::testing::EndsWith("huge.jsonl: line 1: expected numbers that a double can hold, found 1e400"));
}

TEST(ReadPublished, SaysThatAFieldIsNull) {
  const ScratchFolder folder;
  folder.write("t.jsonl", "{\"problem\": \"P\", \"answer\": null}\n");
  EXPECT_THAT(error_of([&] { load_set(folder.path("t.jsonl")); }), HasSubstr("t.jsonl: line 1: expected the field \"answer\""));
  EXPECT_THAT(error_of([&] { load_set(folder.path("t.jsonl")); }), HasSubstr("found null"));
}

TEST(FilesOfOnesOwn, AreReadInTheLayoutsOfOthersAndByTheFieldsNamed) {
  const ScratchFolder folder;
  const auto only = [&](const std::string& line, const FieldNames& fields = {}) {
    folder.write("own.jsonl", line + "\n");
    LoadSettings settings;
    settings.fields = fields;
    return load_set(folder.path("own.jsonl"), settings).problems.at(0);
  };
  const auto verl =
      only(R"({"prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "1+1?"}], "answer": null, )"
           R"("reward_model": {"style": "rule", "ground_truth": "2"}})");
  EXPECT_EQ(verl.text + "|" + verl.answer, "1+1?|2");
  EXPECT_EQ(only(R"({"prompt": "Q", "solution": "so \\boxed{5}"})").answer, "5");
  const auto named = only(R"({"input": {"text": "Q"}, "solution": "\\frac12", "answer": "no"})", {"input.text", "solution"});
  EXPECT_EQ(named.text + "|" + named.answer, "Q|\\frac12");
  EXPECT_THAT(error_of([&] {
                only(R"({"problem": "P", "answer": "1"})", {"", "gold"});
              }),
              HasSubstr("expected the field \"gold\", found none"));
}

#ifdef MEDSBENCH_ARROW
TEST(ReadPublished, RefusesListsNaNAndInfinityAsAnswersOfAParquetFile) {
  const std::string path = std::string(MEDSBENCH_SOURCE_DIR) + "/harness/data/testdata/refused.parquet";
  const auto refusal = [&](const std::string& answer) {
    return error_of([&] { read_published(plain_set("own", {"problem", answer}), {path}); });
  };
  EXPECT_THAT(refusal("answer"), HasSubstr("refused.parquet: row 1: \"answer\": expected a text or a number, found array"));
  EXPECT_THAT(refusal("gap"), HasSubstr("row 1: expected the field \"gap\", found null"));
  EXPECT_THAT(refusal("huge"), HasSubstr("row 1: \"answer\": expected a finite number, found inf"));
}

TEST(ReadPublished, StripsTheInstructionOfDapoAndDropsWhatComesAgain) {
  const ReadSet read = read_published(*find_published_set("dapo17k"), {std::string(MEDSBENCH_TEST_DATA) + "/dapo17k.parquet"});
  ASSERT_EQ(read.set.problems.size(), 2u);
  EXPECT_EQ(read.set.problems[0].text, "What is $1+1$?");
  EXPECT_EQ(read.set.problems[0].answer, "2");
  EXPECT_EQ(read.set.problems[1].answer, "4");
  EXPECT_EQ(read.counts.rows, 7);
  EXPECT_EQ(read.counts.duplicates, 5);
  EXPECT_EQ(read.counts.conflicts, 1);
}
#endif

TEST(ReadPublished, HasTheSameContentHashWhateverTheFormatAndOrder) {
  const ScratchFolder folder;
  folder.write("a.jsonl", "{\"problem\": \"P\", \"answer\": 1}\n{\"problem\": \"Q  R\", \"answer\": \"x, y\"}\n");
  folder.write("b.csv", "answer,question\n\"x, y\",Q R\n1,P\n");
  EXPECT_EQ(load_set(folder.path("a.jsonl")).content_hash(), load_set(folder.path("b.csv")).content_hash());
}

TEST(LoadSet, SaysWhatToPutWhereWhenAFileIsMissing) {
  const ScratchFolder folder;
  LoadSettings settings;
  settings.data_dir = folder.path();
  const std::string message = error_of([&] { load_set("math500", settings); });
  EXPECT_THAT(message, HasSubstr("math500.jsonl"));
  EXPECT_THAT(message, HasSubstr(folder.path()));
  EXPECT_THAT(message, HasSubstr("HuggingFaceH4/MATH-500"));
  EXPECT_THAT(message, HasSubstr("medsbench data fetch math500"));
  settings.data_dir = folder.path("absent");
  EXPECT_THAT(error_of([&] { load_set("math500", settings); }), HasSubstr("expected the folder of the data sets"));
}

TEST(LoadSet, NamesTheNearestSetAndTheSplitsThereAre) {
  EXPECT_THAT(error_of([] { load_set("nano/prek:test"); }), HasSubstr("the nearest is nano/prec"));
  EXPECT_THAT(error_of([] { load_set("nano/prec"); }), HasSubstr("train, validation, test"));
  EXPECT_THAT(error_of([] { load_set("aime24", {}, "train"); }), HasSubstr("expected one of the splits test, found train"));
}

TEST(LoadSet, TakesTheSplitOfTheNameBeforeTheOneAskedFor) {
  EXPECT_EQ(load_set("nano/seq:test", {}, "train").content_hash(), load_set("nano/seq", {}, "test").content_hash());
  EXPECT_EQ(load_set("nano/seq:test").name, "nano/seq");
  EXPECT_EQ(load_set("words", {}, "validation").problems.size(), word_kind_tables().size() * 5);
}

TEST(LoadSets, TurnNanoIntoItsFiveSets) {
  const auto sets = load_sets({"nano", "words"}, "test");
  ASSERT_EQ(sets.size(), 6u);
  EXPECT_EQ(sets[0].name, "nano/prec");
  EXPECT_EQ(sets[4].name, "nano/list");
  EXPECT_EQ(sets[5].name, "words");
}

TEST(LoadSets, KeepAProblemOfTwoTrainingSetsInTheFirstOnly) {
  const ScratchFolder folder;
  folder.write("a.jsonl", "{\"problem\": \"P\", \"answer\": 1}\n{\"problem\": \"Q\", \"answer\": 2}\n");
  folder.write("b.jsonl", "{\"problem\": \" Q \", \"answer\": 2}\n{\"problem\": \"R\", \"answer\": 3}\n");
  const std::vector<std::string> names = {folder.path("a.jsonl"), folder.path("b.jsonl")};
  const auto train = load_sets(names, "train");
  EXPECT_EQ(train[0].problems.size(), 2u);
  ASSERT_EQ(train[1].problems.size(), 1u);
  EXPECT_EQ(train[1].problems[0].text, "R");
  EXPECT_EQ(load_sets(names, "test")[1].problems.size(), 2u);
}

TEST(LoadSet, LimitsToAKeyedSampleThatDoesNotDependOnTheOrderOfTheFile) {
  const ScratchFolder folder;
  std::string forwards;
  std::string backwards;
  for (int i = 0; i < 50; ++i) {
    const std::string line = fmt::format("{{\"question\": \"Q{}\", \"answer\": \"#### {}\"}}\n", i, i);
    forwards += line;
    backwards = line + backwards;
  }
  folder.write("one/gsm8k_train.jsonl", forwards);
  folder.write("two/gsm8k_train.jsonl", backwards);
  LoadSettings settings;
  settings.limit = 7;
  settings.data_dir = folder.path("one");
  const auto one = load_set("gsm8k_train", settings);
  settings.data_dir = folder.path("two");
  EXPECT_EQ(one.problems.size(), 7u);
  EXPECT_EQ(one.content_hash(), load_set("gsm8k:train", settings).content_hash());
  settings.data_seed = 1;
  EXPECT_NE(one.content_hash(), load_set("gsm8k_train", settings).content_hash());
}

TEST(LoadSet, LimitsTrainingSplitsByTheirOwnLimit) {
  LoadSettings settings;
  settings.limit = 3;
  settings.train_limit = 7;
  EXPECT_EQ(load_set("nano/mod", settings, "train").problems.size(), 7u);
  EXPECT_EQ(load_set("nano/mod", settings, "test").problems.size(), 3u);
  settings.train_limit = 0;
  EXPECT_EQ(load_set("nano/mod", settings, "train").problems.size(), 3u);
}

TEST(LoadSet, TakesAValidationSplitOutOfAPublishedTrainingSet) {
  const ScratchFolder folder;
  std::string lines;
  for (int i = 0; i < 50; ++i) lines += fmt::format("{{\"question\": \"Q{}\", \"answer\": \"#### {}\"}}\n", i, i);
  folder.write("gsm8k_train.jsonl", lines);
  LoadSettings settings;
  settings.data_dir = folder.path();
  EXPECT_THAT(error_of([&] { load_set("gsm8k", settings, "validation"); }), HasSubstr("splits train, test"));
  settings.validation = 10;
  std::set<std::string> texts;
  const auto train = load_set("gsm8k", settings, "train");
  const auto validation = load_set("gsm8k", settings, "validation");
  EXPECT_EQ(train.problems.size(), 40u);
  EXPECT_EQ(validation.problems.size(), 10u);
  for (const auto* set : {&train, &validation}) {
    for (const harness::Problem& problem : set->problems) texts.insert(problem.text);
  }
  EXPECT_EQ(texts.size(), 50u);
}

TEST(Demonstrations, OfGsm8kAreItsTrainingSolutionsWithTheAnswerInABox) {
  const ScratchFolder folder;
  std::string lines;
  for (int i = 0; i < 20; ++i) {
    lines += fmt::format(R"({{"question": "Add {0} and 1?", "answer": "First <<{0}+1={1}>>{1}.\nSo ${1}.\n#### 1,00{1}"}})", i,
                         i + 1) +
             "\n";
  }
  folder.write("gsm8k_train.jsonl", lines);
  LoadSettings settings;
  settings.data_dir = folder.path();
  settings.validation = 5;
  const auto source = load_demonstrations("gsm8k", settings);
  std::set<uint64_t> held_out;
  for (const auto& problem : load_set("gsm8k", settings, "validation").problems) held_out.insert(problem.hash());
  ASSERT_EQ(held_out.size(), 5u);
  std::map<std::string, int> shown;
  for (uint64_t i = 0; i < 30; ++i) {  // two epochs of fifteen
    const Demonstration demonstration = source->draw(i);
    ++shown[demonstration.prompt];
    harness::Problem problem;
    problem.text = demonstration.prompt;
    EXPECT_FALSE(held_out.contains(problem.hash())) << demonstration.prompt;
    if (demonstration.prompt == "Add 7 and 1?") {
      EXPECT_EQ(demonstration.response, "First 8.\nSo $8.\nThe answer is \\boxed{1008}.");
    }
    EXPECT_EQ(demonstration.response, load_demonstrations("gsm8k", settings)->draw(i).response);
  }
  EXPECT_EQ(shown.size(), 15u);
  for (const auto& [prompt, times] : shown) EXPECT_EQ(times, 2) << prompt;
  EXPECT_THAT(error_of([] { load_demonstrations("dapo17k"); }),
              HasSubstr("expected one of nano, arena, words, gsm8k, math345"));
}

TEST(Demonstrations, OfMathAreSolutionsThatHaveABox) {
  const ScratchFolder folder;
  folder.write("math345.jsonl", R"({"problem": "P", "level": "Level 3", "type": "Algebra", "solution": "So $\\boxed{4}$."})"
                                "\n"
                                R"({"problem": "Q", "level": "Level 5", "type": "Algebra", "answer": "5", "solution": "Five."})"
                                "\n");
  LoadSettings settings;
  settings.data_dir = folder.path();
  const auto source = load_demonstrations("math345", settings);
  for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(source->draw(i).response, "So $\\boxed{4}$.");
}

TEST(LocateSet, FindsTheHubsOwnLayoutAndTheHubsCache) {
  const ScratchFolder folder;
  const auto nothing = [](const std::string&) { return std::string(); };
  folder.write("data/openai/gsm8k/main/test-00000-of-00001.parquet", "x");
  folder.write("data/openai/gsm8k/socratic/test-00000-of-00001.parquet", "x");
  EXPECT_THAT(locate_set(*find_published_set("gsm8k"), "test", folder.path("data"), nothing),
              ElementsAre(folder.path("data/openai/gsm8k/main/test-00000-of-00001.parquet")));
  folder.write("home/hub/datasets--HuggingFaceH4--MATH-500/refs/main", "abc123");
  folder.write("home/hub/datasets--HuggingFaceH4--MATH-500/snapshots/abc123/test.jsonl", "x");
  const auto home = [&](const std::string& name) { return name == "HF_HOME" ? folder.path("home") : std::string(); };
  EXPECT_THAT(locate_set(*find_published_set("math500"), "test", "", home),
              ElementsAre(folder.path("home/hub/datasets--HuggingFaceH4--MATH-500/snapshots/abc123/test.jsonl")));
  const auto both = [&](const std::string& name) { return name == "MEDSBENCH_DATA" ? folder.path("data") : home(name); };
  EXPECT_EQ(locate_set(*find_published_set("math500"), "test", "", both).size(), 1u);
}

TEST(FilesIdentity, IsThatOfWhatTheFilesHold) {
  const ScratchFolder folder;
  EXPECT_EQ(files_identity({"nano", "words", "nano/seq:test"}, folder.path("data")), "");
  folder.write("data/gsm8k_test.jsonl", "one");
  const std::string one = files_identity({"gsm8k:test"}, folder.path("data"));
  folder.write("elsewhere/gsm8k_test.jsonl", "one");
  EXPECT_EQ(files_identity({"gsm8k:test", "nano"}, folder.path("elsewhere")), one);
  folder.write("data/gsm8k_test.jsonl", "two");
  EXPECT_NE(files_identity({"gsm8k:test"}, folder.path("data")), one);
  EXPECT_NE(files_identity({"gsm8k:test"}, folder.path("none")), one);  // absent, and no error: reading it says what to do
  EXPECT_NE(files_identity({"gsm8k:test"}, folder.path("none")), "");
}

TEST(ParseRepository, RefusesWhatCouldLeaveTheCache) {
  EXPECT_EQ(harness::parse_repository(harness::RepositoryKind::model, "Qwen/Qwen3-1.7B@abc").revision, "abc");
  for (const char* bad : {"Qwen", "a/b/c", "../x", "a/..", "a/b@", "a/b@../x", "/b", "a/ b"}) {
    EXPECT_THROW(harness::parse_repository(harness::RepositoryKind::model, bad), harness::Error) << bad;
  }
}

}  // namespace
}  // namespace datasets
