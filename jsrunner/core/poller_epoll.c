/* The poller on Linux: epoll, a timerfd for the alarm, an eventfd for the wake-up (see poller.h). */
#define _GNU_SOURCE
#include "poller.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { BATCH = 256 };
static const uint64_t ALARM_KEY = UINT64_MAX;
static const uint64_t WAKE_KEY = UINT64_MAX - 1;

static int epoll_descriptor = -1;
static int alarm_descriptor = -1;
static int wake_descriptor = -1;
/* The moment for which the timerfd is set. */
static double alarm_moment;
static bool is_awake;

static uint32_t epoll_events(unsigned events)
{
    return (events & POLL_IN ? EPOLLIN | EPOLLRDHUP : 0u) | (events & POLL_OUT ? EPOLLOUT : 0u);
}

static int control(int operation, int descriptor, uint64_t key, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = key};
    return epoll_ctl(epoll_descriptor, operation, descriptor, &event) == 0 ? 0 : errno;
}

int poller_open(void)
{
    epoll_descriptor = epoll_create1(EPOLL_CLOEXEC);
    alarm_descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    wake_descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    alarm_moment = 0;
    is_awake = false;
    if (epoll_descriptor < 0 || alarm_descriptor < 0 || wake_descriptor < 0) {
        int error = errno;
        poller_close();
        return error;
    }
    int error = control(EPOLL_CTL_ADD, alarm_descriptor, ALARM_KEY, EPOLLIN);
    return error ? error : control(EPOLL_CTL_ADD, wake_descriptor, WAKE_KEY, EPOLLIN);
}

void poller_close(void)
{
    int *descriptors[] = {&epoll_descriptor, &alarm_descriptor, &wake_descriptor};
    for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++) {
        if (*descriptors[i] >= 0) close(*descriptors[i]);
        *descriptors[i] = -1;
    }
}

int poller_descriptor(void) { return epoll_descriptor; }

int poller_add(int descriptor, uint64_t key, unsigned events)
{
    return control(EPOLL_CTL_ADD, descriptor, key, epoll_events(events));
}

int poller_change(int descriptor, uint64_t key, unsigned events)
{
    return control(EPOLL_CTL_MOD, descriptor, key, epoll_events(events));
}

void poller_remove(int descriptor) { control(EPOLL_CTL_DEL, descriptor, 0, 0); }

void poller_set_alarm(double moment)
{
    /* A timerfd that fires too early is harmless and is set anew then. Most alarms are postponed before they fire, so
     * this saves system calls. */
    if (alarm_moment > 0 && (moment <= 0 || alarm_moment <= moment)) return;
    if (moment == alarm_moment) return;
    alarm_moment = moment;
    struct itimerspec setting = {.it_value = {0, 0}};
    if (moment > 0) {
        setting.it_value.tv_sec = (time_t)moment;
        /* At least 1 ns: an all-zero time would switch the alarm off. */
        setting.it_value.tv_nsec = (long)((moment - (double)setting.it_value.tv_sec) * 1e9) | 1;
    }
    timerfd_settime(alarm_descriptor, TFD_TIMER_ABSTIME, &setting, NULL);
}

void poller_wake(void)
{
    if (is_awake) return;
    uint64_t one = 1;
    is_awake = write(wake_descriptor, &one, sizeof one) == (ssize_t)sizeof one;
}

/* Make a timerfd or eventfd unreadable again. */
static void drain(int descriptor)
{
    uint64_t count;
    while (read(descriptor, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

int poller_wait(struct readiness *ready, int capacity, int timeout_ms)
{
    struct epoll_event events[BATCH];
    int count = epoll_wait(epoll_descriptor, events, capacity < BATCH ? capacity : BATCH, timeout_ms);
    int filled = 0;
    for (int i = 0; i < count; i++) {
        uint64_t key = events[i].data.u64;
        if (key == ALARM_KEY) {
            drain(alarm_descriptor);
            alarm_moment = 0;
        } else if (key == WAKE_KEY) {
            drain(wake_descriptor);
            is_awake = false;
        } else {
            uint32_t got = events[i].events;
            ready[filled++] = (struct readiness){
                .key = key,
                .events = (got & (EPOLLIN | EPOLLRDHUP) ? POLL_IN : 0u) |
                          (got & EPOLLOUT ? POLL_OUT : 0u) |
                          (got & (EPOLLHUP | EPOLLERR) ? POLL_FAILED : 0u),
            };
        }
    }
    return filled;
}

size_t poller_unacknowledged(int descriptor)
{
    int count = 0;
    return ioctl(descriptor, SIOCOUTQ, &count) == 0 ? (size_t)count : 0;
}
