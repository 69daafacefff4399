#include "harness/core/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/config_reader.h"
#include "harness/core/testing.h"

namespace harness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kText =
    "steps = 3\n[train]\nlr = 1\nnames = [\"a\", \"b\"]\n[[rows]]\nname = \"x\"\n[[rows]]\nname = \"y\"\n";

TEST(Config, IsAFlatListOfKeysWithTheirLines) {
  Config config = Config::from_toml_text(kText, "f.toml");
  EXPECT_EQ(config.find("train.lr")->origin, "f.toml: line 3");
  EXPECT_EQ(std::get<int64_t>(config.find("steps")->value), 3);
  EXPECT_EQ(config.find("train"), nullptr);
  const std::vector<Config> rows = config.take_tables("rows");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(std::get<std::string>(rows[1].find("name")->value), "y");
  EXPECT_TRUE(config.take_tables("rows").empty());
  const Config train = config.take("train");
  EXPECT_TRUE(train.has("lr"));
  EXPECT_FALSE(config.has("train.lr"));
}

TEST(Config, LaterLayersWin) {
  Config config = Config::from_toml_text("a = 1\nb = 2\n", "low");
  config.overlay(Config::from_toml_text("b = 3\n", "high"));
  config.set("c=[1.5, 2]");
  config.set("d=plain words");
  EXPECT_EQ(to_toml(config.entries(), true),
            "a = 1  # low: line 1\nb = 3  # high: line 1\nc = [1.5, 2.0]  # --set\nd = \"plain words\"  # --set\n");
  EXPECT_THAT(error_of([&] { config.set("novalue"); }), HasSubstr("--set: expected KEY=VALUE, found novalue"));
}

TEST(Config, LiesOverTheFileItIncludes) {
  const ScratchFolder folder;
  folder.write("shared/base.toml", "[train]\nsteps = 3\nlr = 1\n[[rows]]\nname = \"x\"\n[[other]]\nname = \"z\"\n");
  const std::string file =
      folder.write("a/own.toml", "include = \"../shared/base.toml\"\ntrain.steps = 5\n[[rows]]\nname = \"y\"\n");
  Config config = Config::from_toml_file(file);
  EXPECT_EQ(config.name(), file);
  EXPECT_FALSE(config.has("include"));
  EXPECT_EQ(std::get<int64_t>(config.find("train.steps")->value), 5);
  EXPECT_EQ(config.find("train.steps")->origin, file + ": line 2");
  EXPECT_EQ(config.find("train.lr")->origin, folder.path("shared/base.toml") + ": line 3");
  const std::vector<Config> rows = config.take_tables("rows");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(std::get<std::string>(rows[0].find("name")->value), "y");
  EXPECT_EQ(config.take_tables("other").size(), 1u);
}

TEST(Config, RefusesAnIncludeThatIsNotThereIsNoFileNameOrGoesRound) {
  const ScratchFolder folder;
  const std::string first = folder.write("first.toml", "include = \"second.toml\"\n");
  EXPECT_THAT(error_of([&] { Config::from_toml_file(first); }), HasSubstr("first.toml: line 1: include: "));
  folder.write("second.toml", "a = 1\ninclude = \"first.toml\"\n");
  EXPECT_THAT(error_of([&] { Config::from_toml_file(first); }),
              HasSubstr("second.toml: line 2: include: expected another file, found first.toml, which includes this one"));
  const std::string number = folder.write("number.toml", "include = 3\n");
  EXPECT_THAT(error_of([&] { Config::from_toml_file(number); }), HasSubstr("include: expected the name of a TOML file"));
}

TEST(Config, HashLeavesOutTheNamedKeysAlone) {
  Config a = Config::from_toml_text("n = 1\nname = \"x\"\n", "a"), b = a;
  b.set("n=2");
  EXPECT_NE(entries_hash(a.entries(), {}), entries_hash(b.entries(), {}));
  EXPECT_EQ(entries_hash(a.entries(), {"n"}), entries_hash(b.entries(), {"n"}));
  b.set("name=y");
  EXPECT_NE(entries_hash(a.entries(), {"n"}), entries_hash(b.entries(), {"n"}));
}

TEST(ConfigReader, TellsWhereAWrongValueStands) {
  const Config config = Config::from_toml_text("count = 1.5\nrate = 2\nkind = \"c\"\nflag = 1\n", "f.toml");
  ConfigReader keys(config);
  EXPECT_EQ(error_of([&] { keys.integer("count", 1, 0, ""); }),
            "f.toml: line 1: count: expected an integer, found 1.5 (a number)");
  EXPECT_EQ(error_of([&] { keys.number("rate", 0.5, 0, 1, ""); }),
            "f.toml: line 2: rate: expected a number in [0, 1], found 2 (an integer)");
  EXPECT_EQ(error_of([&] { keys.integer("rate", 4, 3, ""); }),
            "f.toml: line 2: rate: expected an integer >= 3, found 2 (an integer)");
  EXPECT_EQ(error_of([&] {
              keys.text("kind", "a", {"a", "b"}, "");
            }),
            "f.toml: line 3: kind: expected one of [\"a\", \"b\"], found \"c\" (a string)");
  EXPECT_EQ(error_of([&] { keys.boolean("flag", true, ""); }),
            "f.toml: line 4: flag: expected true or false, found 1 (an integer)");
  EXPECT_EQ(error_of([&] { keys.required_text("name", ""); }), "f.toml: expected the key name, found none");
}

TEST(ConfigReader, KeepsEveryKeyReadWithItsDefault) {
  const Config config = Config::from_toml_text("steps = 3\nlr = 1\nks = 4\n", "f");
  ConfigReader keys(config);
  EXPECT_EQ(keys.integer("steps", 36, 1, "training steps"), 3);
  EXPECT_EQ(keys.number("lr", 0.5, 0, 1, "rate"), 1.0);
  EXPECT_THAT(keys.integers("ks", {1, 2}, "values"), ElementsAre(4));
  EXPECT_EQ(keys.text("name", "x", "of it"), "x");
  EXPECT_EQ(to_toml(keys.effective(), true),
            "ks = [4]  # f: line 3\nlr = 1.0  # f: line 2\nname = \"x\"  # default\n"
            "steps = 3  # f: line 1\n");
  keys.finish();
  ASSERT_EQ(keys.keys().size(), 4u);
  EXPECT_EQ(keys.keys()[0].name + "|" + keys.keys()[0].fallback + "|" + keys.keys()[0].range + "|" + keys.keys()[0].meaning,
            "steps|36|>= 1|training steps");
  EXPECT_EQ(keys.keys()[2].fallback, "[1, 2]");
}

TEST(ConfigReader, RefusesAKeyThatNobodyReadsAndNamesTheNearest) {
  Config config = Config::from_toml_text("[train]\nstep = 3\n", "f.toml");
  ConfigReader first(config), second(config);
  first.integer("train.steps", 1, 1, "");
  second.integer("eval.n", 1, 1, "");
  EXPECT_EQ(error_of([&] { first.finish(); }), "f.toml: line 2: train.step: unknown key; the nearest is train.steps");
  second.integer("train.step", 1, 1, "");
  const ConfigReader* const readers[] = {&first, &second};
  finish_all(config, readers);
  EXPECT_NE(error_of([&] { first.finish(); }), "") << "one reader alone has not read it";
  const Config top = Config::from_toml_text("seed = 3\n", "f.toml");
  ConfigReader of_top(top);
  const ConfigReader* const one[] = {&of_top};
  EXPECT_EQ(error_of([&] { finish_all(top, one); }), "f.toml: line 1: seed: unknown key");
  EXPECT_EQ(error_of([&] { finish_all(top, one, {"seeds"}); }), "f.toml: line 1: seed: unknown key; the nearest is seeds");
  const Config rows = Config::from_toml_text("[[rows]]\na = 1\n", "f.toml");
  EXPECT_THAT(error_of([&] { ConfigReader(rows).finish(); }), HasSubstr("[[rows]]: expected a known list of tables"));
}

TEST(MethodKeys, OfOneMethodComeBeforeThoseOfAll) {
  Config config;
  config.set("method.beta=0.25");
  config.set("method.kl_cov.beta=0.75");
  ConfigReader reader(config);
  MethodKeys of_kl_cov(reader, "kl_cov"), of_bonus(reader, "entropy_bonus");
  EXPECT_EQ(of_kl_cov.number("beta", 1, 0, 1, ""), 0.75);
  EXPECT_EQ(of_bonus.number("beta", 1, 0, 1, ""), 0.25);
  reader.finish();
}

}  // namespace
}  // namespace harness
