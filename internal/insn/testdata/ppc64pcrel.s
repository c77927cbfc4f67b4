/* text=0xc000000000008000 F=0xc000000000008400 T=0xc000000001000100 */
.machine power10
paddi 3,0,T@pcrel,1                   /* address T */
paddi 3,0,T-1@pcrel,1
