#include "common/error.h"

#include "common/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names of files and columns may hold anything; a message is one line, and no terminal obeys it. */
__attribute__((format(printf, 2, 0))) static void say(struct error *error, const char *format, va_list arguments)
{
	char text[sizeof error->message];
	vsnprintf(text, sizeof text, format, arguments);
	utf8_excerpt(error->message, sizeof error->message, text, strlen(text));
}

bool error_set(struct error *error, enum exit_code code, const char *format, ...)
{
	va_list arguments;
	error->code = code;
	va_start(arguments, format);
	say(error, format, arguments);
	va_end(arguments);
	return false;
}

bool error_set_errno(struct error *error, enum exit_code code, const char *format, ...)
{
	int number = errno;
	va_list arguments;
	error->code = code;
	va_start(arguments, format);
	say(error, format, arguments);
	va_end(arguments);
	size_t length = strlen(error->message);
	snprintf(error->message + length, sizeof error->message - length, ": %s", strerror(number));
	return false;
}
