/* Numbers of iterations that this machine has on loan from the coordinator. See leases.c. */
#ifndef JSRUNNER_LEASES_H
#define JSRUNNER_LEASES_H

#include <stdint.h>

enum { LEASES_NONE_YET = -1, LEASES_NO_MORE = -2 };

/* Draw a number from the cells of a scenario. LEASES_NONE_YET: another lease may come; LEASES_NO_MORE: none will. */
int64_t leases_draw(int64_t *cells);

#endif
