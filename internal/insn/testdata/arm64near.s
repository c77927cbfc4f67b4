/* text=0xffff800008000000 F=0xffff800008000400 T=0xffff800008000100 */
adr x0, T                         /* address T */
adr x0, T-4
ldr x1, 1f
nop
1: .word 0x08000108                /* address T+8 */
.word 0xffff8000
