#!/bin/sh
# Proves that each rule of .ci/walls can fire, and that what looks like a violation and is none passes: plants one file
# at a time in an empty tree and compares what is reported.

cd "$(dirname "$0")/.." || exit 1
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
trap 'exit 130' INT TERM HUP
cases=0 failures=0

plant() {
	mkdir -p "$tree/$(dirname "$1")"
	printf '%b\n' "$2" >"$tree/$1"
}

# reports path text line rule: the file gives one report, at this line, whose text has `rule` in it
reports() {
	plant "$1" "$2"
	output=$(python3 .ci/walls "$tree" 2>/dev/null)
	cases=$((cases + 1))
	case $output in
	*"
"*) problem="more than one report" ;;
	"$1:$3: "*"$4"*) problem= ;;
	*) problem="not the report \"$1:$3: … $4\"" ;;
	esac
	if [ -n "$problem" ]; then
		printf '%s: %s from:\n%s\nbut:\n%s\n' "$0" "$problem" "$2" "$output" >&2
		failures=$((failures + 1))
	fi
	rm -r "${tree:?}"/*
}

# passes path text
passes() {
	plant "$1" "$2"
	cases=$((cases + 1))
	if ! output=$(python3 .ci/walls "$tree" 2>/dev/null); then
		printf '%s: no report expected from:\n%s\nbut:\n%s\n' "$0" "$2" "$output" >&2
		failures=$((failures + 1))
	fi
	rm -r "${tree:?}"/*
}

many_lines() {
	awk -v count="$1" 'BEGIN { while (count--) printf "\\tx();\\n" }'
}

# Who may include whom.
reports common/a.c '#include "worker/tile.h"' 1 'common/ may not include'
reports common/a.h '\n#include "coordinator/config.h"' 2 'common/ may not include'
reports common/a.c '#include "tree.h"' 1 'common/ may not include'
reports worker/a.c '#include "coordinator/config.h"' 1 'worker/ may not include'
reports coordinator/a.c '#include "worker/tile.h"' 1 'coordinator/ may not include'
reports tests/unit/a_test.c '#include "common/tree.c"' 1 'tests/unit/ may not include'
reports tests/end_to_end/a_test.c '#include "common/tree.h"' 1 'tests/end_to_end/ may not include'
passes worker/a.c '#include "worker/tile.h"\n#include "common/tree.h"'
passes coordinator/a.c '#include "worker/worker.h"\n#include "common/tree.h"\n#include "coordinator/config.h"'
passes tests/unit/a_test.c '#include "worker/tile.h"\n#include <criterion/criterion.h>'

# Whose headers.
reports common/a.c '#include <jansson.h>' 1 'read or write JSON'
reports coordinator/collect.c '#include <jansson.h>' 1 'read or write JSON'
reports coordinator/config.h '#include <jansson.h>' 1 'read or write JSON'
reports worker/a.c '#include <gsl/gsl_math.h>' 1 "neither C's nor POSIX's"
reports worker/a.c '#include <sys/prctl.h>' 1 "neither C's nor POSIX's"
reports worker/a.c '#include <linux/close_range.h>' 1 "neither C's nor POSIX's"
passes coordinator/config.c '#include <jansson.h>'
passes coordinator/json_writer.c '#include <jansson.h>'
passes worker/a_linux.c '#include <sys/prctl.h>'

# Pure modules.
reports common/tree.c '#include <unistd.h>' 1 'pure module'
reports common/wire.h '#include <sys/types.h>' 1 'pure module'
reports worker/kernels.c '#include <signal.h>' 1 'pure module'
reports coordinator/optimizer.c '#include <fcntl.h>' 1 'pure module'
plant common/far.h '#include <poll.h>'
plant common/near.h '#include "common/far.h"'
reports coordinator/aggregator.c '#include "common/near.h"' 1 'common/near.h -> common/far.h -> <poll.h>'
passes common/tree.c '#include <stdint.h>\n/* unlike <unistd.h> */'

# Single owners.
reports coordinator/trainer.c '#include "common/a.h"\nvoid f(void)\n{\n\tfork();\n}' 4 'fork()'
reports worker/worker.c 'int x = kill(1, 9);' 1 'kill()'
reports coordinator/pool.c 'int x = waitpid(1, 0, 0);' 1 'waitpid()'
reports coordinator/pool.c 'int x = wait(0);' 1 'wait()'
reports coordinator/pool.c 'int x = execv(0, 0);' 1 'execv()'
reports coordinator/process.c 'int x = poll(0, 0, 0);' 1 'poll()'
reports common/frame_io.c 'int x = ppoll (0, 0, 0, 0);' 1 'ppoll()'
reports worker/chunk.c 'void *x = mmap(0, 0, 0, 0, 0, 0);' 1 'mmap()'
reports worker/chunk.c 'int x = munmap(0, 0);' 1 'munmap()'
reports worker/worker.c 'int x = wire_put_u32(0, 0);' 1 'wire_put_u32()'
reports worker/worker.c 'int x = wire_get_u64(0);' 1 'wire_get_u64()'
reports coordinator/collect.c 'int x = le32toh(0);' 1 'le32toh()'
reports coordinator/collect.c 'int x = htole64(0);' 1 'htole64()'
passes coordinator/process.c 'int x = fork() + waitpid(1, 0, 0) + kill(1, 0);'
passes coordinator/collect.c 'int x = poll(0, 0, 0);'
passes common/mapping.c 'void *x = mmap(0, 0, 0, 0, 0, 0);'
passes common/wire.c 'int x = wire_put_u32(0, 0);'
passes coordinator/pool.c '/* kill(1), and\n fork() */ // wait(0)\nchar *x = "poll(\\\\\"mmap()"; int y = a->kill(1) + b.poll(2) + pool_wait(3);'

# The end of a process.
reports common/error.c 'void f(void)\n{\n\texit(1);\n}' 3 'exit()'
reports worker/worker.c 'void f(void)\n{\n\tabort();\n}' 3 'abort()'
reports common/error.c 'void f(void)\n{\n\t_exit(1);\n}' 3 '_exit()'
passes worker/worker.c 'void f(void)\n{\n\t_exit(1);\n}'

# Linux.
reports worker/a.c '#define _GNU_SOURCE' 1 '_GNU_SOURCE'
reports worker/a.c 'int x = prctl(1, 9);' 1 'prctl()'
reports coordinator/a.c 'int x = sched_getaffinity(0, 0, 0);' 1 'sched_getaffinity()'
reports coordinator/a.c 'int x = SYS_gettid;' 1 'SYS_gettid'
passes coordinator/a_linux.c '#define _GNU_SOURCE\n#include <sched.h>\nint x = sched_getaffinity(0, 0, 0);'

# What is not finished, in words that this file must not hold in one piece.
reports common/a.c "\n/* TO""DO */" 2 'unfinished'
reports tests/unit/a_test.c "/* FIX""ME: */" 1 'unfinished'
reports common/a.c "char *x = \"for"" now\";" 1 'unfinished'
reports common/a.c "/* XX""X */" 1 'unfinished'
passes common/a.c 'char x[] = "/tmp/a-XXXXXX";'

# Length.
reports common/a.c "void f(void)\n{\n$(many_lines 69)}" 2 'function of 71 lines'
reports tests/unit/a_test.c "Test(a, b)\n{\n$(many_lines 69)}" 2 'function of 71 lines'
reports common/a.c "int x[] = {\n$(many_lines 599)};" 601 'file of 601 lines'
passes common/a.c "void f(void)\n{\n$(many_lines 68)}"
passes common/a.c "int x[] = {\n$(many_lines 598)};"

echo "$0: $cases cases, $failures failures"
[ "$failures" -eq 0 ]
