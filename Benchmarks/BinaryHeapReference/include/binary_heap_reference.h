// The hold model over std::priority_queue: the yardstick of the event queue's budget.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Makes a heap of `pending` events at exponentially distributed times with a mean of a second.
void *binary_heap_hold_create(int64_t pending, uint64_t seed);

/// Pops the first event and pushes one at an exponential distance from it, `steps` times.
/// Returns a summary of the times that came out.
uint64_t binary_heap_hold_run(void *hold, int64_t steps);

void binary_heap_hold_destroy(void *hold);

#ifdef __cplusplus
}
#endif
