#include "coordinator/result_table.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(result_table, .timeout = 10);

enum { FEATURES = 3 };

static char *names[] = {"x", "unused", "größe", "y€", "price"};
static uint32_t columns[] = {0, 2, 3, 4};
static double parameters[] = {0.1, -1234.5, 1e-05, 20849.316407224724};

static struct loader loader = {
        .name = "data/d.csv", .dataset.features = FEATURES, .dataset.columns = columns, .column_names = names};

static struct training_result result_of(enum stop_reason reason)
{
	return (struct training_result){.features = FEATURES,
	        .parameters = parameters,
	        .rows = 53940,
	        .mse = 4,
	        .rmse = 1496.8612,
	        .mae = 889.3374,
	        .r2 = 0.8592191,
	        .epochs = 6379,
	        .stop_reason = reason};
}

static void expect_table(const struct training_result *result, const char *expected)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	cr_assert(out != NULL);
	result_table_print(out, &loader, result);
	fclose(out);
	cr_expect_str_eq(text, expected);
	free(text);
}

Test(result_table, lines_up_names_and_decimal_points)
{
	struct training_result result = result_of(STOP_TOLERANCE);
	expect_table(&result, "price from 53940 rows of data/d.csv\n"
	                      "\n"
	                      "  intercept  20849.316407224724\n"
	                      "  x              0.1\n"
	                      "  größe      -1234.5\n"
	                      "  y€             1e-05\n"
	                      "\n"
	                      "  RMSE 1496.86   MAE 889.337   R² 0.859219\n"
	                      "  6379 epochs: the gradient is within the tolerance\n");
}

Test(result_table, speaks_of_one_row_and_one_epoch)
{
	struct training_result result = result_of(STOP_EPOCHS);
	result.rows = result.epochs = 1;
	result.features = 0;
	expect_table(&result, "x from 1 row of data/d.csv\n"
	                      "\n"
	                      "  intercept  0.1\n"
	                      "\n"
	                      "  RMSE 1496.86   MAE 889.337   R² 0.859219\n"
	                      "  1 epoch: all epochs are done; more may fit better\n");
}

Test(result_table, says_that_a_constant_target_has_no_r2)
{
	struct training_result result = result_of(STOP_INTERRUPTED);
	result.features = 0;
	result.r2 = NAN;
	expect_table(&result, "x from 53940 rows of data/d.csv\n"
	                      "\n"
	                      "  intercept  0.1\n"
	                      "\n"
	                      "  RMSE 1496.86   MAE 889.337   R² undefined (the target is constant)\n"
	                      "  6379 epochs: interrupted; more epochs may fit better\n");
}

Test(result_table, does_not_line_up_with_a_name_that_is_very_long)
{
	char name[] = "this name has more than 32 letters";
	struct training_result result = result_of(STOP_EPOCHS);
	names[0] = name;
	result.features = 1; /* and "größe" is the target */
	result.parameters[1] = 2;
	expect_table(&result, "größe from 53940 rows of data/d.csv\n"
	                      "\n"
	                      "  intercept  2\n"
	                      "  this name has more than 32 letters  0.1\n"
	                      "\n"
	                      "  RMSE 1496.86   MAE 889.337   R² 0.859219\n"
	                      "  6379 epochs: all epochs are done; more may fit better\n");
}

Test(result_table, stays_a_table_whatever_the_names_are)
{
	static char *odd_names[] = {"a\nb", "", "\x1b[31m", "tab\there\\", "y\r"};
	struct loader odd = loader;
	odd.column_names = odd_names;
	odd.name = "data\n.csv";
	struct training_result result = result_of(STOP_TOLERANCE);
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	cr_assert(out != NULL);
	result_table_print(out, &odd, &result);
	fclose(out);
	cr_expect_str_eq(text, "y\\x0D from 53940 rows of data\\x0A.csv\n"
	                       "\n"
	                       "  intercept     20849.316407224724\n"
	                       "  a\\x0Ab            0.1\n"
	                       "  \\x1B[31m      -1234.5\n"
	                       "  tab\\x09here\\      1e-05\n"
	                       "\n"
	                       "  RMSE 1496.86   MAE 889.337   R² 0.859219\n"
	                       "  6379 epochs: the gradient is within the tolerance\n");
	free(text);
}
