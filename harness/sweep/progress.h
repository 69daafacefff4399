// Progress: how far a worker is, in a small file that the sweep and `status` read.
#pragma once

#include <optional>
#include <string>

namespace harness {

struct Progress {
  double done = 0;
  double total = 0;  // 0: not known
  std::string unit;  // "steps", "problems"
  std::string note;  // a few words, may be empty
};

// FOLDER/progress.json, written beside and renamed over; not fsynced, since it is of no use after a crash. Never throws: what
// cannot be written is left out.
void write_progress(const std::string& folder, const Progress& progress);
// None: no such file, or one that cannot be read.
std::optional<Progress> read_progress(const std::string& folder);

// "37/100 steps, NOTE"; "37 steps" where the total is not known.
std::string describe(const Progress& progress);
// "1 h 02 min", "3 min 10 s", "12 s".
std::string describe_seconds(double seconds);

// So many last lines of a log tell why a worker failed.
inline constexpr int kTailLines = 8;
// The last lines of a log, at most `lines` of them from its last 16 KiB, without the bytes that a terminal would obey; "" where
// there is none.
std::string last_lines(const std::string& path, int lines);

}  // namespace harness
