/* text=0x80100000 F=0x80100400 T=0x80a00100 */
bl F                              /* branch F */
bne F                             /* branch F */
bl F+4
movw r3, #:lower16:T
movw r4, #:lower16:(T+4)
movt r3, #:upper16:T              /* address T */
movt r4, #:upper16:T              /* address T+4 */
movt r5, #:upper16:T
ldr r0, [r3, #8]                  /* address T+8 */
mov r3, #0
ldr r0, [r3, #8]
ldr r6, 1f
ldr r0, [r6, #4]                  /* address T+4 */
bx lr
1: .word T                        /* address T */
.word T-1
