/* A memory control group for the program under test, where this process may make one. */
#ifndef FORKFIT_TESTS_END_TO_END_CONTROL_GROUP_H
#define FORKFIT_TESTS_END_TO_END_CONTROL_GROUP_H

#include <stddef.h>

/* Makes one that holds at most so many bytes, and returns its directory, to be freed. NULL: *reason says why not. */
char *control_group_new(size_t bytes, const char **reason);

/* Once all its processes have ended. */
void control_group_remove(char *directory);

#endif
