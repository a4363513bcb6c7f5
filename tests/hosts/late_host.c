/* late_host MODULE PIN LIBRARY ORDER: loads a library that calls the module in its destructor,
 * before or after the module itself. */
#include "host.h"

int main(int count, char **arguments) {
    void *library;
    void (*use_module)(const char *, const char *);
    if (count != 5) return 64;
    if (!strcmp(arguments[4], "module-first") && !dlopen(arguments[1], RTLD_NOW)) return 65;
    library = dlopen(arguments[3], RTLD_NOW);
    if (!library) return 66;
    *(void **)&use_module = function(library, "use_module");
    use_module(arguments[1], arguments[2]);
    return 0;
}
