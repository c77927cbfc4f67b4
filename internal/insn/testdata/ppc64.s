/* text=0xc000000000008000 F=0xc000000000008400 T=0xc000000001000100 */
.set T, 0xc000000001000100
.set TOC, 0xc000000001148100
bl F                              /* branch F */
beq F                             /* branch F */
bl F+8                            /* branch F+8 */
bl F+12
addis 9,2,(T-TOC)@ha
addi 31,9,(T-TOC)@l             /* address T */
ld 10,(T+8-TOC)@l(9)            /* address T+8 */
addi 31,9,(T+16-TOC)@l          /* address T+16 */
lwz 3,-20(31)
ld 3,-8(31)                       /* address T+8 */
addis 8,2,(T-TOC)@ha
mr 8,4
ld 10,(T-TOC)@l(8)
lis 5,T@highest
ori 5,5,T@higher
sldi 5,5,32
oris 5,5,T@high
ori 5,5,T@l                       /* address T */
addis 9,2,(T-TOC)@ha
blr
addi 9,9,(T-TOC)@l
