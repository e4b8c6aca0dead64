/* What the harness does in a forked child by means that only Linux has. */
#ifndef FORKFIT_TESTS_END_TO_END_HARNESS_LINUX_H
#define FORKFIT_TESTS_END_TO_END_HARNESS_LINUX_H

#include <stdbool.h>
#include <sys/types.h>

/* Safe between fork and exec. False: errno says why. */
bool child_dies_with(pid_t parent);
/* exec will close all descriptors but 0, 1 and 2. */
bool child_keeps_only_streams(void);

#endif
