/* Numbers of iterations that this machine has on loan from the coordinator. See leases.c. */
#ifndef JSRUNNER_LEASES_H
#define JSRUNNER_LEASES_H

#include <stdint.h>

enum { LEASES_NONE_YET = -1, LEASES_NO_MORE = -2 };

/* Draw a number from the cells of a scenario. Returns LEASES_NONE_YET if there is none now but another range may
 * come, LEASES_NO_MORE if none will come. */
int64_t leases_draw(int64_t *cells);

#endif
