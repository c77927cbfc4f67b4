/* text=0x80100000 F=0x80100400 T=0x80f1c94c */
.set noreorder
jal F                             /* branch F */
lui $2,%hi(T)
j F                               /* branch F */
nop
lui $16,%hi(T)
lui $17,%hi(T)
addiu $16,$16,%lo(T)              /* address T */
lw $2,%lo(T+8)($17)               /* address T+8 */
lw $2,%lo(T+0x1c)($17)
jal F+4
addiu $17,$17,%lo(T)              /* address T */
lui $3,%hi(T)
beq $4,$0,1f
lui $5,%hi(T)
move $3,$0
jr $31
nop
1: addiu $3,$3,%lo(T)             /* address T */
addiu $5,$5,%lo(T)                /* address T */
lui $6,%hi(T)
jr $31
nop
addiu $6,$6,%lo(T)
