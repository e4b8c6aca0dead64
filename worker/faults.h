/*
 * The faults that a worker does to itself, where the plan says so: the laboratory's half of a worker. In a run without
 * faults there is no struct faults, and all that is left of it is one comparison of a pointer for each frame.
 *
 * Before a worker acts it says so in the plan's log. Faults of frames happen to the bytes as they pass: going out,
 * behind the encoding; coming in, before anything looks at them.
 */
#ifndef FORKFIT_WORKER_FAULTS_H
#define FORKFIT_WORKER_FAULTS_H

#include "common/fault.h"
#include "common/frame_io.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct faults;

/* The plan is borrowed. NULL: out of memory. */
struct faults *faults_new(const struct fault_plan *plan);
void faults_free(struct faults *faults);

/*
 * At a site where no frame passes: what is due there happens. False: what is due is that memory has run out, which is
 * for the caller to act out.
 */
bool faults_strike(struct faults *faults, enum fault_site site, uint32_t epoch);

/* Behind SITE_COMPUTE: alters the sums (count doubles), or lets the round, which took busy_ns, last longer. */
void faults_alter(struct faults *faults, double *sums, size_t count, uint64_t busy_ns);

/* In place of frame_reader_fill: reads a whole frame, or what is to be made of it. */
enum io_status faults_fill(struct faults *faults, struct frame_reader *reader, int descriptor);

/* In place of frame_writer_flush: writes all that is queued, which is one frame. */
enum io_status faults_flush(struct faults *faults, struct frame_writer *writer, int descriptor);

#endif
