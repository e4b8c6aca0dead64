#include "common/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *error, enum exit_code code, const char *format, ...)
{
	va_list arguments;
	error->code = code;
	va_start(arguments, format);
	vsnprintf(error->message, sizeof error->message, format, arguments);
	va_end(arguments);
	return false;
}

bool error_set_errno(struct error *error, enum exit_code code, const char *format, ...)
{
	int number = errno;
	va_list arguments;
	error->code = code;
	va_start(arguments, format);
	vsnprintf(error->message, sizeof error->message, format, arguments);
	va_end(arguments);
	size_t length = strlen(error->message);
	snprintf(error->message + length, sizeof error->message - length, ": %s", strerror(number));
	return false;
}
