/* text=0xffffffff80000000 F=0xffffffff80000400 T=0xffffffff80a00100 */
.option norelax
.option norvc
jal ra,F                          /* branch F */
1: auipc ra,%pcrel_hi(F)
jalr ra,%pcrel_lo(1b)(ra)         /* branch F */
jal ra,F+4
2: auipc s0,%pcrel_hi(T)
addi s0,s0,%pcrel_lo(2b)          /* address T */
3: auipc a5,%pcrel_hi(T+8)
ld a0,%pcrel_lo(3b)(a5)           /* address T+8 */
4: auipc a4,%pcrel_hi(T)
li a4,5
addi a4,a4,%pcrel_lo(4b)
5: auipc a3,%pcrel_hi(T+0x19)
sd a1,%pcrel_lo(5b)(a3)
.option rvc
c.ld a0,8(s0)                     /* address T+8 */
c.lw a0,4(s0)                     /* address T+4 */
c.addi s0,4                       /* address T+4 */
c.j F                             /* branch F */
c.mv s0,a0
c.ld a0,8(s0)
c.beqz a0,6f
6: c.nop
