/* What each system does in a way of its own: readiness of file descriptors, an alarm and a wake-up for the event loop.
 *
 * poller_epoll.c implements this file for Linux. A port to kqueue needs only another such file.
 *
 * Invariants. One poller per process, opened after the fork that made the process. The descriptor
 * `poller_descriptor()` is readable while anything is ready, so that an outer loop can watch it.
 */
#ifndef JSRUNNER_POLLER_H
#define JSRUNNER_POLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POLL_IN = 1, POLL_OUT = 2, POLL_FAILED = 4 };

struct readiness {
    /* The key that was passed to poller_add. */
    uint64_t key;
    /* POLL_ flags. */
    unsigned events;
};

/* Open the poller. Returns 0 or an errno. */
int poller_open(void);
void poller_close(void);
int poller_descriptor(void);

/* Watch a descriptor for POLL_ flags. Return 0 or an errno. */
int poller_add(int descriptor, uint64_t key, unsigned events);
int poller_change(int descriptor, uint64_t key, unsigned events);
void poller_remove(int descriptor);

/* Make the descriptor readable at this moment (seconds of CLOCK_MONOTONIC); 0: never. */
void poller_set_alarm(double moment);

/* Make the descriptor readable now, until the next poller_wait. */
void poller_wake(void);

/* Fill `ready` with at most `capacity` descriptors. Waits for up to `timeout_ms` (-1: for ever). Alarms and
 * wake-ups end the wait and are not reported. Returns the number of ready descriptors. */
int poller_wait(struct readiness *ready, int capacity, int timeout_ms);

/* Return the bytes that a socket has accepted and its peer has not acknowledged. */
size_t poller_unacknowledged(int descriptor);

#endif
