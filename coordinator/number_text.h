/* A double in as few digits, 15 at least, as read back to the same bits; zeros at their end are left off. Pure. */
#ifndef FORKFIT_COORDINATOR_NUMBER_TEXT_H
#define FORKFIT_COORDINATOR_NUMBER_TEXT_H

enum { NUMBER_TEXT_BYTES = 32 }; /* sign, 17 digits, point, exponent */

/* The locale's decimal point must be ".". Not-a-number and infinities read "nan" and "inf". */
void number_text(double value, char text[NUMBER_TEXT_BYTES]);

#endif
