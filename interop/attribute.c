/*
 * Asks a token for one attribute of a private key the way any program could, and prints the answer.
 * pkcs11-tool refuses to try ("reading private keys not supported"), which would prove nothing.
 *
 *     attribute MODULE TOKEN-LABEL ID-BYTE ATTRIBUTE     the PIN is read from USER_PIN
 *
 * Exit 0: the value was handed out. 3: CKR_ATTRIBUTE_SENSITIVE. 4: no such attribute.
 * 1: anything else.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long number;
struct attribute { number type; void *value; number len; };

static void *library;

static void *function(const char *name)
{
    void *found = dlsym(library, name);
    if (!found) { fprintf(stderr, "the module has no %s\n", name); exit(1); }
    return found;
}

static void check(const char *what, number rv)
{
    if (rv) { fprintf(stderr, "%s: 0x%lx\n", what, rv); exit(1); }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: attribute MODULE TOKEN-LABEL ID ATTRIBUTE\n", stderr);
        return 2;
    }
    const char *pin = getenv("USER_PIN");
    number id_number = strtoul(argv[3], NULL, 16), wanted = strtoul(argv[4], NULL, 16);
    library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library || !pin) { fprintf(stderr, "%s\n", library ? "no USER_PIN" : dlerror()); return 1; }

    number (*initialize)(void *) = function("C_Initialize");
    number (*finalize)(void *) = function("C_Finalize");
    number (*slot_list)(unsigned char, number *, number *) = function("C_GetSlotList");
    number (*token_info)(number, void *) = function("C_GetTokenInfo");
    number (*open_session)(number, number, void *, void *, number *) = function("C_OpenSession");
    number (*login)(number, number, const char *, number) = function("C_Login");
    number (*find_init)(number, struct attribute *, number) = function("C_FindObjectsInit");
    number (*find)(number, number *, number, number *) = function("C_FindObjects");
    number (*find_final)(number) = function("C_FindObjectsFinal");
    number (*get)(number, number, struct attribute *, number) = function("C_GetAttributeValue");

    check("C_Initialize", initialize(NULL));
    number slots[64], num_slots = 64, slot = 0, session, key, found = 0;
    int seen = 0;
    check("C_GetSlotList", slot_list(1, slots, &num_slots));
    for (number i = 0; i < num_slots && !seen; i++) {
        char info[512] = {0};               /* CK_TOKEN_INFO opens with the 32-byte padded label */
        check("C_GetTokenInfo", token_info(slots[i], info));
        size_t len = strlen(argv[2]);
        seen = len <= 32 && !memcmp(info, argv[2], len) && strspn(info + len, " ") >= 32 - len;
        slot = slots[i];
    }
    if (!seen) { fprintf(stderr, "no token %s\n", argv[2]); return 1; }
    check("C_OpenSession", open_session(slot, 4, NULL, NULL, &session));
    check("C_Login", login(session, 1, pin, strlen(pin)));

    number private_key = 3;
    unsigned char id = (unsigned char)id_number;
    struct attribute which[] = { { 0x000, &private_key, sizeof private_key }, { 0x102, &id, 1 } };
    check("C_FindObjectsInit", find_init(session, which, 2));
    check("C_FindObjects", find(session, &key, 1, &found));
    check("C_FindObjectsFinal", find_final(session));
    if (found != 1) { fputs("no such private key\n", stderr); return 1; }

    static unsigned char room[8192];
    struct attribute asked = { wanted, room, sizeof room };
    number rv = get(session, key, &asked, 1);
    finalize(NULL);
    printf("attribute 0x%lx of private key %02x: rv 0x%lx, %ld bytes\n", wanted, id, rv,
           (long)asked.len);
    for (size_t i = 0; rv && i < sizeof room; i++)
        if (room[i]) { fputs("refused, but bytes were written\n", stderr); return 1; }
    return rv == 0 ? 0 : rv == 0x11 ? 3 : rv == 0x12 ? 4 : 1;
}
