#include "fiber.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIBERS = 200, ROUNDS = 50, STACK = 1 << 20 };
static struct fiber fibers[FIBERS];
static long sums[FIBERS];
static double halves[FIBERS];

/* Suspend in the middle of a recursion with locals of all kinds, and look at them afterwards. */
static long descend(int number, int depth)
{
    volatile char here[512];
    volatile double half = number + 0.5;
    memset((void *)here, number, sizeof here);
    long below = depth ? descend(number, depth - 1) : 0;
    fiber_suspend(&fibers[number]);
    for (size_t i = 0; i < sizeof here; i++) if (here[i] != (char)number) abort();
    halves[number] += half;
    return below + 1;
}

static void run(void *argument)
{
    int number = (int)(intptr_t)argument;
    if ((uintptr_t)__builtin_frame_address(0) % 16) abort();
    for (;;) {
        sums[number] += descend(number, number % 30);
        fiber_suspend(&fibers[number]);
    }
}

static void overflow(void *argument)
{
    volatile char page[4096];
    page[0] = (char)(intptr_t)argument;
    overflow((void *)(intptr_t)page[0]);
    page[1] = 1;
}

int main(int argc, char **argv)
{
    (void)argv;
    for (int i = 0; i < FIBERS; i++)
        if (!fiber_create(&fibers[i], STACK, argc > 1 ? overflow : run, (void *)(intptr_t)i)) return 2;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < FIBERS; i++) fiber_resume(&fibers[(i * 7 + round) % FIBERS]);
        if (round % 10 == 0)
            for (int i = 0; i < FIBERS; i++) fiber_trim(&fibers[i]);
    }
    long sum = 0;
    double half = 0;
    for (int i = 0; i < FIBERS; i++) {
        sum += sums[i];
        half += halves[i];
        fiber_destroy(&fibers[i]);
        fiber_destroy(&fibers[i]);
    }
    struct fiber never;
    if (!fiber_create(&never, STACK, run, NULL)) return 2;
    fiber_destroy(&never);
    if (fiber_create(&never, SIZE_MAX / 2, run, NULL)) return 3;
    printf("%ld %.1f\n", sum, half);
    return 0;
}
