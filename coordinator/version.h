/* The program's version, such as "0.1.0". */
#ifndef FORKFIT_COORDINATOR_VERSION_H
#define FORKFIT_COORDINATOR_VERSION_H

const char *version_text(void);

#endif
