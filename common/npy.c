#include "common/npy.h"

#include <string.h>

static const unsigned char npy_magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

/* The header is the literal of a Python dictionary, in Latin-1 (version 3: UTF-8). */
struct scanner {
	const char *at;
	const char *end;
};

static void skip_space(struct scanner *scanner)
{
	while (scanner->at < scanner->end && strchr(" \t\r\n", *scanner->at) != NULL && *scanner->at != '\0')
		scanner->at++;
}

static bool accept(struct scanner *scanner, char wanted)
{
	skip_space(scanner);
	if (scanner->at >= scanner->end || *scanner->at != wanted)
		return false;
	scanner->at++;
	return true;
}

static bool accept_word(struct scanner *scanner, const char *word)
{
	size_t length = strlen(word);
	skip_space(scanner);
	if ((size_t)(scanner->end - scanner->at) < length || memcmp(scanner->at, word, length) != 0)
		return false;
	scanner->at += length;
	return true;
}

/* A quoted string without escapes, cut to fit. */
static bool read_string(struct scanner *scanner, char *text, size_t capacity)
{
	skip_space(scanner);
	if (scanner->at >= scanner->end || (*scanner->at != '\'' && *scanner->at != '"'))
		return false;
	char quote = *scanner->at++;
	const char *close = memchr(scanner->at, quote, (size_t)(scanner->end - scanner->at));
	if (close == NULL)
		return false;
	size_t length = (size_t)(close - scanner->at);
	if (length >= capacity)
		length = capacity - 1;
	memcpy(text, scanner->at, length);
	text[length] = '\0';
	scanner->at = close + 1;
	return true;
}

/* Digits, with the L that Python 2 wrote behind long ones. */
static bool read_integer(struct scanner *scanner, uint64_t *value)
{
	skip_space(scanner);
	const char *first = scanner->at;
	*value = 0;
	for (; scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9'; scanner->at++) {
		uint64_t digit = (uint64_t)(*scanner->at - '0');
		if (*value > (UINT64_MAX - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	bool digits = scanner->at > first;
	if (digits && scanner->at < scanner->end && *scanner->at == 'L')
		scanner->at++;
	return digits;
}

static bool read_shape(struct scanner *scanner, struct npy_header *header)
{
	if (!accept(scanner, '('))
		return false;
	while (!accept(scanner, ')')) {
		if (header->dimensions == NPY_DIMENSIONS_MAX ||
		        !read_integer(scanner, &header->shape[header->dimensions]))
			return false;
		header->dimensions++;
		if (!accept(scanner, ',') && (scanner->at >= scanner->end || *scanner->at != ')'))
			return false;
	}
	return true;
}

/* A structured dtype is a list of tuples: pass over it to its closing bracket. */
static bool skip_list(struct scanner *scanner)
{
	int depth = 0;
	for (; scanner->at < scanner->end; scanner->at++) {
		if (*scanner->at == '[')
			depth++;
		if (*scanner->at == ']' && --depth == 0) {
			scanner->at++;
			return true;
		}
	}
	return false;
}

enum { SEEN_DESCR = 1, SEEN_ORDER = 2, SEEN_SHAPE = 4, SEEN_ALL = 7 };

static const char *read_value(struct scanner *scanner, const char *key, struct npy_header *header, unsigned *seen)
{
	if (strcmp(key, "descr") == 0) {
		*seen |= SEEN_DESCR;
		if (read_string(scanner, header->descr, sizeof header->descr))
			return NULL;
		return skip_list(scanner) ? NULL : "the header's 'descr' cannot be read";
	}
	if (strcmp(key, "fortran_order") == 0) {
		*seen |= SEEN_ORDER;
		header->fortran_order = accept_word(scanner, "True");
		return header->fortran_order || accept_word(scanner, "False")
		               ? NULL
		               : "the header's 'fortran_order' is neither True nor False";
	}
	if (strcmp(key, "shape") == 0) {
		*seen |= SEEN_SHAPE;
		header->dimensions = 0;
		return read_shape(scanner, header) ? NULL : "the header's 'shape' is not a tuple of lengths";
	}
	return "the header has a key that is not 'descr', 'fortran_order' or 'shape'";
}

static const char *read_dictionary(struct scanner *scanner, struct npy_header *header)
{
	unsigned seen = 0;
	if (!accept(scanner, '{'))
		return "the header is not a dictionary";
	while (!accept(scanner, '}')) {
		char key[32];
		if (!read_string(scanner, key, sizeof key) || !accept(scanner, ':'))
			return "the header is not a dictionary";
		const char *problem = read_value(scanner, key, header, &seen);
		if (problem != NULL)
			return problem;
		if (!accept(scanner, ',') && (scanner->at >= scanner->end || *scanner->at != '}'))
			return "the header is not a dictionary";
	}
	skip_space(scanner);
	if (scanner->at != scanner->end)
		return "there is text behind the header's dictionary";
	return seen == SEEN_ALL ? NULL : "the header lacks one of 'descr', 'fortran_order' and 'shape'";
}

const char *npy_header_parse(const unsigned char *bytes, size_t length, struct npy_header *header, size_t *needed)
{
	*header = (struct npy_header){0};
	*needed = 12;
	if (length < sizeof npy_magic + 2)
		return "the file is shorter than an npy header";
	if (memcmp(bytes, npy_magic, sizeof npy_magic) != 0)
		return "the file does not start with the magic of an npy file";
	if (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0)
		return "the npy format's version is not 1.0, 2.0 or 3.0";
	/* Version 1 has a length of two bytes, the others of four. */
	size_t prefix = bytes[6] == 1 ? 10 : 12;
	if (length < prefix)
		return "the file is shorter than an npy header";
	size_t text_length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
	if (prefix == 12)
		text_length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
	*needed = prefix + text_length;
	header->data_offset = *needed;
	if (length < *needed)
		return "the file ends inside the npy header";
	struct scanner scanner = {(const char *)bytes + prefix, (const char *)bytes + *needed};
	return read_dictionary(&scanner, header);
}
