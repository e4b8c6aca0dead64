/*
 * Files without a name, of which nothing is left when their last descriptor is closed, however the process ends. A name
 * is given to them when they are complete.
 */
#ifndef FORKFIT_COORDINATOR_NAMELESS_FILE_H
#define FORKFIT_COORDINATOR_NAMELESS_FILE_H

#include <stdbool.h>

/* For writing, in the file system of the directory, whose descriptor is given. -1: it has no such files. */
int nameless_file_open(int directory);

/* Lets the path name the file. False: errno says why; EEXIST: the path names another one. */
bool nameless_file_name(int descriptor, const char *path);

#endif
