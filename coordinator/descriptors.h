/* The table of open descriptors that a coordinator starts with. */
#ifndef FORKFIT_COORDINATOR_DESCRIPTORS_H
#define FORKFIT_COORDINATOR_DESCRIPTORS_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Opens /dev/null where standard input, output or error is closed: a pipe would take the place, and what is meant for
 * a person would be written into it. Standard output only for reading: a result that goes there is lost, and whoever
 * writes it learns so.
 */
bool descriptors_hold_standard(struct error *error);

/* Raises the limit on open descriptors as far as so many workers need. False: the hard limit is lower. */
bool descriptors_allow(uint32_t workers, struct error *error);

#endif
