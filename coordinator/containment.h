/* What only Linux has, for a process that runs others to see what they leave behind. */
#ifndef FORKFIT_COORDINATOR_CONTAINMENT_H
#define FORKFIT_COORDINATOR_CONTAINMENT_H

#include "common/error.h"

#include <stdbool.h>
#include <sys/types.h>

/* From now on whoever loses its parent below this process becomes its child, so that waitpid(2) finds it. */
bool containment_inherit_orphans(struct error *error);

/* In a child: it dies with its parent, and has descriptors 0, 1 and 2. False: the parent is gone already. */
bool containment_enter(pid_t parent);

/* How many descriptors this process has open; -1: it cannot tell. */
int containment_descriptors(void);

#endif
