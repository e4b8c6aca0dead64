/* What a worker has to ask the system for in order to be ended by it. */
#ifndef FORKFIT_WORKER_FAULTS_SYSTEM_H
#define FORKFIT_WORKER_FAULTS_SYSTEM_H

/* socket(2): computing needs no network. Where nothing forbids it, nothing happens. */
void faults_call_forbidden(void);

/*
 * Reads from a mapped page behind the end of its file, which is SIGBUS. The file is in memory and this process's own:
 * no file of the user's is cut.
 */
void faults_touch_missing_page(void);

#endif
