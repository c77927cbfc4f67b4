/* text=0xffffffff81000000 F=0xffffffff81000040 T=0xffffffff82000100 */
call F                            /* branch F */
jmp F                             /* branch F */
jne F                             /* branch F */
call F+1
mov $T, %rax                      /* address T */
mov T+8(,%rax,8), %rbx            /* address T+8 */
cmp $T+0x18, %rbx                 /* address T+0x18 */
cmp $T+0x19, %rbx
push $T                           /* address T */
movabs $T, %rax                   /* address T */
lea T(%rip), %rdi                 /* address T */
.byte 0xeb, F-.-1           /* branch F */
jmp F+0x130
movb $1, T(%rip)                  /* address T */
movb $1, T-1(%rip)
movl $1, T+4(%rip)                /* address T+4 */
movl $1, T-4(%rip)
movw $1, T(%rip)                  /* address T */
movw $1, T-2(%rip)
testl $1, T(%rip)                 /* address T */
notl T(%rip)                      /* address T */
notl T-4(%rip)
btl $1, T(%rip)                   /* address T */
imul $1, T(%rip), %eax            /* address T */
movq $T, 8(%rsp)                  /* address T */
movq $T, 0x88(%rax)               /* address T */
movq $T, (%rax)                   /* address T */
lea T-1(%rip), %rdi
