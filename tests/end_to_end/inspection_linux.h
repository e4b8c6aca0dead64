/* What /proc tells of a process that runs, and on which CPUs this one may run. */
#ifndef FORKFIT_TESTS_END_TO_END_INSPECTION_LINUX_H
#define FORKFIT_TESTS_END_TO_END_INSPECTION_LINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct open_descriptor {
	int number;
	char target[256]; /* as readlink gives it: a path, or "pipe:[inode]" */
};

/* In the order of their numbers; how many there are, the first `capacity` of them in *found. */
size_t process_descriptors(pid_t pid, struct open_descriptor *found, size_t capacity);

struct file_mapping {
	uint64_t begin; /* bytes of the file, in whole pages */
	uint64_t end;
	char permissions[5]; /* "r--s" */
};

/* The mappings of a file, by its absolute path. */
size_t process_mappings(pid_t pid, const char *path, struct file_mapping *found, size_t capacity);

/* A value in kB from /proc/pid/<file>, such as "VmHWM" in "status". -1: the process or the value is not there. */
long process_memory_kb(pid_t pid, const char *file, const char *name);

/* Has the directory's file system files without a name (O_TMPFILE)? */
bool directory_has_nameless_files(const char *path);

/* Confines this process, and what it starts from now on, to one of the CPUs it may use. */
bool confine_to_one_cpu(void);

#endif
