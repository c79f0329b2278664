/* Small messages between hosts by UDP, beside MPI: they tell that a process lives, even where its main thread
 * waits in MPI or computes. Lost ones don't matter, since more follow. IPv4. Any thread, one at a time. */
#ifndef PARDIGITS_PARALLEL_HEARTBEATS_H
#define PARDIGITS_PARALLEL_HEARTBEATS_H

#include <stdint.h>

enum { HEARTBEAT_ADDRESSES = 4, HEARTBEAT_BYTES = 1400 /* most of a message */ };

/* Where a process listens: its port, and the addresses of its host, in network byte order; 0: none. */
typedef struct {
    uint32_t addresses[HEARTBEAT_ADDRESSES];
    uint16_t port; /* 0: it can't listen */
} HeartbeatPlace;

/* A socket at a free port, for heartbeats_close; -1 with a place that has no port if there can't be one. */
int heartbeats_open(HeartbeatPlace *place);
void heartbeats_close(int *socket);

/* Sends data [bytes], at most HEARTBEAT_BYTES, to all addresses of a place; mine is that of the sender: on
 * the same host the message stays there. */
void heartbeats_send(int socket, const HeartbeatPlace *mine, const HeartbeatPlace *to, const void *data,
                     int bytes);

/* Takes a message that has come; returns its bytes, or -1 if there is none. data [HEARTBEAT_BYTES]. */
int heartbeats_receive(int socket, void *data);

#endif
