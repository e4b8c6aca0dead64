/* With which errors a system call can fail, as far as a program must be ready for them. */
#ifndef FORKFIT_TESTS_END_TO_END_PLAUSIBLE_ERRORS_LINUX_H
#define FORKFIT_TESTS_END_TO_END_PLAUSIBLE_ERRORS_LINUX_H

#include <stdbool.h>

enum { PLAUSIBLE_ERRORS_MAX = 6 };

struct plausible_errors {
	long call; /* the number of the system call */
	char name[24];
	int errors[PLAUSIBLE_ERRORS_MAX]; /* up to a 0; none: it cannot fail with the arguments that it is given here */
	bool survived; /* one failure of any kind changes nothing: the program tries again, or does without */
};

/* NULL: nobody has thought about this call yet. */
const struct plausible_errors *plausible_errors_of(long call);

#endif
