/* text=0xffffffff80100000 F=0xffffffff80100400 T=0xa80000000107f4b0 */
.set noreorder
.set noat
jal F                             /* branch F */
nop
lui $2,%highest(T)
daddiu $2,$2,%higher(T)
dsll $2,$2,16
daddiu $2,$2,%hi(T)
dsll $2,$2,16
daddiu $2,$2,%lo(T)               /* address T */
lui $3,%highest(T)
lui $4,%hi(T)
daddiu $3,$3,%higher(T)
daddiu $4,$4,%lo(T+8)
dsll32 $3,$3,0
daddu $3,$3,$4                    /* address T+8 */
dsll32 $3,$3,1
daddu $3,$3,$4
