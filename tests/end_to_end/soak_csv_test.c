/* A CSV of more than 4 GiB, whose later rows lie where an offset of 32 bits does not reach. */
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(soak_csv, .init = workspace_open, .fini = workspace_close, .timeout = 600);

/*
 * Rows of a mebibyte, most of it a note that is passed over. y = 3·x + 2, and x differs from 0 only in the rows behind
 * 4 GiB: a row there that is read from elsewhere, or not at all, shows in the fit or in the count.
 */
Test(soak_csv, may_be_longer_than_4_gib)
{
	enum { NOTE = (1 << 20) - 16, NEAR = 4097, FAR = 64 };
	char *note = malloc(NOTE + 1);
	FILE *file = fopen(workspace_path("x.csv"), "w");
	cr_assert(note != NULL && file != NULL);
	memset(note, 'n', NOTE);
	note[NOTE] = '\0';
	fputs("x,note,y\n", file);
	for (int row = 0; row < NEAR + FAR; row++) {
		int x = row < NEAR ? 0 : row - NEAR + 1;
		cr_assert(fprintf(file, "%06d,%s,%06d\n", x, note, 3 * x + 2) > NOTE, "there are not 4.4 GB of room");
	}
	cr_assert_eq(fclose(file), 0);
	free(note);
	workspace_configure("{\"dataset\": {\"path\": \"x.csv\", \"features\": [\"x\"]}, \"workers\": 2, "
	                    "\"training\": {\"tolerance\": 1e-13}}");
	json_t *model = TRAIN("--quiet");
	cr_expect_eq(json_number_at(model, "metrics.rows"), NEAR + FAR);
	cr_expect_float_eq(json_number_value(json_array_get(json_at(model, "w"), 0)), 3, 1e-9);
	cr_expect_float_eq(json_number_at(model, "b"), 2, 1e-9);
	json_decref(model);
}
