#define _GNU_SOURCE
#include "worker/faults_system.h"

#include "common/mapping.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

void faults_call_forbidden(void)
{
	int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
	if (descriptor >= 0)
		close(descriptor);
}

void faults_touch_missing_page(void)
{
	struct mapping mapping;
	int descriptor = memfd_create("forkfit-fault", MFD_CLOEXEC);
	if (descriptor >= 0 && mapping_open(&mapping, descriptor, 0, 1))
		(void)*(const volatile unsigned char *)mapping.bytes;
	/* Only where the system did not give the file. */
	raise(SIGBUS);
}
