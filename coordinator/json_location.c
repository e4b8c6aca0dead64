#include "coordinator/json_location.h"

#include "coordinator/json_load.h"

#include <jansson.h>
#include <string.h>

struct scanner {
	const char *at;
	const char *end;
	size_t line;

	const char *text;              /* from the start, to look for the first place with the same path */
	const struct key_path *wanted; /* a place to look for, if location is NULL */
	size_t found_line;
	struct json_location *location; /* of the end of the text */
	bool no_memory;
};

static void skip_space(struct scanner *scanner)
{
	while (scanner->at < scanner->end && strchr(" \t\r\n", *scanner->at)) {
		if (*scanner->at == '\n')
			scanner->line++;
		scanner->at++;
	}
}

/* Strings hold no newline, so the line stays. */
static void skip_string(struct scanner *scanner)
{
	for (scanner->at++; scanner->at < scanner->end; scanner->at++) {
		if (*scanner->at == '"') {
			scanner->at++;
			return;
		}
		if (*scanner->at == '\\' && scanner->at + 1 < scanner->end)
			scanner->at++;
	}
}

static void skip_scalar(struct scanner *scanner)
{
	if (*scanner->at == '"') {
		skip_string(scanner);
		return;
	}
	while (scanner->at < scanner->end && !strchr(",]} \t\r\n", *scanner->at))
		scanner->at++;
}

/* Called with each key or element behind its first token. True: this was the place, stop. */
static bool is_sought(struct scanner *scanner, const struct key_path *path, size_t line)
{
	if (!scanner->location) {
		if (!key_path_equal(path, scanner->wanted))
			return false;
		scanner->found_line = line;
		return true;
	}
	if (scanner->at < scanner->end)
		return false;
	struct json_location *location = scanner->location;
	location->line = line;
	key_path_describe(path, &location->path);
	size_t length = (size_t)(scanner->end - scanner->text);
	scanner->no_memory = !json_location_line(scanner->text, length, path, &location->first_line);
	return true;
}

static bool scan_value(struct scanner *scanner, const struct key_path *path, size_t line);

/* The scan_… functions return true to stop. */
static bool scan_member(struct scanner *scanner, const struct key_path *parent)
{
	const char *start = scanner->at;
	size_t line = scanner->line;
	skip_string(scanner);
	json_error_t problem;
	json_t *key = json_load(start, (size_t)(scanner->at - start), &problem, &scanner->no_memory);
	if (!key)
		return true;
	struct key_path path = {.parent = parent, .key = json_string_value(key)};
	bool stop = is_sought(scanner, &path, line);
	if (!stop) {
		skip_space(scanner);
		scanner->at++; /* the colon */
		stop = scan_value(scanner, &path, line);
	}
	json_decref(key);
	return stop;
}

/* Behind a member or an element, goes past the comma, or past what closes them all. */
static bool is_followed(struct scanner *scanner)
{
	skip_space(scanner);
	bool more = scanner->at < scanner->end && *scanner->at == ',';
	if (scanner->at < scanner->end)
		scanner->at++;
	return more;
}

static bool scan_object(struct scanner *scanner, const struct key_path *path)
{
	scanner->at++; /* the brace */
	for (bool more = true; more; more = is_followed(scanner)) {
		skip_space(scanner);
		if (scanner->at < scanner->end && *scanner->at == '"' && scan_member(scanner, path))
			return true;
	}
	return false;
}

static bool scan_array(struct scanner *scanner, const struct key_path *path)
{
	struct key_path element = {.parent = path};
	scanner->at++; /* the bracket */
	for (bool more = true; more; more = is_followed(scanner), element.index++) {
		skip_space(scanner);
		if (scanner->at < scanner->end && *scanner->at != ']') {
			size_t line = scanner->line;
			if (is_sought(scanner, &element, line) || scan_value(scanner, &element, line))
				return true;
		}
	}
	return false;
}

static bool scan_value(struct scanner *scanner, const struct key_path *path, size_t line)
{
	skip_space(scanner);
	if (scanner->at >= scanner->end)
		return false;
	if (*scanner->at == '{')
		return scan_object(scanner, path);
	if (*scanner->at == '[')
		return scan_array(scanner, path);
	skip_scalar(scanner);
	return scanner->location && is_sought(scanner, path, line);
}

static void scan_document(struct scanner *scanner)
{
	skip_space(scanner);
	size_t line = scanner->line;
	if (!is_sought(scanner, NULL, line))
		scan_value(scanner, NULL, line);
}

bool json_location_line(const char *text, size_t length, const struct key_path *path, size_t *line)
{
	struct scanner scanner = {.at = text, .end = text + length, .line = 1, .text = text, .wanted = path};
	scan_document(&scanner);
	*line = scanner.found_line;
	return !scanner.no_memory;
}

bool json_location_end(const char *text, size_t length, struct json_location *location)
{
	struct scanner scanner = {.at = text, .end = text + length, .line = 1, .text = text, .location = location};
	memset(location, 0, sizeof *location);
	scan_document(&scanner);
	return !scanner.no_memory;
}
