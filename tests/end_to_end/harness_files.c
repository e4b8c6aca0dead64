#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file's bytes with a NUL behind, or NULL: it cannot be opened. */
static char *try_to_read(const char *path, size_t *length)
{
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return NULL;
	char *text = NULL;
	size_t filled = 0;
	size_t got;
	do {
		text = realloc(text, filled + BUFSIZ + 1);
		cr_assert(text != NULL);
		got = fread(text + filled, 1, BUFSIZ, file);
		filled += got;
	} while (got > 0);
	cr_assert(!ferror(file), "cannot read %s: %s", path, strerror(errno));
	fclose(file);
	text[filled] = '\0';
	if (length != NULL)
		*length = filled;
	return text;
}

char *file_read(const char *path, size_t *length)
{
	char *text = try_to_read(path, length);
	cr_assert(text != NULL, "cannot open %s: %s", path, strerror(errno));
	return text;
}

bool file_exists(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0;
}

void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	cr_assert(file != NULL, "cannot create %s: %s", path, strerror(errno));
	fputs(text, file);
	cr_assert(fclose(file) == 0, "cannot write %s: %s", path, strerror(errno));
}

struct awaited_text {
	const char *path;
	const char *text;
};

static bool file_has_text(void *context)
{
	const struct awaited_text *awaited = context;
	char *text = try_to_read(awaited->path, NULL);
	bool found = text != NULL && strstr(text, awaited->text) != NULL;
	free(text);
	return found;
}

bool file_wait_for_text(const char *path, const char *text, double seconds)
{
	struct awaited_text awaited = {path, text};
	return wait_until(file_has_text, &awaited, seconds);
}

char *path_join(const char *directory, const char *name)
{
	size_t length = strlen(directory) + strlen(name) + 2;
	char *path = malloc(length);
	cr_assert(path != NULL);
	snprintf(path, length, "%s/%s", directory, name);
	return path;
}

char *path_absolute(const char *path)
{
	char here[PATH_MAX];
	if (*path == '/')
		return path_join("", path + 1);
	cr_assert(getcwd(here, sizeof here) != NULL, "getcwd: %s", strerror(errno));
	return path_join(here, path);
}

char *directory_new(void)
{
	const char *base = getenv("TMPDIR");
	char *path = path_join(base != NULL && *base == '/' ? base : "/tmp", "forkfit-test-XXXXXX");
	cr_assert(mkdtemp(path) != NULL, "mkdtemp %s: %s", path, strerror(errno));
	return path;
}

/* The names in a directory but . and .., in order; each and the array are to be freed. */
static size_t list_directory(const char *path, struct dirent ***entries)
{
	int found = scandir(path, entries, NULL, alphasort);
	cr_assert(found >= 0, "cannot list %s: %s", path, strerror(errno));
	size_t count = 0;
	for (int i = 0; i < found; i++) {
		struct dirent *entry = (*entries)[i];
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			free(entry);
		else
			(*entries)[count++] = entry;
	}
	return count;
}

void directory_remove(const char *path)
{
	struct dirent **entries;
	size_t count = list_directory(path, &entries);
	for (size_t i = 0; i < count; i++) {
		struct stat status;
		char *entry = path_join(path, entries[i]->d_name);
		if (lstat(entry, &status) == 0 && S_ISDIR(status.st_mode))
			directory_remove(entry);
		else
			cr_assert(unlink(entry) == 0, "cannot remove %s: %s", entry, strerror(errno));
		free(entry);
		free(entries[i]);
	}
	free(entries);
	cr_assert(rmdir(path) == 0, "cannot remove %s: %s", path, strerror(errno));
}

/* FNV-1a, 64 bits: enough to notice a change. */
static uint64_t checksum(const char *bytes, size_t length)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
	return hash;
}

static void describe_entry(FILE *text, const char *path, const struct stat *status)
{
	uint64_t hash = 0;
	if (S_ISREG(status->st_mode)) {
		size_t length;
		char *bytes = file_read(path, &length);
		hash = checksum(bytes, length);
		free(bytes);
	}
	/* A directory's time and size change with its entries, which have lines of their own. */
	bool is_directory = S_ISDIR(status->st_mode);
	fprintf(text, "%s %o %jd %jd.%09ld %016" PRIx64 "\n", path, (unsigned)status->st_mode,
	        is_directory ? 0 : (intmax_t)status->st_size, is_directory ? 0 : (intmax_t)status->st_mtim.tv_sec,
	        is_directory ? 0 : status->st_mtim.tv_nsec, hash);
}

static void describe_directory(FILE *text, const char *path)
{
	struct dirent **entries;
	size_t count = list_directory(path, &entries);
	for (size_t i = 0; i < count; i++) {
		struct stat status;
		char *entry = path_join(path, entries[i]->d_name);
		cr_assert(lstat(entry, &status) == 0, "%s: %s", entry, strerror(errno));
		describe_entry(text, entry, &status);
		if (S_ISDIR(status.st_mode))
			describe_directory(text, entry);
		free(entry);
		free(entries[i]);
	}
	free(entries);
}

char *directory_snapshot(const char *path)
{
	char *result = NULL;
	size_t length = 0;
	FILE *text = open_memstream(&result, &length);
	cr_assert(text != NULL);
	describe_directory(text, path);
	cr_assert(fclose(text) == 0);
	return result;
}
