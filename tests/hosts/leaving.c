/* Ends in the way that the third argument names, without C_Finalize: leaving MODULE PIN WAY.
 * Whatever is called on the way out has to answer, and the process has to end with code 0. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "host.h"

static struct module m;
static const char *way;

/* Calls from the host's own ends: answered as usual or as not initialised, never more. The
 * second time the session is one that the first time ended. */
static int fine(ulong_t rv) {
    static int calls;
    int again = ++calls > 7;
    return rv == OK || rv == NOT_INITIALISED || (again && rv == SESSION_INVALID);
}

static void call_everything(void) {
    byte_t bytes[16];
    if (!fine(sign_once(&m))) _exit(80);
    if (!fine(m.random(m.session, bytes, sizeof bytes))) _exit(81);
    if (!fine(m.logout(m.session))) _exit(82);
    if (!fine(m.close_session(m.session))) _exit(83);
    if (!fine(m.close_all_sessions(m.slot))) _exit(84);
    if (!fine(m.finalize(NULL))) _exit(85);
    if (m.finalize(NULL) != NOT_INITIALISED) _exit(86);
    if (!fine(m.initialize(NULL))) _exit(87);
}

static void at_exit(void) {
    if (!strcmp(way, "atexit") || !strcmp(way, "atexit-and-destructor")) call_everything();
}

__attribute__((destructor)) static void at_the_end(void) {
    if (way && (!strcmp(way, "destructor") || !strcmp(way, "atexit-and-destructor")))
        call_everything();
}

static void *sign_for_ever(void *unused) {
    (void)unused;
    for (;;) {
        byte_t bytes[16];
        m.random(m.session, bytes, sizeof bytes);
        sign_once(&m);
    }
    return NULL;
}

static void *end_all(void *unused) {
    (void)unused;
    must(sign_once(&m), "C_Sign");
    exit(0);
}

int main(int count, char **arguments) {
    pthread_t thread;
    if (count != 4) return 64;
    way = arguments[3];
    atexit(at_exit);
    load(&m, arguments[1]);
    begin(&m, arguments[2]);
    must(sign_once(&m), "C_Sign");
    if (!strcmp(way, "amid-signatures")) {
        for (int at = 0; at < 4; at++) pthread_create(&thread, NULL, sign_for_ever, NULL);
        usleep(20000);
    }
    if (!strcmp(way, "from-a-thread")) {
        pthread_create(&thread, NULL, end_all, NULL);
        pthread_join(thread, NULL);
    }
    if (!strcmp(way, "main-thread-first")) {
        pthread_create(&thread, NULL, end_all, NULL);
        pthread_exit(NULL);
    }
    if (!strcmp(way, "quick")) quick_exit(0);
    if (!strcmp(way, "at-once")) _exit(0);
    if (!strcmp(way, "unloaded")) dlclose(m.library);
    return 0;
}
