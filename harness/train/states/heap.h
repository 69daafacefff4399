// The C library's heap: what it does with freed blocks.
#pragma once

namespace harness {

// From now on a pass finds the memory that the last one freed, instead of the system taking it back and handing out zeroed
// pages again (15 % of a nano update), and the next 256 MiB of the heap lie in large pages where the system has them on request
// (another 5 %). Of the whole process, and nothing elsewhere.
void keep_freed_blocks();

// For processes that hold shares: what they free must be free for the other processes. From now on a freed block of 4 MiB or
// more goes back to the system at once. Left to itself, glibc raises that size to the largest block it saw freed, up to 32 MiB:
// layers that are gathered, used and freed again then lie in a heap that keeps the holes between them. Costs page faults at
// every such block, so only for train.shard on the CPU; of the whole process, and nothing elsewhere.
void give_back_freed_blocks();

}  // namespace harness
