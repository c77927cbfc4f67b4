/* text=0xffff800008000000 F=0xffff800008000400 T=0xffff800009000100 */
bl F                              /* branch F */
b.ne F                            /* branch F */
cbz x0, F                         /* branch F */
tbz x0, #3, F                     /* branch F */
bl F+4
adrp x0, T
adrp x1, T
add x0, x0, :lo12:T               /* address T */
ldr x2, [x1, :lo12:T+8]           /* address T+8 */
add x1, x1, :lo12:T+0x1c
adrp x3, T
mov x3, x4
ldr x2, [x3, #0x100]
adrp x19, T
cbz x0, 1f
mov x19, #0
ret
1: add x19, x19, :lo12:T          /* address T */
ldr w1, [x19, #4]                 /* address T+4 */
ldp x1, x2, [x19, #16]            /* address T+16 */
sub x5, x19, #0x100
adrp x20, T
ret
add x20, x20, :lo12:T
