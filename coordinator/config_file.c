#include "coordinator/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for 65535 columns with long names; beyond it somebody has given a dataset or a device for a configuration. */
static const size_t LARGEST = (size_t)16 << 20;

static const char BYTE_ORDER_MARK[] = "\xEF\xBB\xBF";

/* Gives *text room for one byte more than it has. */
static bool grow(char **text, size_t *capacity, struct error *error)
{
	size_t larger = *capacity > 0 ? *capacity * 2 : 4096;
	char *moved = realloc(*text, larger);
	if (!moved)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	*text = moved;
	*capacity = larger;
	return true;
}

static bool read_all(FILE *file, const char *name, char **text, size_t *length, struct error *error)
{
	size_t capacity = 0;
	*text = NULL;
	*length = 0;
	do {
		if (*length + 1 >= capacity && !grow(text, &capacity, error))
			return false;
		*length += fread(*text + *length, 1, capacity - *length - 1, file);
		if (ferror(file))
			return error_set_errno(error, EXIT_INPUT_MISSING, "cannot read %s", name);
		if (*length > LARGEST)
			return error_set(error, EXIT_BAD_CONFIGURATION,
			        "%s: too large for a configuration: more than %zu MiB", name, LARGEST >> 20);
	} while (!feof(file));
	(*text)[*length] = '\0';
	return true;
}

const char *config_file_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

bool config_file_read(const char *path, char **text, size_t *length, struct error *error)
{
	const size_t mark = sizeof BYTE_ORDER_MARK - 1;
	const char *name = config_file_name(path);
	FILE *file = name == path ? fopen(path, "r") : stdin;
	*text = NULL;
	if (!file && errno == ENOMEM)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	if (!file)
		return error_set_errno(error, EXIT_INPUT_MISSING, "cannot open %s", name);
	bool ok = read_all(file, name, text, length, error);
	if (file != stdin)
		fclose(file);
	if (ok && strncmp(*text, BYTE_ORDER_MARK, mark) == 0) {
		*length -= mark;
		memmove(*text, *text + mark, *length + 1);
	}
	if (!ok) {
		free(*text);
		*text = NULL;
	}
	return ok;
}
