#include "worker/kernels_habits.h"

const struct kernel_habits kernel_habits[CLONE_COUNT] = {
        [CLONE_AVX512] =
                {
                        .asks = ASKS_BY_FOUR,
                        .eights_of_f8 = 48,
                        .goes_in_runs = true,
                        .asks_near = true,
                },
        [CLONE_AVX512_ZEN4] =
                {
                        .asks = ASKS_BY_ONE,
                        .eights_of_f8 = 72,
                },
        [CLONE_AVX512_ZEN5] =
                {
                        .asks = ASKS_STRAIGHT,
                        .eights_of_f8 = 72,
                        .keeps_in_registers = true,
                        .goes_row_by_row = true,
                        .asks_near = true,
                },
};
