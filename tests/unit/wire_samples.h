/*
 * One frame of every type for a dataset of two features, with another value in every field, so that no two fields can
 * be taken for each other unnoticed; and a reader that goes through a frame as both ends of a pipe do.
 */
#ifndef FORKFIT_TESTS_WIRE_SAMPLES_H
#define FORKFIT_TESTS_WIRE_SAMPLES_H

#include "common/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SAMPLE_FEATURES = 2, SAMPLE_COLUMNS = SAMPLE_FEATURES + 1, SAMPLE_WIDTH = SAMPLE_FEATURES + 3 };

struct frame_header sample_header(void);

/* They share static storage, which the caller may change. */
struct assignment sample_assignment(void);
struct params sample_params(void);
struct ready sample_ready(void);
struct gradient sample_gradient(void);
struct worker_error sample_error(void);
struct predict sample_predict(void);
struct predictions sample_predictions(void);

/* Appends the sample of a type to the buffer. */
void sample_encode(struct wire_buffer *buffer, enum frame_type type);

/* A payload as its type's decoder gives it back. */
struct decoded {
	struct assignment assignment; /* owned: release it */
	bool out_of_memory;
	struct params params;
	struct ready ready;
	struct gradient gradient;
	struct worker_error error;
	struct predict predict;
	struct predictions predictions;
	double values[SAMPLE_COLUMNS];
	struct tree_node nodes[TREE_NODES_MAX];
	double vectors[TREE_NODES_MAX * SAMPLE_WIDTH];
};

enum wire_status sample_decode_payload(
        enum frame_type type, const unsigned char *payload, size_t length, struct decoded *decoded);

/* Header, length, checksum and payload, in the order in which a receiver looks at them. */
enum wire_status sample_decode(
        const unsigned char *bytes, size_t length, struct frame_header *header, struct decoded *decoded);

/* The same where only the verdict counts. */
enum wire_status sample_judge(const unsigned char *bytes, size_t length);

/* Makes the checksum of a frame right again after its bytes were changed. */
void sample_seal(unsigned char *frame, size_t length);

#endif
