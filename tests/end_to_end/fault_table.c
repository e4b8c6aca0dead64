#include "tests/end_to_end/fault_table.h"

const struct worker_site worker_sites[WORKER_SITES] = {
        {'S', "start"},
        {'A', "assign.read"},
        {'L', "load"},
        {'R', "ready.write"},
        {'P', "params.read"},
        {'C', "compute"},
        {'G', "gradient.write"},
        {'E', "stop.read"},
};

const struct fault_row fault_rows[] = {
        {"kill", "SALRPCGE", "", 0, "", "", 0},
        {"segv", "SALRPCGE", "", 0, "", "", 0},
        {"bus", "SALRPCGE", "", 0, "", "", 0},
        {"abort", "SALRPCGE", "", 0, "", "", 0},
        {"exit", "SALRPCGE", "", 0, "", ", \"code\": 0", 0},
        {"stop", "SALRPCG", "", 0, "", "", DEADLINE_S},
        {"stop", "SALRPCGE", "", 0, "", ", \"ms\": 20", 0},
        {"spin", "SALRPCG", "", 0, "", "", DEADLINE_S},
        {"spin", "SALRPCGE", "", 0, "", ", \"ms\": 20", 0},
        {"slow", "SALRPCGE", "", 0, "", ", \"ms\": 20", 0},
        {"slow", "C", "", 0, "", ", \"factor\": 20", 0},
        {"out_of_memory", "SLC", "LC", 4, "Cannot allocate memory", "", 0},
        {"syscall", "SLC", "", 0, "", "", 0},
        {"crash_loop", "SALRPCGE", "SALRPCG", 4, "in a row: was killed by SIGKILL", "", 0},
        {"truncate", "ARPG", "", 0, "", "", DEADLINE_S},
        {"truncate", "ARPGE", "", 0, "", ", \"ms\": 0, \"code\": 3", 0},
        {"short_writes", "ARPGE", "", 0, "", "", 0},
        {"flip", "ARPGE", "", 0, "", ", \"byte\": 30", 0},
        {"garbage", "ARPGE", "", 0, "", "", 0},
        {"duplicate", "ARPGE", "", 0, "", "", 0},
        {"stale", "ARPGE", "", 0, "", ", \"skip\": 1", 0},
        {"wrong_worker", "ARPGE", "", 0, "", "", 0},
        {"oversized", "ARPGE", "", 0, "", "", 0},
        {"close", "ARPGE", "", 0, "", "", 0},
        {"deaf", "AP", "", 0, "", "", DEADLINE_S},
        {"deaf", "APE", "", 0, "", ", \"ms\": 20", 0},
        {"nan", "C", "", 0, "", "", 0},
        {"file_truncated", "LC", "", 0, "", "", 0},
};
const size_t fault_row_count = sizeof fault_rows / sizeof *fault_rows;

#define KILLED "fault_injection/a_coordinator_that_is_killed_leaves_nobody_and_no_half_of_a_file"
#define KILLED_AT_CHECKPOINT "fault_table/a_coordinator_that_is_killed_at_a_checkpoint_goes_on"
#define TRIED_AGAIN "fault_injection/calls_that_fail_are_tried_again_or_told"

const struct fault_elsewhere faults_elsewhere[] = {
        {"lie", "compute", "fault_injection/a_lie_is_outvoted_by_two_and_told_by_one"},
        {"kill", "coordinator.start", KILLED},
        {"kill", "coordinator.fork", KILLED},
        {"kill", "coordinator.epoch", KILLED},
        {"kill", "coordinator.output.draft", KILLED},
        {"kill", "coordinator.output.write", KILLED},
        {"kill", "coordinator.output.rename", KILLED},
        {"kill", "coordinator.output.done", KILLED},
        {"kill", "coordinator.checkpoint.draft", KILLED_AT_CHECKPOINT},
        {"kill", "coordinator.checkpoint.write", KILLED_AT_CHECKPOINT},
        {"kill", "coordinator.checkpoint.rename", KILLED_AT_CHECKPOINT},
        {"kill", "coordinator.checkpoint.done", KILLED_AT_CHECKPOINT},
        {"fork_fails", "coordinator.fork", TRIED_AGAIN},
        {"no_descriptors", "coordinator.fork", TRIED_AGAIN},
        {"no_space", "coordinator.output.write", TRIED_AGAIN},
        {"no_space", "coordinator.checkpoint.write", "fault_table/the_result_does_not_hang_on_a_checkpoint"},
};
const size_t faults_elsewhere_count = sizeof faults_elsewhere / sizeof *faults_elsewhere;
