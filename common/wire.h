/*
 * The frames between coordinator and worker, as bytes; common/PROTOCOL.md is the contract. Pure. The
 * sources common/wire*.c are the only places that know the layout.
 */
#ifndef FORKFIT_COMMON_WIRE_H
#define FORKFIT_COMMON_WIRE_H

#include "common/dataset.h"
#include "common/leaves.h"
#include "common/sums.h"
#include "common/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_VERSION 2
#define WIRE_HEADER_BYTES 32U

/* What fits in a configuration: npy and CSV files of at most 65535 columns, paths of at most PATH_MAX. */
#define WIRE_COLUMNS_MAX 65535U
#define WIRE_PATH_MAX 4096U
/* Text in an ERROR frame is cut to this. */
#define WIRE_TEXT_MAX 512U

enum frame_type {
	FRAME_ASSIGN = 1,  /* down: your leaves of this dataset */
	FRAME_PARAMS,      /* down: run this kernel with these parameters */
	FRAME_STOP,        /* down: leave */
	FRAME_READY,       /* up: the chunk is loaded */
	FRAME_GRADIENT,    /* up: the sums of a round */
	FRAME_ERROR,       /* up: I cannot go on, and why */
	FRAME_PREDICT,     /* down: apply these parameters to these rows of your chunk */
	FRAME_PREDICTIONS, /* up: what comes of it, row by row */
	FRAME_TYPE_END
};

struct frame_header {
	enum frame_type type;
	uint32_t payload_length;
	uint32_t worker;
	uint32_t incarnation; /* how often this worker was started before */
	uint32_t epoch;       /* 0 before the first */
	uint32_t round;       /* counts PARAMS and ASSIGN frames; a reply carries its question's */
};

/* Why bytes are not a frame. WIRE_SHORT: not yet. */
enum wire_status {
	WIRE_OK,
	WIRE_SHORT,
	WIRE_BAD_MAGIC,
	WIRE_BAD_VERSION,
	WIRE_BAD_TYPE,
	WIRE_OVERSIZED,
	WIRE_BAD_CHECKSUM,
	WIRE_BAD_PAYLOAD, /* a checksum that is right over a payload that is not */
};

const char *wire_status_text(enum wire_status status);
const char *frame_type_name(enum frame_type type);

/* Bytes that grow; a frame is appended whole. */
struct wire_buffer {
	unsigned char *bytes;
	size_t length;
	size_t capacity;
};

void wire_buffer_release(struct wire_buffer *buffer);

/* ASSIGN. The dataset and centre (features + 1 doubles) are borrowed when encoding and owned when decoded. */
struct assignment {
	struct dataset dataset;
	uint32_t leaf_count;  /* P, of the whole dataset */
	struct range leaves;  /* the chunk */
	struct range bytes;   /* CSV: from the chunk's first record to behind its last, in the file */
	bool quotes;          /* CSV: the ends above hold even if fields are quoted */
	uint64_t cache_bytes; /* CSV: parsed numbers may take so much memory; more are parsed again each round */
	double *centre;       /* of the features, then of the target: what starred kernels subtract */
};

/* PARAMS: features + 1 doubles, and what else the kernel takes. */
struct params {
	enum kernel kernel;
	uint32_t count;
	const double *values; /* borrowed when encoding; when decoded, in the array given to the decoder */
};

/* In every answer: when the worker did what, on the clock of common/clock.h. What comes in a frame may be untrue. */
struct worker_times {
	uint64_t waiting_ns;  /* it began to wait for the question: set up, or its answer before written */
	uint64_t received_ns; /* the question had come whole */
	uint64_t finished_ns; /* the work was done, and the answer remained to be written */
};

/* READY */
struct ready {
	uint64_t rows;    /* kept; npy rows are not looked at yet, so all of them */
	uint64_t skipped; /* for missing values */
	struct worker_times times;
	bool starts_doubted;      /* CSV, assignment.quotes false: a field is quoted, or bad; the load was given up */
	uint32_t first_row_count; /* features + 1, or 0: no rows */
	const double *first_row;
};

/* GRADIENT: the maximal nodes of the chunk, in order, each with its vector. */
struct gradient {
	enum kernel kernel;
	struct worker_times times;
	uint32_t node_count;
	uint32_t width;
	const struct tree_node *nodes;
	const double *vectors; /* node_count × width, row-major */
};

/* As many rows as one PREDICT may ask for: an answer that fills a pipe. */
#define WIRE_PREDICTIONS_MAX 4096U

/* PREDICT: features + 1 doubles, w and b. */
struct predict {
	uint64_t first; /* of the chunk's rows, counted from 0 */
	uint32_t rows;
	uint32_t count;
	const double *values; /* as in PARAMS */
};

/* PREDICTIONS: in the order of the rows; NaN where a feature is missing. */
struct predictions {
	uint64_t first;
	struct worker_times times;
	uint32_t rows;
	uint32_t width;       /* 1, or 2 with the target's own value behind each prediction */
	const double *values; /* rows × width, row-major */
};

enum error_stage {
	STAGE_PROTOCOL, /* a frame that is not legal here */
	STAGE_DATASET,  /* the dataset is not what the loader saw, or has a bad value */
	STAGE_SYSTEM,   /* a system call failed */
	STAGE_SIGNAL,   /* a signal is ending the worker; offset: the number of the system call that was refused */
	STAGE_COUNT
};

/* ERROR */
struct worker_error {
	enum error_stage stage;
	int32_t system_error; /* errno, or 0 */
	int64_t offset;       /* in the file, of a bad value; an npy row's index; -1: none */
	int64_t column;       /* zero-based place in the file; -1: none */
	char text[WIRE_TEXT_MAX];
};

/*
 * Append one frame. header.payload_length is ignored: it is computed. False: out of memory, and the buffer is as
 * it was.
 */
bool wire_encode_assign(
        struct wire_buffer *buffer, const struct frame_header *header, const struct assignment *assignment);
bool wire_encode_params(struct wire_buffer *buffer, const struct frame_header *header, const struct params *params);
bool wire_encode_stop(struct wire_buffer *buffer, const struct frame_header *header);
bool wire_encode_ready(struct wire_buffer *buffer, const struct frame_header *header, const struct ready *ready);
bool wire_encode_gradient(
        struct wire_buffer *buffer, const struct frame_header *header, const struct gradient *gradient);
bool wire_encode_predict(struct wire_buffer *buffer, const struct frame_header *header, const struct predict *predict);
bool wire_encode_predictions(
        struct wire_buffer *buffer, const struct frame_header *header, const struct predictions *predictions);
bool wire_encode_error(struct wire_buffer *buffer, const struct frame_header *header, const struct worker_error *error);

/*
 * Writes the header once more over a frame with payload_bytes of payload, and a checksum over what is then there:
 * how a frame gets to say what is not so. header.payload_length is taken as it is.
 */
void wire_reseal(unsigned char *frame, const struct frame_header *header, size_t payload_bytes);

/* The longest payload a worker may be sent, and a coordinator with d features may be sent. */
size_t wire_max_payload_down(void);
size_t wire_max_payload_up(uint32_t features);

/*
 * Looks at the first `length` bytes. WIRE_SHORT while the header is not all there; with the header complete it is
 * checked and *header filled. The checksum is wire_check_frame's.
 */
enum wire_status wire_decode_header(
        const unsigned char *bytes, size_t length, size_t max_payload, struct frame_header *header);
/* The checksum of a frame that is all there: header and payload at `bytes`. */
enum wire_status wire_check_frame(const unsigned char *bytes, const struct frame_header *header);

/*
 * Decode the payload of a checked frame: WIRE_OK or WIRE_BAD_PAYLOAD. Every length and count is checked against the
 * payload and the limits before use. assign allocates (false memory: *out_of_memory); release with
 * assignment_release. The others write doubles to `values`, `first_row`, `nodes` and `vectors`, which have room for
 * value_count + 1 (one for the kernels that take more), value_count, TREE_NODES_MAX and TREE_NODES_MAX × max_width.
 */
enum wire_status wire_decode_assign(
        const unsigned char *payload, size_t length, struct assignment *assignment, bool *out_of_memory);
enum wire_status wire_decode_params(
        const unsigned char *payload, size_t length, uint32_t value_count, double *values, struct params *params);
enum wire_status wire_decode_ready(
        const unsigned char *payload, size_t length, uint32_t value_count, double *first_row, struct ready *ready);
enum wire_status wire_decode_gradient(const unsigned char *payload, size_t length, size_t max_width,
        struct tree_node *nodes, double *vectors, struct gradient *gradient);
enum wire_status wire_decode_predict(
        const unsigned char *payload, size_t length, uint32_t value_count, double *values, struct predict *predict);
enum wire_status wire_decode_predictions(
        const unsigned char *payload, size_t length, size_t capacity, double *values, struct predictions *predictions);
enum wire_status wire_decode_error(const unsigned char *payload, size_t length, struct worker_error *error);

void assignment_release(struct assignment *assignment);

#endif
