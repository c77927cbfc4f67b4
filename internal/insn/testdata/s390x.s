/* text=0x100000 F=0x100400 T=0xa00100 */
brasl %r14,F                      /* branch F */
jg F                              /* branch F */
jne F                             /* branch F */
brcl 0,F
brasl %r14,F+2
larl %r1,T                        /* address T */
lgrl %r1,T+8                      /* address T+8 */
larl %r1,T+0x1a
larl %r1,T-2
