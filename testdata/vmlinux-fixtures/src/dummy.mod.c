/* What modpost adds to a module. */
#include "kernel.h"

int init_module(void);
void cleanup_module(void);

/* On 64 bits the size of Debian 6.1's struct, init at 0x138, exit at 0x350. */
struct module {
	long state;
	long list[2];
	char name[64 - sizeof(long)];
	long before_init[29];
	int (*init)(void);
	long before_exit[66];
	void (*exit)(void);
	long rest[5];
};

struct module __this_module __section(".gnu.linkonce.this_module") = {
	.name = "dummy",
	.init = init_module,
	.exit = cleanup_module,
};

static const char name[] __used __section(".modinfo") = "name=dummy";
static const char vermagic[] __used __section(".modinfo") =
	"vermagic=" RELEASE " SMP preempt mod_unload ";
