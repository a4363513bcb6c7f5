/* The few declarations of PKCS#11 that the hosts here need, and a module loaded with dlopen. */
#ifndef CLAVIGER_TEST_HOST_H
#define CLAVIGER_TEST_HOST_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long ulong_t;
typedef unsigned char byte_t;

struct attribute { ulong_t type; void *value; ulong_t length; };
struct mechanism { ulong_t mechanism; void *parameter; ulong_t length; };

enum { OK = 0, NOT_INITIALISED = 0x190, OPERATION_IDLE = 0x91, SESSION_INVALID = 0xb3 };
enum { CLASS = 0, SERIAL_AND_WRITABLE = 6, USER = 1, PRIVATE_KEY = 3, EDDSA = 0x1057 };

struct module {
    void *library;
    ulong_t (*initialize)(void *);
    ulong_t (*finalize)(void *);
    ulong_t (*get_slot_list)(byte_t, ulong_t *, ulong_t *);
    ulong_t (*open_session)(ulong_t, ulong_t, void *, void *, ulong_t *);
    ulong_t (*close_session)(ulong_t);
    ulong_t (*close_all_sessions)(ulong_t);
    ulong_t (*login)(ulong_t, ulong_t, byte_t *, ulong_t);
    ulong_t (*logout)(ulong_t);
    ulong_t (*find_init)(ulong_t, struct attribute *, ulong_t);
    ulong_t (*find)(ulong_t, ulong_t *, ulong_t, ulong_t *);
    ulong_t (*find_final)(ulong_t);
    ulong_t (*sign_init)(ulong_t, struct mechanism *, ulong_t);
    ulong_t (*sign)(ulong_t, byte_t *, ulong_t, byte_t *, ulong_t *);
    ulong_t (*random)(ulong_t, byte_t *, ulong_t);
    ulong_t slot, session, key;
};

static void *function(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (!found) {
        fprintf(stderr, "no %s: %s\n", name, dlerror());
        exit(90);
    }
    return found;
}

static void load(struct module *m, const char *path) {
    m->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!m->library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(91);
    }
    *(void **)&m->initialize = function(m->library, "C_Initialize");
    *(void **)&m->finalize = function(m->library, "C_Finalize");
    *(void **)&m->get_slot_list = function(m->library, "C_GetSlotList");
    *(void **)&m->open_session = function(m->library, "C_OpenSession");
    *(void **)&m->close_session = function(m->library, "C_CloseSession");
    *(void **)&m->close_all_sessions = function(m->library, "C_CloseAllSessions");
    *(void **)&m->login = function(m->library, "C_Login");
    *(void **)&m->logout = function(m->library, "C_Logout");
    *(void **)&m->find_init = function(m->library, "C_FindObjectsInit");
    *(void **)&m->find = function(m->library, "C_FindObjects");
    *(void **)&m->find_final = function(m->library, "C_FindObjectsFinal");
    *(void **)&m->sign_init = function(m->library, "C_SignInit");
    *(void **)&m->sign = function(m->library, "C_Sign");
    *(void **)&m->random = function(m->library, "C_GenerateRandom");
}

static void must(ulong_t rv, const char *what) {
    if (rv != OK) {
        fprintf(stderr, "%s: %#lx\n", what, rv);
        exit(92);
    }
}

/* Initialises, logs the user in on the first slot, finds the one private key. */
static void begin(struct module *m, const char *pin) {
    ulong_t count = 1, class = PRIVATE_KEY;
    struct attribute template = { CLASS, &class, sizeof class };
    must(m->initialize(NULL), "C_Initialize");
    must(m->get_slot_list(1, &m->slot, &count), "C_GetSlotList");
    must(m->open_session(m->slot, SERIAL_AND_WRITABLE, NULL, NULL, &m->session), "C_OpenSession");
    must(m->login(m->session, USER, (byte_t *)pin, strlen(pin)), "C_Login");
    must(m->find_init(m->session, &template, 1), "C_FindObjectsInit");
    must(m->find(m->session, &m->key, 1, &count), "C_FindObjects");
    must(m->find_final(m->session), "C_FindObjectsFinal");
}

/* Signs once with Ed25519. */
static ulong_t sign_once(struct module *m) {
    struct mechanism how = { EDDSA, NULL, 0 };
    byte_t data[32] = { 1 }, signature[64];
    ulong_t length = sizeof signature;
    ulong_t rv = m->sign_init(m->session, &how, m->key);
    return rv != OK ? rv : m->sign(m->session, data, sizeof data, signature, &length);
}

#endif
