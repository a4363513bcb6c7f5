/* A module of somebody else's: every name of ours, and each call answers 0x80000042. */
#define OURS(name) unsigned long name(void) { return 0x80000042UL; }
#include "names.h"
