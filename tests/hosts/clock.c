/* A clock that is CLOCK_OFFSET seconds off, for whoever is started with this preloaded. The
 * variable is read each time, so that a test can let days pass. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const char *offset = getenv("CLOCK_OFFSET");
    int done = (int)syscall(SYS_clock_gettime, clock, now);
    if (done == 0 && offset != NULL)
        now->tv_sec += atoll(offset);
    return done;
}
