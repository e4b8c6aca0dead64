#include "coordinator/number_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void number_text(double value, char text[NUMBER_TEXT_BYTES])
{
	/* An operation without a result gives one with the sign bit set, on x86. */
	if (isnan(value))
		value = fabs(value);
	/* 15 digits survive from text to double and back, 17 from double to text and back. */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, NUMBER_TEXT_BYTES, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			return;
	}
}
