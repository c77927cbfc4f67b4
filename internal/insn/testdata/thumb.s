/* text=0x80100000 F=0x80100400 T=0x80a00100 */
.syntax unified
.thumb
.thumb_func
S:
.thumb_set F, S+0x400
bl F                              /* branch F */
b.w F                             /* branch F */
bne.w F                           /* branch F */
nop
bl S+0x404
movw r3, #:lower16:T
movw r8, #:lower16:(T+4)
movt r3, #:upper16:T              /* address T */
movt r8, #:upper16:T              /* address T+4 */
movt r5, #:upper16:T
