#include "coordinator/version.h"

const char *version_text(void)
{
	return FORKFIT_VERSION;
}
