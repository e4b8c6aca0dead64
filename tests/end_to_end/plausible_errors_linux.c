#define _GNU_SOURCE
#include "tests/end_to_end/plausible_errors_linux.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>

/*
 * After the manual's pages of section 2. EAGAIN stands where the descriptor may be one that does not wait, EIO and
 * ENOSPC where a file system is behind it; ENOMEM nearly everywhere.
 */
static const struct plausible_errors table[] = {
        {SYS_read, "read", {EINTR, EAGAIN, EIO, ENOMEM}, false},
        {SYS_pread64, "pread64", {EINTR, EIO, ENOMEM}, false},
        {SYS_write, "write", {EINTR, EAGAIN, EIO, ENOSPC, ENOMEM}, false},
        {SYS_writev, "writev", {EINTR, EAGAIN, EIO, ENOSPC, ENOMEM}, false},
        {SYS_open, "open", {EINTR, EMFILE, ENOMEM, EIO, ENOSPC}, false},
        {SYS_openat, "openat", {EINTR, EMFILE, ENOMEM, EIO, ENOSPC}, false},
        {SYS_close, "close", {EINTR, EIO, ENOSPC}, false},
        {SYS_fstat, "fstat", {ENOMEM, EIO}, false},
        {SYS_newfstatat, "newfstatat", {ENOMEM, EIO}, false},
        {SYS_access, "access", {ENOMEM, EIO}, false},
        {SYS_fsync, "fsync", {EINTR, EIO, ENOSPC}, false},
        {SYS_rename, "rename", {EIO, ENOSPC, ENOMEM}, false},
        {SYS_linkat, "linkat", {EIO, ENOSPC, ENOMEM}, false},
        {SYS_unlink, "unlink", {EIO, ENOMEM}, true},
        {SYS_pipe, "pipe", {EMFILE, ENFILE, ENOMEM}, false},
        {SYS_pipe2, "pipe2", {EMFILE, ENFILE, ENOMEM}, false},
        {SYS_fcntl, "fcntl", {0}, false}, /* flags of a descriptor that is open */
        {SYS_ioctl, "ioctl", {EIO}, true},
        {SYS_poll, "poll", {EINTR, EAGAIN, ENOMEM}, true},
        {SYS_ppoll, "ppoll", {EINTR, EAGAIN, ENOMEM}, true},
        {SYS_clone, "clone", {EAGAIN, ENOMEM}, true},
        {SYS_clone3, "clone3", {EAGAIN, ENOMEM}, true},
        {SYS_wait4, "wait4", {EINTR}, true},
        {SYS_mmap, "mmap", {ENOMEM, EAGAIN}, false},
        {SYS_mremap, "mremap", {ENOMEM, EAGAIN}, false},
        {SYS_munmap, "munmap", {ENOMEM}, true},
        {SYS_mprotect, "mprotect", {ENOMEM}, false},
        {SYS_madvise, "madvise", {ENOMEM, EAGAIN}, true},
        {SYS_brk, "brk", {ENOMEM}, true},
        {SYS_nanosleep, "nanosleep", {EINTR}, true},
        {SYS_clock_nanosleep, "clock_nanosleep", {EINTR}, true},
        {SYS_getrandom, "getrandom", {EINTR, EAGAIN}, true},
        {SYS_seccomp, "seccomp", {ENOMEM}, false},
        {SYS_futex, "futex", {EINTR, EAGAIN}, false},
        {SYS_kill, "kill", {0}, false}, /* to a child that nobody has waited for */
        {SYS_prlimit64, "prlimit64", {0}, false},
        {SYS_sched_getaffinity, "sched_getaffinity", {0}, false},
        {SYS_sched_yield, "sched_yield", {0}, false},
        {SYS_rt_sigaction, "rt_sigaction", {0}, false},
        {SYS_rt_sigprocmask, "rt_sigprocmask", {0}, false},
        {SYS_rt_sigreturn, "rt_sigreturn", {0}, false},
        {SYS_restart_syscall, "restart_syscall", {0}, false},
        {SYS_clock_gettime, "clock_gettime", {0}, false},
        {SYS_getpid, "getpid", {0}, false},
        {SYS_lseek, "lseek", {0}, false},
        {SYS_exit_group, "exit_group", {0}, false},
};

const struct plausible_errors *plausible_errors_of(long call)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].call == call)
			return &table[i];
	return NULL;
}
