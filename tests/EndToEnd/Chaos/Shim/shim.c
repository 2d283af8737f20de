// What the tests put under a node's process: a clock that runs at another rate, and a disk that loses what was not synced.
//
// As a library (built as libc.so, loaded by LD_PRELOAD, and found first by LD_LIBRARY_PATH when .NET looks for "libc" by itself):
//   RS_SHIM_RATE=1.05     every clock of the process runs so much faster; waits until a moment are translated back
//   RS_SHIM_UNDO=FILE     before a file under RS_SHIM_FOLDER is written, what stands there goes into FILE; what fsync or fdatasync covered is noted there too
//   RS_SHIM_FOLDER=DIR
//   RS_SHIM_SLOW=5000     fsync and fdatasync take up to so many microseconds more, so that there is something not synced when the power goes
//   RS_SHIM_LIE=FILE      while FILE is there, fsync and fdatasync do nothing and say that they did: a planted fault
// FILE outlives SIGKILL (it is in the page cache), so whoever killed the process can play the power cut afterwards:
//
// As a program (built with -DSHIM_TOOL): undo FILE DIR SEED KEEP
//   puts back what stood under the writes that were not synced, page by page: a page keeps its new bytes with a chance of KEEP percent, so that writes
//   arrive out of order and in part, as sectors do. Prints "reverted kept". Names, sizes and the WAL with its index (never trusted after a crash) are left alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { WRITTEN = 1, SYNCED = 2, PAGE = 4096 };

struct note {
  uint32_t kind, had;            // had: bytes that follow; the rest of `length` was zeros or beyond the file's end
  uint64_t file, born;           // inode and its time of birth, since inodes are used again
  uint64_t offset, length;
  uint64_t number;               // of a write: its own; of a sync: the last write that it covers
};

static int identify(int fd, uint64_t *file, uint64_t *born, uint64_t *size) {
  struct statx s;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &s) != 0 || !S_ISREG(s.stx_mode)) return 0;
  *file = s.stx_ino; *size = s.stx_size;
  *born = s.stx_mask & STATX_BTIME ? s.stx_btime.tv_sec * 1000000000ull + s.stx_btime.tv_nsec : 0;
  return 1;
}

#ifndef SHIM_TOOL

static struct {
  ssize_t (*pwrite)(int, const void *, size_t, off_t);
  ssize_t (*pwritev)(int, const struct iovec *, int, off_t);
  int (*fsync)(int);
  int (*fdatasync)(int);
  int (*clock_gettime)(clockid_t, struct timespec *);
  int (*cond_timedwait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
  int (*cond_clockwait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
} real;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static double rate = 1;
static struct timespec start[16];
static int undo = -1;
static const char *lie;
static unsigned long slow;
static char folder[PATH_MAX];
static size_t folder_length;
static uint64_t writes; // under gate

static void *versioned(const char *name, const char *version) {
  void *found = dlvsym(RTLD_NEXT, name, version);
  return found ? found : dlsym(RTLD_NEXT, name);
}

static void init(void) {
  real.pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real.pwritev = dlsym(RTLD_NEXT, "pwritev64");
  real.fsync = dlsym(RTLD_NEXT, "fsync");
  real.fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real.clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  real.cond_timedwait = versioned("pthread_cond_timedwait", "GLIBC_2.3.2"); // there is an older one that takes another structure
  real.cond_clockwait = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
  for (int clock = 0; clock < 16; clock++) real.clock_gettime(clock, &start[clock]);
  const char *text = getenv("RS_SHIM_RATE");
  if (text) rate = strtod(text, NULL);
  lie = getenv("RS_SHIM_LIE");
  text = getenv("RS_SHIM_SLOW");
  if (text) slow = strtoul(text, NULL, 10);
  text = getenv("RS_SHIM_FOLDER");
  const char *file = getenv("RS_SHIM_UNDO");
  if (text && file && realpath(text, folder)) {
    folder_length = strlen(folder);
    undo = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (undo < 0) { perror(file); abort(); }
  }
}

__attribute__((constructor)) static void ready(void) { pthread_once(&once, init); }

static int scaled(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME: case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_RAW: case CLOCK_REALTIME_COARSE: case CLOCK_MONOTONIC_COARSE: case CLOCK_BOOTTIME: return rate != 1;
    default: return 0;
  }
}

static struct timespec convert(struct timespec t, clockid_t clock, double by) {
  struct timespec from = start[clock];
  double passed = ((double)(t.tv_sec - from.tv_sec) * 1e9 + (double)(t.tv_nsec - from.tv_nsec)) * by;
  int64_t nanoseconds = from.tv_nsec + (int64_t)passed;
  t.tv_sec = from.tv_sec + nanoseconds / 1000000000; t.tv_nsec = nanoseconds % 1000000000;
  if (t.tv_nsec < 0) { t.tv_nsec += 1000000000; t.tv_sec--; }
  return t;
}

int clock_gettime(clockid_t clock, struct timespec *t) {
  pthread_once(&once, init);
  int result = real.clock_gettime(clock, t);
  if (result == 0 && scaled(clock)) *t = convert(*t, clock, rate);
  return result;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
  pthread_once(&once, init);
  if (rate == 1) return real.cond_timedwait(condition, mutex, until);
  // Which clock the condition goes by cannot be asked; a moment of the calendar is far beyond any time since boot.
  struct timespec when = convert(*until, until->tv_sec > 1000000000 ? CLOCK_REALTIME : CLOCK_MONOTONIC, 1 / rate);
  return real.cond_timedwait(condition, mutex, &when);
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until) {
  pthread_once(&once, init);
  if (!scaled(clock)) return real.cond_clockwait(condition, mutex, clock, until);
  struct timespec when = convert(*until, clock, 1 / rate);
  return real.cond_clockwait(condition, mutex, clock, &when);
}

static int ends(const char *name, size_t length, const char *end) {
  size_t n = strlen(end);
  return length >= n && memcmp(name + length - n, end, n) == 0;
}

static int watched(int fd) {
  char link[64], name[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, name, sizeof name);
  return n > (ssize_t)folder_length && memcmp(name, folder, folder_length) == 0 && name[folder_length] == '/' && !ends(name, n, "-wal") && !ends(name, n, "-shm");
}

static void say(const struct note *note, const void *bytes) {
  struct iovec parts[2] = { { (void *)note, sizeof *note }, { (void *)bytes, note->had } };
  if (writev(undo, parts, 2) != (ssize_t)(sizeof *note + note->had)) { perror("shim: undo"); abort(); }
}

// Under gate: notes what stands where something is about to be written.
static void before(int fd, uint64_t length, off_t offset) {
  uint64_t file, born, size;
  if (length == 0 || !identify(fd, &file, &born, &size) || !watched(fd)) return;
  struct note note = { WRITTEN, 0, file, born, offset, length, ++writes };
  char *old = malloc(length);
  ssize_t had = 0, got;
  while (old && (uint64_t)had < length && (got = pread(fd, old + had, length - had, offset + had)) > 0) had += got;
  while (had > 0 && old[had - 1] == 0) had--; // zeros at the end need no bytes
  note.had = had;
  say(&note, old);
  free(old);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) {
  pthread_once(&once, init);
  if (undo < 0) return real.pwrite(fd, bytes, length, offset);
  pthread_mutex_lock(&gate);
  before(fd, length, offset);
  ssize_t result = real.pwrite(fd, bytes, length, offset);
  int error = errno;
  pthread_mutex_unlock(&gate);
  errno = error;
  return result;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) {
  pthread_once(&once, init);
  if (undo < 0) return real.pwritev(fd, parts, count, offset);
  uint64_t length = 0;
  for (int i = 0; i < count; i++) length += parts[i].iov_len;
  pthread_mutex_lock(&gate);
  before(fd, length, offset);
  ssize_t result = real.pwritev(fd, parts, count, offset);
  int error = errno;
  pthread_mutex_unlock(&gate);
  errno = error;
  return result;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { return pwritev64(fd, parts, count, offset); }

static int sync_by(int (*call)(int), int fd) {
  int lies = lie && access(lie, F_OK) == 0;
  if (undo < 0) return lies ? 0 : call(fd);
  struct note note = { SYNCED, 0, 0, 0, 0, 0, 0 };
  uint64_t size;
  int is_file = identify(fd, &note.file, &note.born, &size);
  if (is_file && lies) return 0;
  pthread_mutex_lock(&gate);
  note.number = writes;
  pthread_mutex_unlock(&gate);
  if (slow) usleep(note.number * 2654435761u % slow);
  int result = call(fd);
  int error = errno;
  if (result == 0 && is_file) {
    pthread_mutex_lock(&gate);
    say(&note, "");
    pthread_mutex_unlock(&gate);
  }
  errno = error;
  return result;
}

int fsync(int fd) { pthread_once(&once, init); return sync_by(real.fsync, fd); }

int fdatasync(int fd) { pthread_once(&once, init); return sync_by(real.fdatasync, fd); }

#else

static struct { uint64_t file, born; char *path; } files[65536];
static int file_count;

static int found(const char *path, const struct stat *s, int type, struct FTW *f) {
  (void)s; (void)f;
  int fd;
  uint64_t size;
  if (type == FTW_F && file_count < 65536 && (fd = open(path, O_RDONLY)) >= 0) {
    if (identify(fd, &files[file_count].file, &files[file_count].born, &size)) files[file_count++].path = strdup(path);
    close(fd);
  }
  return 0;
}

static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

int main(int count, char **words) {
  if (count != 5) { fprintf(stderr, "undo FILE DIR SEED KEEP\n"); return 2; }
  uint64_t seed = strtoull(words[3], NULL, 10), keep = strtoull(words[4], NULL, 10), reverted = 0, kept = 0;
  FILE *log = fopen(words[1], "rb");
  if (!log) { puts("0 0"); return 0; }
  fseek(log, 0, SEEK_END);
  long end = ftell(log), size = 0, notes = 0;
  rewind(log);
  char *bytes = malloc(end + 1);
  if (!bytes || fread(bytes, 1, end, log) != (size_t)end) { perror(words[1]); return 1; }
  struct note **all = calloc(end / sizeof(struct note) + 1, sizeof *all);
  while (size + (long)sizeof(struct note) <= end) { // the last one may be torn: nothing was written yet then
    struct note *note = (struct note *)(bytes + size);
    if (size + (long)sizeof *note + note->had > end) break;
    all[notes++] = note;
    size += sizeof *note + note->had;
  }
  nftw(words[2], found, 64, FTW_PHYS);
  for (int i = 0; i < file_count; i++) {
    uint64_t synced = 0;
    int fd = -1;
    for (long n = notes - 1; n >= 0; n--) { // backwards, so that of writes over each other the oldest state comes last
      struct note *note = all[n];
      if (note->file != files[i].file || note->born != files[i].born) continue;
      if (note->kind == SYNCED) { if (note->number > synced) synced = note->number; continue; }
      if (note->number <= synced) continue;
      if (fd < 0 && (fd = open(files[i].path, O_RDWR)) < 0) { perror(files[i].path); return 1; }
      const char *old = (const char *)(note + 1);
      for (uint64_t at = 0; at < note->length;) {
        uint64_t page = (note->offset + at) / PAGE, to = (page + 1) * PAGE - note->offset;
        if (to > note->length) to = note->length;
        if (mix(seed ^ mix(note->file) ^ mix(page + 1)) % 100 < keep) kept++;
        else {
          char piece[PAGE] = { 0 };
          if (at < note->had) memcpy(piece, old + at, (to < note->had ? to : note->had) - at);
          if (pwrite(fd, piece, to - at, note->offset + at) == (ssize_t)(to - at)) reverted++;
          else if (errno == ENOSPC) kept++; // the disk is full, and there was nothing here before
          else { perror(files[i].path); return 1; }
        }
        at = to;
      }
    }
    if (fd >= 0) close(fd);
  }
  printf("%llu %llu\n", (unsigned long long)reverted, (unsigned long long)kept);
  return 0;
}

#endif
