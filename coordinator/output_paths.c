#include "coordinator/output_paths.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_same(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* Neither is there yet. Where memory is short, or a directory missing, the attempt to write tells. */
static bool would_be_one(const char *one, const char *other)
{
	char *copies[] = {strdup(one), strdup(one), strdup(other), strdup(other)};
	struct stat status, other_status;
	bool same = copies[0] != NULL && copies[1] != NULL && copies[2] != NULL && copies[3] != NULL &&
	            strcmp(basename(copies[0]), basename(copies[2])) == 0 && stat(dirname(copies[1]), &status) == 0 &&
	            stat(dirname(copies[3]), &other_status) == 0 && is_same(&status, &other_status);
	for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
		free(copies[i]);
	return same;
}

static bool are_one(const char *one, const char *other)
{
	struct stat status, other_status;
	bool exists = stat(one, &status) == 0, other_exists = stat(other, &other_status) == 0;
	if (exists && other_exists)
		return S_ISREG(status.st_mode) && is_same(&status, &other_status);
	return !exists && !other_exists && would_be_one(one, other);
}

bool output_paths_check(const struct named_path *paths, size_t count, enum exit_code code, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < i; k++) {
			const struct named_path *one = &paths[k], *other = &paths[i];
			if (one->path == NULL || other->path == NULL || (one->is_input && other->is_input) ||
			        !are_one(one->path, other->path))
				continue;
			if (one->is_input)
				return error_set(
				        error, code, "%s: %s would overwrite %s", other->path, other->name, one->name);
			return error_set(error, code, "%s: %s and %s are to be one file; give each its own",
			        other->path, one->name, other->name);
		}
	}
	return true;
}
