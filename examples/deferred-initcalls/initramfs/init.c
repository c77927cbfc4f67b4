// SPDX-License-Identifier: Apache-2.0
/*
 * The first process of the example: reads /proc/deferred_initcalls twice, says what it read, and
 * restarts the machine (QEMU's -no-reboot ends it there).
 *
 * It speaks through /dev/kmsg, not the terminal: so its lines stand in the kernel's log, in their place,
 * and cannot tear one of the kernel's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFERRED "/proc/deferred_initcalls"

static int kmsg;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	char line[256] = "example: ";
	va_list args;

	va_start(args, format);
	vsnprintf(line + strlen(line), sizeof(line) - strlen(line), format, args);
	va_end(args);
	if (write(kmsg, line, strlen(line)) < 0)
		_exit(1);
}

static void read_once(const char *which)
{
	char text[16];
	ssize_t n;
	int fd = open(DEFERRED, O_RDONLY);

	if (fd < 0) {
		say("%s: %s", DEFERRED, strerror(errno));
		return;
	}
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0) {
		say("%s read: %s", which, strerror(errno));
	} else {
		text[n] = 0;
		text[strcspn(text, "\n")] = 0;
		say("%s read: '%s'", which, text);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	kmsg = open("/dev/kmsg", O_WRONLY);
	mount("proc", "/proc", "proc", 0, NULL);
	say("user space runs");
	/* An initcall that goes wrong kills the process that reads, which must not be this one. */
	if (argc > 1 && !strcmp(argv[1], "both")) { /* at once: the calls must still run once */
		for (int i = 0; i < 2; i++)
			if (!fork()) {
				read_once(i ? "b" : "a");
				_exit(0);
			}
	} else if (!fork()) {
		read_once("first");
		read_once("second");
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	say("done");
	reboot(RB_AUTOBOOT);
	return 1;
}
