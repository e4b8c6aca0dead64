#!/bin/sh
# usage: tests/run_tests.sh program...
# Runs Criterion test programs one after the other, from the project's root, and ends with a line that counts their
# tests. Exits 1 unless all passed. From the environment:
#   FILTER              run only the tests that match this pattern of Criterion's, such as 'csv/*'; by default all but
#                       the suites soak_*, which take very long
#   PER_PROGRAM         seconds that a program may take
#   SANITIZER_REPORTS   directory to which sanitizers write their reports: Criterion passes a test whose forked child
#                       or whose exit brings one, so each report counts as a failure here

per_test=120     # seconds for a test whose suite sets no time limit
per_program=${PER_PROGRAM:-2400} # seconds for a program: ends one that hangs outside its tests

cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0 skipped=0 tested=0
trap 'kill "$!" 2>/dev/null; exit 130' INT TERM HUP

fail() {
	echo "tests/run_tests.sh: $1" >&2
	failed=$((failed + 1))
}

# count file key: the number behind the key among the totals at the head of a report
count() {
	sed -n "1,7s/^  \"$2\": \([0-9]*\),\$/\1/p" "$1"
}

run_program() {
	program=$1
	report=$program.json
	rm -f "$report"
	# In the background, because a shell that waits for a foreground command sees no signal until it ends.
	timeout -k 10 "$per_program" "$program" -j1 --timeout "$per_test" --json="$report" --filter "${FILTER:-!(soak_*)/*}" &
	wait "$!"
	status=$?
	if [ ! -s "$report" ]; then
		fail "$program ended with status $status before it could report"
		return
	fi
	now_passed=$(count "$report" passed) now_failed=$(count "$report" failed) now_skipped=$(count "$report" skipped)
	passed=$((passed + now_passed))
	failed=$((failed + now_failed))
	skipped=$((skipped + now_skipped))
	tested=$((tested + now_passed + now_failed))
	if [ "$((now_passed + now_failed))" -eq 0 ] && [ -z "$FILTER" ]; then
		fail "$program has run no test"
	elif [ "$status" -ne 0 ] && [ "$now_failed" -eq 0 ]; then
		fail "$program ended with status $status although no test failed"
	fi
}

if [ -n "$SANITIZER_REPORTS" ]; then
	rm -rf "$SANITIZER_REPORTS"
	mkdir -p "$SANITIZER_REPORTS" || exit 1
	# The tests change directories, so the path is made absolute.
	SANITIZER_REPORTS=$(cd "$SANITIZER_REPORTS" && pwd)
	export ASAN_OPTIONS="log_path=$SANITIZER_REPORTS/address:$ASAN_OPTIONS"
	export UBSAN_OPTIONS="log_path=$SANITIZER_REPORTS/undefined:print_stacktrace=1:$UBSAN_OPTIONS"
	export LSAN_OPTIONS="suppressions=$PWD/tests/leaks_of_criterion.txt:print_suppressions=0:$LSAN_OPTIONS"
fi

for program in "$@"; do
	run_program "$program"
done

for report in ${SANITIZER_REPORTS:+"$SANITIZER_REPORTS"/*}; do
	[ -e "$report" ] || continue
	cat "$report" >&2
	fail "a sanitizer has written $report"
done
if [ "$tested" -eq 0 ] && [ "$failed" -eq 0 ]; then
	fail "no test was run"
fi

counts="$passed passed, $failed failed"
if [ "$skipped" -gt 0 ]; then
	counts="$counts, $skipped skipped"
fi
echo "$counts"
[ "$failed" -eq 0 ]
