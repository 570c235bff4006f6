/*
 * For LD_PRELOAD: fsync and fdatasync fail with EIO while OBJECTSTORE_TEST_EIO is "1". A file that is forced to the disk once
 * more after it has failed, by the same descriptor, is told on standard error: the kernel would say that all is well.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char failed[65536];

static int fails(int fd) {
  static const char again[] = "forced again after it had failed\n";
  if (fd >= 0 && fd < (int)sizeof failed && failed[fd] && write(2, again, sizeof again - 1) < 0) abort();
  const char *armed = getenv("OBJECTSTORE_TEST_EIO");
  if (armed == NULL || strcmp(armed, "1") != 0) return 0;
  if (fd >= 0 && fd < (int)sizeof failed) failed[fd] = 1;
  errno = EIO;
  return 1;
}

int fsync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return fails(fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return fails(fd) ? -1 : real(fd);
}

static int opened(int fd) {
  if (fd >= 0 && fd < (int)sizeof failed) failed[fd] = 0;
  return fd;
}

int open(const char *path, int flags, mode_t mode) {
  int (*real)(const char *, int, mode_t) = (int (*)(const char *, int, mode_t))dlsym(RTLD_NEXT, "open");
  return opened(real(path, flags, mode));
}

int open64(const char *path, int flags, mode_t mode) {
  int (*real)(const char *, int, mode_t) = (int (*)(const char *, int, mode_t))dlsym(RTLD_NEXT, "open64");
  return opened(real(path, flags, mode));
}
