// Hashes: SHA-256 for identities and files, a 64-bit prefix of it for keys of random streams.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace harness {

// Lower-case hexadecimal SHA-256 of the bytes.
std::string sha256_hex(std::string_view bytes);
// SHA-256 of a file's content, read in pieces. Throws Error if it cannot be read.
std::string sha256_file(const std::string& path);
// The first 8 bytes of SHA-256, big-endian.
uint64_t hash64(std::string_view bytes);
// The text with runs of white space replaced by one space and none at either end: the identity of a problem.
std::string collapse_white_space(std::string_view text);

}  // namespace harness
