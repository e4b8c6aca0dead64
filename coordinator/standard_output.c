#include "coordinator/standard_output.h"

#include <stdio.h>

bool standard_output_finish(struct error *error)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	return error_set_errno(error, EXIT_OUTPUT_FAILED, "cannot write standard output");
}
