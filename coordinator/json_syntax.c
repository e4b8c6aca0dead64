#include "coordinator/json_syntax.h"

#include "common/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char SPACE[] = " \t\r\n";
static const char WORD[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";
static const char NUMBER_START[] = "0123456789+-.";

/* A token, or what stands where one is expected. */
struct found {
	size_t start;
	size_t length; /* 0: the end of the text */
	char before;   /* the last byte before it that is not white space; 0: none */
};

static bool is_one_of(const char *set, char character)
{
	return character != '\0' && strchr(set, character) != NULL;
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), behind = strlen(end);
	return length >= behind && strcmp(text + length - behind, end) == 0;
}

/* Where the string begins that is open or has just been closed at `end`: no quote inside it is without backslash. */
static size_t string_start(const char *text, size_t end)
{
	size_t at = end;
	while (at > 0) {
		at--;
		size_t backslashes = 0;
		while (backslashes < at && text[at - backslashes - 1] == '\\')
			backslashes++;
		if (text[at] == '"' && backslashes % 2 == 0)
			break;
	}
	return at;
}

static char byte_before(const char *text, size_t offset)
{
	while (offset > 0 && is_one_of(SPACE, text[offset - 1]))
		offset--;
	return offset > 0 ? text[offset - 1] : '\0';
}

/* The word around the byte before `end`. */
static void take_word(const struct json_syntax_fault *fault, struct found *found)
{
	size_t end = fault->position;
	size_t token = end - 1;
	while (token > 0 && is_one_of(WORD, fault->text[token - 1]))
		token--;
	while (end < fault->length && is_one_of(WORD, fault->text[end]))
		end++;
	found->start = token;
	found->length = end - token;
}

/* The token that ends where jansson stopped. */
static struct found find_token(const struct json_syntax_fault *fault)
{
	struct found found = {.start = fault->position};
	size_t end = fault->position;
	if (ends_with(fault->message, " near end of file")) {
		while (found.start > 0 && is_one_of(SPACE, fault->text[found.start - 1]))
			found.start--;
	} else if (end > 0 && fault->text[end - 1] == '"') {
		found.start = string_start(fault->text, end - 1);
		found.length = end - found.start;
	} else if (end > 0 && is_one_of(WORD, fault->text[end - 1])) {
		take_word(fault, &found);
	} else if (end > 0) {
		found.start = end - 1;
		while (found.start > 0 && ((unsigned char)fault->text[found.start] & 0xC0) == 0x80)
			found.start--;
		found.length = end - found.start;
	}
	found.before = byte_before(fault->text, found.start);
	return found;
}

static void describe_character(const char *at, size_t length, struct phrase *phrase)
{
	const unsigned char *bytes = (const unsigned char *)at;
	uint32_t code = bytes[0] & (0x7FU >> length);
	for (size_t i = 1; i < length; i++)
		code = code << 6 | (bytes[i] & 0x3F);
	phrase_add(phrase, "'");
	phrase_add_excerpt(phrase, at, length);
	phrase_add(phrase, "' (U+%04X)", (unsigned)code);
}

static void describe_found(const struct json_syntax_fault *fault, const struct found *found, struct phrase *phrase)
{
	const char *at = fault->text + found->start;
	unsigned char first = found->length > 0 ? (unsigned char)*at : 0;
	phrase_add(phrase, ", found ");
	if (found->length == 0)
		phrase_add(phrase, "the end of the text");
	else if (found->length == 1 && (first < 0x20 || first == 0x7F))
		phrase_add(phrase, "the byte 0x%02x", first);
	else if (found->length == 1 && !is_one_of(WORD, *at))
		phrase_add(phrase, first == '\'' ? "%c" : "'%c'", *at);
	else if (first >= 0x80)
		describe_character(at, found->length, phrase);
	else
		phrase_add_excerpt(phrase, at, found->length);
}

struct remark {
	const char *found;
	const char *remark;
};

/* What people write who come from other languages. */
static const struct remark remarks[] = {
        {"True", "JSON writes true"},
        {"TRUE", "JSON writes true"},
        {"False", "JSON writes false"},
        {"FALSE", "JSON writes false"},
        {"None", "JSON writes null"},
        {"NULL", "JSON writes null"},
        {"nil", "JSON writes null"},
        {"undefined", "JSON writes null"},
        {"NaN", "numbers must be finite"},
        {"nan", "numbers must be finite"},
        {"Infinity", "numbers must be finite"},
        {"-Infinity", "numbers must be finite"},
        {"inf", "numbers must be finite"},
        {"-inf", "numbers must be finite"},
};

static const char *remark_on_sign(const char *at)
{
	if (*at == '/' || *at == '#')
		return "JSON has no comments";
	if (*at == '\'' || starts_with(at, "‘") || starts_with(at, "’"))
		return "JSON strings take double quotes";
	if (starts_with(at, "“") || starts_with(at, "”"))
		return "JSON strings take plain quotes, \"";
	return NULL;
}

static const char *remark_on(const char *at, size_t length, bool value_expected)
{
	if (length == 0)
		return NULL;
	if (!is_one_of(WORD, *at))
		return remark_on_sign(at);
	if (!value_expected)
		return NULL;
	for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++) {
		if (strlen(remarks[i].found) == length && memcmp(remarks[i].found, at, length) == 0)
			return remarks[i].remark;
	}
	return is_one_of(NUMBER_START, *at) ? "not a JSON number" : "text takes double quotes";
}

/* A word where a value belongs of which jansson took the first part: `1_000` is a number to it, and then a surprise. */
static bool is_broken_value(const struct json_syntax_fault *fault, const struct found *found)
{
	bool value_read = starts_with(fault->message, "'}'") || starts_with(fault->message, "']'");
	return value_read && is_one_of(",:[", found->before);
}

/* What belongs where the token is, after jansson's message. */
static const char *expected_at(const char *message, const struct found *found, char first)
{
	if (found->before == '\0')
		return "'{'";
	if (starts_with(message, "string or '}'"))
		return found->before == '{' ? "a key in double quotes or '}'"
		       : first == '}'       ? "another key after the comma"
		                            : "a key in double quotes";
	if (starts_with(message, "':'"))
		return "':' after the key";
	if (starts_with(message, "'}'"))
		return "',' or '}'";
	if (starts_with(message, "']'"))
		return "',' or ']'";
	if (starts_with(message, "end of file"))
		return "the end of the text";
	return found->before == ',' && first == ']' ? "another value after the comma" : "a value";
}

static void describe_token(const struct json_syntax_fault *fault, struct phrase *phrase, size_t *offset)
{
	struct found found = find_token(fault);
	const char *at = fault->text + found.start;
	const char *expected = expected_at(fault->message, &found, found.length > 0 ? *at : '\0');
	if (is_broken_value(fault, &found))
		expected = "a value";
	const char *remark = remark_on(at, found.length, strcmp(expected, "a value") == 0);
	phrase_add(phrase, "expected %s", expected);
	describe_found(fault, &found, phrase);
	if (remark)
		phrase_add(phrase, " (%s)", remark);
	*offset = found.start;
}

static void describe_escape(const struct json_syntax_fault *fault, struct phrase *phrase, size_t *offset)
{
	size_t at = fault->position;
	while (at > 0 && fault->text[at - 1] != '\\')
		at--;
	*offset = at > 0 ? at - 1 : 0;
	phrase_add(phrase, "unknown escape ");
	phrase_add_excerpt(phrase, fault->text + *offset, fault->position - *offset);
	phrase_add(phrase, " in a string (a backslash itself is \\\\)");
}

static void describe_control(const struct json_syntax_fault *fault, struct phrase *phrase, size_t *offset)
{
	unsigned char control = (unsigned char)fault->text[fault->position];
	*offset = fault->position;
	if (control == '\t')
		phrase_add(phrase, "a string may not hold a tab (write \\t)");
	else
		phrase_add(phrase, "a string may not hold the byte 0x%02x (write \\u%04x)", control, control);
}

/* A NUL byte reads as the end of the file to jansson, and looks like nothing at all to the author. */
static const char *nul_byte(const struct json_syntax_fault *fault)
{
	size_t read = fault->position < fault->length ? fault->position + 1 : fault->length;
	return memchr(fault->text, '\0', read);
}

void json_syntax_describe(const struct json_syntax_fault *fault, struct phrase *phrase, size_t *offset)
{
	const char *message = fault->message;
	const char *nul = nul_byte(fault);
	*offset = fault->position;
	if (starts_with(message, "unable to decode")) {
		unsigned byte = (unsigned char)fault->text[fault->position];
		phrase_add(phrase, "the byte 0x%02x is not UTF-8", byte);
	} else if (nul) {
		*offset = (size_t)(nul - fault->text);
		phrase_add(phrase, "the byte 0x00 is not text");
	} else if (starts_with(message, "premature end") || starts_with(message, "unexpected newline")) {
		*offset = string_start(fault->text, fault->position);
		phrase_add(phrase, "the string that starts here has no closing quote on its line");
	} else if (starts_with(message, "control character")) {
		describe_control(fault, phrase, offset);
	} else if (starts_with(message, "invalid escape")) {
		describe_escape(fault, phrase, offset);
	} else if (starts_with(message, "invalid Unicode")) {
		*offset = string_start(fault->text, fault->position - 1);
		phrase_add(phrase, "a string may not hold half of a surrogate pair (\\ud800 to \\udfff)");
	} else if (starts_with(message, "\\u0000") || starts_with(message, "NUL byte")) {
		*offset = string_start(fault->text, fault->position - 1);
		phrase_add(phrase, "a string may not hold \\u0000");
	} else if (starts_with(message, "maximum parsing depth")) {
		*offset = fault->position - 1;
		phrase_add(phrase, "arrays and objects are nested too deeply");
	} else {
		describe_token(fault, phrase, offset);
	}
}
