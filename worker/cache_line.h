/* How much a processor brings from memory at once. */
#ifndef FORKFIT_WORKER_CACHE_LINE_H
#define FORKFIT_WORKER_CACHE_LINE_H

enum { CACHE_LINE = 64 }; /* bytes */

#endif
