#include "coordinator/command_line.h"

static const char train[] = "usage: coordinator --config FILE [option]...\n"
                            "       coordinator campaign|predict|generate|convert ... (each has a --help)\n"
                            "\n"
                            "Fits a line, or a plane in more dimensions, to the rows of a CSV or .npy file by\n"
                            "gradient descent with worker processes: the same bits for any number of them.\n"
                            "\n"
                            "  -c, --config FILE     the run's configuration in JSON; - reads standard input\n"
                            "  -s, --set KEY=VALUE   change one key of it, such as training.epochs=500\n"
                            "      --check           check it and the dataset, print it in full, and stop\n"
                            "      --resume          go on from the last checkpoint, if there is one\n"
                            "  -q, --quiet           nothing on standard error but errors\n"
                            "      --json            print the result as JSON, not as a table\n"
                            "      --progress STYLE  workers, bar or lines; auto: what suits the terminal\n"
                            "      --explain         tell what the processes do, system call by system call\n"
                            "      --bandwidth       then measure how fast the rows can be read at all\n"
                            "  -h, --help            this text\n"
                            "      --version         the version\n"
                            "\n"
                            "exit status: 0 fitted, 3 diverged, 4 workers lost, 64 usage, 65 bad dataset,\n"
                            "66 input missing, 71 system error, 73 cannot write output, 78 bad configuration,\n"
                            "130 interrupted. The manual: man coordinator, man run.json\n";

static const char campaign[] = "usage: coordinator campaign --config FILE [option]...\n"
                               "\n"
                               "Runs the configuration once without faults and then with one schedule of faults\n"
                               "after the other, and judges how each run ends: identical, clean error, wrong,\n"
                               "hang or leak.\n"
                               "\n"
                               "  -c, --config FILE         the run's configuration in JSON; - is standard input\n"
                               "  -s, --set KEY=VALUE       change one key of it\n"
                               "  -n, --runs N              so many schedules; 1000\n"
                               "      --seed S              which ones; 1\n"
                               "  -j, --jobs J              so many runs at the same time; 8 for each CPU\n"
                               "      --failures DIRECTORY  for files that make failed runs happen again;\n"
                               "                            else, for run.json, run.failures\n"
                               "  -q, --quiet               nothing on standard error but errors and failures\n"
                               "      --json                print the table as JSON\n"
                               "\n"
                               "exit status: 0 all were survived or told, 5 one was wrong, hung or left\n"
                               "something behind, 130 interrupted, and those of a run for the configuration\n";

static const char predict[] = "usage: coordinator predict --model FILE --data FILE [option]...\n"
                              "\n"
                              "Applies a model, as output.model has it, to the rows of a CSV or .npy file.\n"
                              "Columns of a CSV with a header go by their names, in whatever order; others by\n"
                              "position. Where the target is there too, the metrics are told.\n"
                              "\n"
                              "  -m, --model FILE   the model in JSON\n"
                              "  -d, --data FILE    the rows\n"
                              "  -o, --output FILE  write the predictions to it; else to standard output\n"
                              "  -w, --workers K    so many processes; else as many as there are CPUs\n"
                              "  -q, --quiet        nothing on standard error but errors\n"
                              "\n"
                              "exit status: 0 predicted, 4 workers lost, 65 bad data or a feature is missing,\n"
                              "66 input missing, 73 cannot write, 78 bad model, 130 interrupted\n";

static const char generate[] = "usage: coordinator generate --output FILE [option]...\n"
                               "\n"
                               "Makes a dataset whose truth is known: features from a normal distribution, a\n"
                               "target that is a linear function of them, and noise. The truth is printed. The\n"
                               "same options make the same bytes.\n"
                               "\n"
                               "  -o, --output FILE  FILE.npy or FILE.csv\n"
                               "  -r, --rows N       so many rows; 1000\n"
                               "  -f, --features D   so many features; 1\n"
                               "      --noise X      the noise's standard deviation; 1\n"
                               "      --seed S       which dataset; 1\n"
                               "  -q, --quiet        nothing on standard error but errors\n"
                               "\n"
                               "exit status: 0 written, 64 usage, 73 cannot write, 130 interrupted\n";

static const char convert[] = "usage: coordinator convert [option]... FROM.csv TO.npy\n"
                              "\n"
                              "Writes the numeric columns of a CSV as an .npy of doubles, which a run reads in\n"
                              "place. The columns' names, which an .npy does not have, are told.\n"
                              "\n"
                              "  -q, --quiet  nothing on standard error but errors\n"
                              "\n"
                              "exit status: 0 written, 65 not a number or missing (file, line and column),\n"
                              "66 input missing, 73 cannot write, 130 interrupted; then nothing is written\n";

const char *command_help(enum command command)
{
	static const char *const texts[] = {
	        [COMMAND_TRAIN] = train,
	        [COMMAND_CAMPAIGN] = campaign,
	        [COMMAND_PREDICT] = predict,
	        [COMMAND_GENERATE] = generate,
	        [COMMAND_CONVERT] = convert,
	};
	_Static_assert(sizeof texts / sizeof *texts == COMMAND_COUNT, "a text for every command");
	return texts[command];
}
