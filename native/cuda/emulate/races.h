// Finds memory that threads of an emulated launch use at the same time, one of them writing: what they do there is ordered by nothing.
// Kernels that are compiled with -fsanitize=thread tell every access; the runtime tells launches, blocks and barriers.
//
// In shared memory two accesses of different threads must have a barrier between them that both threads came to, the first one by its
// arrival, the second one by waiting. In memory of the device blocks are ordered by nothing; threads of a block are taken for ordered
// there where the kernel has barriers.
#pragma once

// Of a launch, whose accesses are told where `watched`.
void races_launch(bool watched, int threads, bool barriers, const char *shared, long long shared_bytes);
void races_block();
// All threads of the block have come to its barrier.
void races_barrier();
// The running thread comes to a barrier by number. The last one of a round completes it: what all did before they came is before what
// those do that waited, and the running one where it `waits`.
void races_arrive(int barrier, bool waits, bool completes);
void races_access(const void *at, long long bytes, bool writes);
// Memory of the device: what lies elsewhere is no concern of other threads.
void races_allocated(const void *at, long long bytes);
void races_freed(const void *at);
