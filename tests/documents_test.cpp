#include "tests/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/repository.h"

namespace tests {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> places(const std::vector<Violation>& violations) {
  std::vector<std::string> found;
  for (const Violation& v : violations) found.push_back(v.path + ":" + std::to_string(v.line) + ": " + v.what);
  return found;
}

TEST(Documents, EveryOneThatACommentNamesIsInTheTree) {
  std::set<std::string> documents;
  for (const SourceText& document : repository_files({".md"})) documents.insert(document.path);
  for (const char* written : {"checkpoints.md"}) documents.insert(written);  // into a results folder
  EXPECT_TRUE(documents.contains("docs/architecture.md"));
  const auto files = repository_files({".h", ".cpp", ".cu", ".inc", ".in", ".py", ".sh", ".cmake", ".toml", ".txt", ".md"});
  EXPECT_GT(files.size(), 400u);
  EXPECT_THAT(places(unknown_documents(files, documents)), IsEmpty());
}

// The names are put together, since this file is one of those that the test above reads.
TEST(Documents, OneThatIsNotThereIsNamedWithItsLine) {
  const std::string absent = std::string("absent") + ".md", moved = std::string("docs/table") + ".md";
  const auto violations =
      unknown_documents({{"a.h", "// docs/method.md, method.md and out/table.md\n// as " + absent + " has it\n"},
                         {"b.toml", "# " + moved + "\n"}},
                        {"docs/method.md", "results/nano/table.md"});
  EXPECT_THAT(places(violations), ElementsAre("a.h:2: names " + absent + ", which is not in the tree",
                                              "b.toml:1: names " + moved + ", which is not in the tree"));
}

TEST(Documents, NameTestsThatThereAre) {
  const auto documents = repository_files({".md"});
  EXPECT_THAT(places(unknown_tests(documents, repository_files({".cpp"}))), IsEmpty());
}

TEST(Documents, ATestThatIsNotThereIsNamedWithItsLine) {
  const std::vector<SourceText> sources = {{"a_test.cpp", "TEST(Sum, IsThatByHand) {\n}\nTEST_F(Run, Ends) {\n"}};
  const auto violations = unknown_tests({{"a page", "`Sum.IsThatByHand`, `Run.Ends`\n`Run.Begins` in `a.Md`\n"}}, sources);
  EXPECT_THAT(places(violations), ElementsAre("a page:2: names the test Run.Begins, found none"));
}

}  // namespace
}  // namespace tests
