// The C library's heap, for processes that hold shares: what they free must be free for the other processes.
#pragma once

namespace harness {

// From now on a freed block of 4 MiB or more goes back to the system at once. Left to itself, glibc raises that size to the
// largest block it saw freed, up to 32 MiB: layers that are gathered, used and freed again then lie in a heap that keeps the
// holes between them. Costs page faults at every such block, so only for train.shard on the CPU; of the whole process, and
// nothing elsewhere.
void give_back_freed_blocks();

}  // namespace harness
