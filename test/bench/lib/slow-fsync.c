/* Preloaded by latency.mjs: every flush to disk takes ten milliseconds longer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static void longer(void) {
  struct timespec ten_ms = {0, 10 * 1000 * 1000};
  nanosleep(&ten_ms, 0);
}

int fsync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  longer();
  return real(fd);
}

int fdatasync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  longer();
  return real(fd);
}
