#include "coordinator/json_load.h"

#include <jansson.h>
#include <setjmp.h>

/*
 * jansson 2.14 does not look whether its lexer could keep a byte: without memory it goes on with a part of a token, or
 * runs past the end of its buffer. So it is left on the spot, and what it had allocated is lost; a program that cannot
 * read its configuration for want of memory ends anyway.
 */
static jmp_buf without_memory;
static json_malloc_t allocate;

static void *allocate_or_leave(size_t size)
{
	void *block = allocate(size);
	if (!block)
		longjmp(without_memory, 1);
	return block;
}

/* False: no memory. */
static bool load(const char *text, size_t length, json_error_t *problem, json_t **value)
{
	if (setjmp(without_memory) != 0)
		return false;
	*value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, problem);
	return true;
}

json_t *json_load(const char *text, size_t length, json_error_t *problem, bool *no_memory)
{
	json_t *value = NULL;
	json_free_t release;
	json_get_alloc_funcs(&allocate, &release);
	json_set_alloc_funcs(allocate_or_leave, release);
	*no_memory = !load(text, length, problem, &value);
	json_set_alloc_funcs(allocate, release);
	return value;
}
