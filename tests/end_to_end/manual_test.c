/* Man pages and completions tell of what there is. */
#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>

TestSuite(manual, .timeout = 60);

Test(manual, tells_of_every_option_and_key)
{
	struct run_result result = run_program(
	        RUN_ARGV("python3", "-B", "tests/end_to_end/manual_agreement.py", coordinator_path()), NULL);
	cr_expect_eq(result.exit_code, 0, "%s%s", result.out, result.err);
	run_result_release(&result);
}

/* As bash asks for it when the tab key is pressed. */
Test(manual, completes_in_bash)
{
	struct run_result result =
	        run_program(RUN_ARGV("bash", "--norc", "-c",
	                            ". share/completions/coordinator.bash; compopt() { :; }\n"
	                            "ask() { COMP_WORDS=(coordinator \"$@\"); COMP_CWORD=$#; "
	                            "_coordinator; echo \"${COMPREPLY[@]}\"; }\n"
	                            "ask pre; ask predict --m; ask --set training.ep; ask --progress b"),
	                NULL);
	cr_expect_str_eq(result.out, "predict\n--model\ntraining.epochs=\nbar\n");
	cr_expect_str_eq(result.err, "");
	run_result_release(&result);
}
