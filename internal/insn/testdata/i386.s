/* text=0xc1000000 F=0xc1000040 T=0xc2000100 */
call F                            /* branch F */
jmp F+0x1000
je F+0x1001
mov $T, %eax                      /* address T */
mov T+4, %ecx                     /* address T+4 */
mov T+4, %eax                     /* address T+4 */
mov T(,%eax,4), %edx              /* address T */
cmp $T+0x18, %ebx                 /* address T+0x18 */
movl $T, 4(%esp)                  /* address T */
movl $T, T+8                      /* address T+8 */ /* address T */
push $T                           /* address T */
movl $1, T-1
