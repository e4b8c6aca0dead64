/* What the files of the narration's words share: narration_coordinator.c, narration_worker.c, narration_words.c. */
#ifndef FORKFIT_COORDINATOR_NARRATION_WORDS_PARTS_H
#define FORKFIT_COORDINATOR_NARRATION_WORDS_PARTS_H

#include "coordinator/narration_words.h"

/* What a call is for. */
__attribute__((format(printf, 2, 3))) void narrated_say(struct narrated_words *words, const char *format, ...);

/* The call, and behind it " = 3", " = -1 EAGAIN", or that it never returned. */
__attribute__((format(printf, 3, 4))) void narrated_write_call(
        struct narrated_words *words, const struct call *call, const char *format, ...);

/* A frame's type, where there is one; else "bytes". */
const char *narrated_frame_text(int64_t type);

/* mmap(2) of the dataset; worker: whose chunk it is, NULL for the coordinator. */
void narrated_tell_map(const struct narrated_worker *worker, const struct call *call, struct narrated_words *words);

void narrated_tell_coordinator(struct narrated_world *world, const struct call *call, struct narrated_words *words);
void narrated_tell_worker(
        const struct narrated_world *world, int32_t actor, const struct call *call, struct narrated_words *words);

#endif
