// Preloaded into the gateway: a device that fails. While the file named by $FAILING_DISK_SWITCH exists,
// fdatasync and fsync of a file below $FAILING_DISK_DIRECTORY fail with EIO, and, when the file holds
// a `w`, writes to it too.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_below(int descriptor) {
    const char* directory = getenv("FAILING_DISK_DIRECTORY");
    char link[64];
    char path[PATH_MAX];
    if (directory == NULL) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = '\0';
    return strncmp(path, directory, strlen(directory)) == 0;
}

// What the switch says: 0 off, 's' syncs fail, 'w' writes fail too.
static char state(void) {
    const char* name = getenv("FAILING_DISK_SWITCH");
    if (name == NULL || access(name, F_OK) != 0) return 0;
    char told = 's';
    const int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        if (read(file, &told, 1) != 1) told = 's';
        close(file);
    }
    return told;
}

static int fails(int descriptor, int is_write) {
    const char told = state();
    if (told == 0 || (is_write && told != 'w') || !is_below(descriptor)) return 0;
    errno = EIO;
    return 1;
}

int fdatasync(int descriptor) {
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return fails(descriptor, 0) ? -1 : real(descriptor);
}

int fsync(int descriptor) {
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return fails(descriptor, 0) ? -1 : real(descriptor);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
    static ssize_t (*real)(int, const void*, size_t);
    if (real == NULL) real = (ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
    return fails(descriptor, 1) ? -1 : real(descriptor, bytes, count);
}
