// Preloaded into the gateway: a name whose address changes. $CHANGING_NAME resolves to the address that
// stands in the file $CHANGING_NAME_FILE at that moment; every other name as always.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*Resolver)(
    const char*, const char*, const struct addrinfo*, struct addrinfo**
);

int getaddrinfo(
    const char* node, const char* service, const struct addrinfo* hints, struct addrinfo** result
) {
    static Resolver real;
    const char* name = getenv("CHANGING_NAME");
    const char* file_name = getenv("CHANGING_NAME_FILE");
    char address[64] = "";
    if (real == NULL) real = (Resolver)dlsym(RTLD_NEXT, "getaddrinfo");
    if (node == NULL || name == NULL || file_name == NULL || strcmp(node, name) != 0) {
        return real(node, service, hints, result);
    }
    FILE* file = fopen(file_name, "re");
    if (file == NULL) return EAI_AGAIN;
    const int found = fscanf(file, "%63s", address);
    fclose(file);
    return found == 1 ? real(address, service, hints, result) : EAI_AGAIN;
}
