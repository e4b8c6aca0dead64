#!/bin/sh
# usage: tests/mutations.sh [name...]
# Proves that the tests notice the classic mistakes of this trade. Each tests/mutations/NAME.patch puts one mistake into
# a copy of the tree and names the tests that must fail there ("caught by: PROGRAM SUITE/TEST"), which all pass where
# nothing was changed. Each of those tests says so in the comment above it ("Catches the mutation NAME.").
# Without names, all of them. From the environment: BUILD, where test-programs were built, relative to the root.

per_test=60 # seconds that a test may take; a mistake may make one hang

cd "$(dirname "$0")/.." || exit 1
root=$PWD BUILD=${BUILD:-build}
this=$root/tests/mutations.sh

# complain text: says it now, and again at the end, where whoever looks for it looks first
complain() {
	echo "tests/mutations.sh: $1" >&2
	echo "tests/mutations.sh: $1" >>"$scratch/complaints"
	failed=1
}

# catchers name: a line "PROGRAM SUITE/TEST" for each test that must catch it
catchers() {
	sed -n 's/^caught by: //p' "tests/mutations/$1.patch"
}

# comments: a line "PROGRAM SUITE/TEST MUTATION" for each mutation that the comment above a test says it catches
comments() {
	for program in unit end_to_end; do
		awk -v program="$program" '
			/^\/\*/ { text = "" }
			/^[ \/]\*/ { text = text $0 " "; next }
			{ gsub(/ +\*?\/? +/, " ", text) }
			/^[A-Za-z]*Test\(/ && sub(/.*Catches the mutations? /, "", text) {
				sub(/\..*/, "", text)
				gsub(/ and |,/, " ", text)
				sub(/(, \.|\)).*/, "") # options, or nothing, are behind the name
				sub(/.*Test\(/, "")
				words = split($0, word, ", ")
				count = split(text, mutation, " ")
				for (i = 1; i <= count; i++)
					print program, word[words - 1] "/" word[words], mutation[i]
			}
			{ text = "" }' tests/"$program"/*_test.c
	done | sort
}

# check_comments: patches and comments say the same
check_comments() {
	comments >"$scratch/comments"
	for patch in tests/mutations/*.patch; do
		name=$(basename "$patch" .patch)
		[ -n "$(catchers "$name")" ] || complain "$patch names no test that catches it"
		catchers "$name" | sed "s/\$/ $name/"
	done | sort >"$scratch/patches"
	comm -3 "$scratch/comments" "$scratch/patches" >"$scratch/differences"
	[ -s "$scratch/differences" ] || return
	sed 's/^\t\(.*\) \(.*\)/\1 does not say that it catches the mutation \2, or is not there/
		t
		s/\(.*\) \(.*\)/\1 says that it catches the mutation \2, whose patch does not name it/' "$scratch/differences" >&2
	complain "the comments above tests do not agree with tests/mutations"
}

# count key: the number behind the key among the totals at the head of $tree/report.json
count() {
	sed -n "1,7s/^  \"$1\": \([0-9]*\),\$/\1/p" "$tree/report.json"
}

# run program filter count: runs so many tests in $tree. Says "passed", "failed", or "not run" where none has that name.
run() {
	rm -f "$tree/report.json"
	(cd "$tree" && FORKFIT_COORDINATOR="$tree/$BUILD/coordinator" timeout -k 5 $(($3 * per_test + per_test)) \
		"$BUILD/tests/$1" -j1 --timeout "$per_test" --json="$tree/report.json" --filter "$2") \
		>"$tree/output" 2>&1 </dev/null
	status=$?
	if [ "$status" -ne 0 ] || [ ! -s "$tree/report.json" ]; then
		echo failed
	elif [ "$(count passed)" -eq 0 ]; then
		echo "not run"
	else
		echo passed
	fi
}

# copy_tree directory: makes $tree that directory, with a copy of all that the tests need
copy_tree() {
	tree=$1
	mkdir -p "$tree/$BUILD" && cp -a Makefile .ci common worker coordinator tests configs third_party "$tree" &&
		cp -a "$BUILD/objects" "$BUILD/tests" "$BUILD/coordinator" "$BUILD/flags" "$BUILD/sources" "$BUILD/version" \
			"$BUILD/prerequisites" "$tree/$BUILD"
}

# restore_tree: makes $tree what it was, to the times of its files, by which make knows what is to be built
restore_tree() {
	(cd "$tree" && find . -type f -newer stamp) | while read -r file; do
		if [ -e "$file" ]; then
			cp -a "$file" "$tree/$file"
		else
			rm "$tree/$file"
		fi
	done
}

# build program...: builds what is tested by these programs
build() {
	targets=
	for program in "$@"; do
		case $program in
		unit) targets="$targets $BUILD/tests/unit" ;;
		end_to_end) targets="$targets $BUILD/coordinator" ;;
		esac
	done
	# shellcheck disable=SC2086 # a list of words
	make -C "$tree" BUILD="$BUILD" $targets >"$tree/output" 2>&1
}

# try name: puts the mistake in; fails unless each of its tests does
try() {
	name=$1 failed=0
	touch -d '1 second ago' "$tree/stamp"
	catchers "$name" >"$tree/catchers"
	# shellcheck disable=SC2046 # names are words
	if ! patch -d "$tree" -p1 -F0 -s --no-backup-if-mismatch <"tests/mutations/$name.patch" >"$tree/output" 2>&1; then
		cat "$tree/output" >&2
		complain "$name does not apply: make the same mistake in the code as it is now"
	elif ! build $(sed 's/ .*//' "$tree/catchers" | sort -u); then
		tail -n 20 "$tree/output" >&2
		complain "$name does not compile"
	else
		while read -r program test; do
			case $(run "$program" "$test" 1) in
			failed) echo "$name: caught by $program $test" ;;
			passed) complain "$name is not caught by $program $test" ;;
			"not run") complain "$name: there is no test $program $test" ;;
			esac
		done <"$tree/catchers"
	fi
	restore_tree
	return "$failed"
}

if [ "$1" = --try ]; then
	scratch=$2
	tree=$scratch/$SLOT
	if [ ! -d "$tree" ] && ! copy_tree "$tree"; then
		complain "$3 was not tried: the tree could not be copied"
		exit 1
	fi
	try "$3"
	exit
fi

case $BUILD in
/* | ../*)
	echo "tests/mutations.sh: BUILD=$BUILD is not below the root" >&2
	exit 1
	;;
esac
failed=0
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
: >"$scratch/complaints"
trap 'exit 130' INT TERM HUP
# shellcheck disable=SC2046 # names are words
[ $# -gt 0 ] || set -- $(basename -s .patch tests/mutations/*.patch)

check_comments

# Without a mistake all of these tests pass.
tree=$scratch/0
copy_tree "$tree" || exit 1
for program in unit end_to_end; do
	for name in "$@"; do catchers "$name"; done | sed -n "s/^$program //p" | sort -u >"$scratch/tests"
	[ -s "$scratch/tests" ] || continue
	if [ "$(run "$program" "@($(paste -s -d '|' "$scratch/tests"))" "$(wc -l <"$scratch/tests")")" != passed ]; then
		cat "$tree/output" >&2
		complain "without a mistake these tests must pass"
	fi
done

printf '%s\n' "$@" | BUILD=$BUILD xargs -n 1 -P "$(nproc)" --process-slot-var=SLOT "$this" --try "$scratch" || failed=1
if [ "$failed" -eq 0 ]; then
	echo "tests/mutations.sh: $# mistakes, all of them caught"
else
	cat "$scratch/complaints" >&2
	echo "tests/mutations.sh: $# mistakes, but see above"
fi
exit "$failed"
