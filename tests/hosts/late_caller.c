/* A library of the host's that calls the module in its own destructor, which runs before or
 * after the module's own end, depending on who was loaded first. */
#include <unistd.h>

#include "host.h"

static struct module m;

void use_module(const char *path, const char *pin) {
    load(&m, path);
    begin(&m, pin);
    must(sign_once(&m), "C_Sign");
}

__attribute__((destructor)) static void late(void) {
    ulong_t rv;
    if (!m.library) return;
    rv = sign_once(&m);
    if (rv != OK && rv != NOT_INITIALISED) _exit(80);
    rv = m.logout(m.session);
    if (rv != OK && rv != NOT_INITIALISED) _exit(82);
    rv = m.close_session(m.session);
    if (rv != OK && rv != NOT_INITIALISED) _exit(83);
    rv = m.finalize(NULL);
    if (rv != OK && rv != NOT_INITIALISED) _exit(85);
}
