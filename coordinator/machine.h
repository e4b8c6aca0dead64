/* What this process may use of the machine. */
#ifndef FORKFIT_COORDINATOR_MACHINE_H
#define FORKFIT_COORDINATOR_MACHINE_H

#include <stdint.h>

/* CPUs: those of the affinity mask, fewer where a control group's quota is lower. At least 1. */
uint32_t machine_cpus(void);

/* Bytes of memory that can be had without swapping, within the control group's limit. */
uint64_t machine_available_memory(void);

#endif
