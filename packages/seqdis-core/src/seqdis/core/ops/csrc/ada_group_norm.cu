// AdaGN on NVIDIA GPUs (sm_80 and newer).
//
// Contiguous: a block takes a group; it keeps the group in shared memory where that fits, else reads it a second
// time for the result, by when it lies in L1 or L2. Where there are too few groups to fill the GPU, several
// blocks share one: they write partial results, a warp merges those, and a third kernel applies them.
// Channels-last: always in these three steps; a thread keeps to its channels and walks down the positions.
// One position: a warp takes a group, and keeps it in registers.
//
// Statistics are Welford's, merged by Chan's formula. Every sum has a fixed order: results are reproducible.
#include "dispatch.cuh"
#include "operator.h"

SEQDIS_REGISTER(CUDA)
