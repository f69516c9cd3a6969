/**
 * The code of the reaper, instruction by instruction, as an assembler makes it of the text beside it. Both do the
 * same; the numbers of calls differ.
 *
 * - Becomes the one to whom orphaned descendants are given (`prctl` 36), and takes no signal (`rt_sigprocmask`).
 * - Forks (`clone`). The child takes signals again, closes descriptor 3, and becomes the program of the arguments.
 * - The parent closes 0, 1 and 2 and waits for any child (`wait4`). When it is the first one, its status goes to
 *   descriptor 3 (`write`), which is closed then. When there is none any more, it ends.
 */

/** For x86_64. */
export const X64_CODE: readonly string[] = [
  // start:
  "488b1c24", // mov rbx,[rsp]
  "4c8d6c2408", // lea r13,[rsp+0x8]
  "4d8d74dd08", // lea r14,[r13+rbx*8+0x8]
  "4883ec10", // sub rsp,0x10
  "48c70424ffffffff", // mov [rsp],0xffffffffffffffff
  "bf24000000", // mov edi,0x24
  "be01000000", // mov esi,0x1
  "31d2", // xor edx,edx
  "4531d2", // xor r10d,r10d
  "4531c0", // xor r8d,r8d
  "b89d000000", // mov eax,0x9d
  "0f05", // syscall
  "bf02000000", // mov edi,0x2
  "4889e6", // mov rsi,rsp
  "31d2", // xor edx,edx
  "41ba08000000", // mov r10d,0x8
  "b80e000000", // mov eax,0xe
  "0f05", // syscall
  "bf11000000", // mov edi,0x11
  "31f6", // xor esi,esi
  "31d2", // xor edx,edx
  "4531d2", // xor r10d,r10d
  "4531c0", // xor r8d,r8d
  "b838000000", // mov eax,0x38
  "0f05", // syscall
  "85c0", // test eax,eax
  "747c", // je child
  "7865", // js fail
  "4189c4", // mov r12d,eax
  "31ff", // xor edi,edi
  "b803000000", // mov eax,0x3
  "0f05", // syscall
  "bf01000000", // mov edi,0x1
  "b803000000", // mov eax,0x3
  "0f05", // syscall
  "bf02000000", // mov edi,0x2
  "b803000000", // mov eax,0x3
  "0f05", // syscall
  // next:
  "48c7c7ffffffff", // mov rdi,0xffffffffffffffff
  "4889e6", // mov rsi,rsp
  "31d2", // xor edx,edx
  "4531d2", // xor r10d,r10d
  "b83d000000", // mov eax,0x3d
  "0f05", // syscall
  "85c0", // test eax,eax
  "7833", // js end
  "4439e0", // cmp eax,r12d
  "75e1", // jne next
  "bf03000000", // mov edi,0x3
  "4889e6", // mov rsi,rsp
  "ba04000000", // mov edx,0x4
  "b801000000", // mov eax,0x1
  "0f05", // syscall
  "bf03000000", // mov edi,0x3
  "b803000000", // mov eax,0x3
  "0f05", // syscall
  "ebbf", // jmp next
  // fail:
  "bf7e000000", // mov edi,0x7e
  "b8e7000000", // mov eax,0xe7
  "0f05", // syscall
  // end:
  "31ff", // xor edi,edi
  "b8e7000000", // mov eax,0xe7
  "0f05", // syscall
  // child:
  "48c7042400000000", // mov [rsp],0x0
  "bf02000000", // mov edi,0x2
  "4889e6", // mov rsi,rsp
  "31d2", // xor edx,edx
  "41ba08000000", // mov r10d,0x8
  "b80e000000", // mov eax,0xe
  "0f05", // syscall
  "bf03000000", // mov edi,0x3
  "b803000000", // mov eax,0x3
  "0f05", // syscall
  "498b7d08", // mov rdi,[r13+0x8]
  "498d7508", // lea rsi,[r13+0x8]
  "4c89f2", // mov rdx,r14
  "b83b000000", // mov eax,0x3b
  "0f05", // syscall
  "bf7f000000", // mov edi,0x7f
  "b8e7000000", // mov eax,0xe7
  "0f05", // syscall
];

/** For aarch64. */
export const ARM64_CODE: readonly string[] = [
  // start:
  "f30340f9", // ldr x19, [sp]
  "f4230091", // add x20, sp, 0x8
  "950e138b", // add x21, x20, x19, lsl #3
  "b5220091", // add x21, x21, 0x8
  "ff4300d1", // sub sp, sp, 0x10
  "00008092", // mov x0, 0xffffffffffffffff
  "e00300f9", // str x0, [sp]
  "800480d2", // mov x0, 0x24
  "210080d2", // mov x1, 0x1
  "020080d2", // mov x2, 0x0
  "030080d2", // mov x3, 0x0
  "040080d2", // mov x4, 0x0
  "e81480d2", // mov x8, 0xa7
  "010000d4", // svc 0x0
  "400080d2", // mov x0, 0x2
  "e1030091", // mov x1, sp
  "020080d2", // mov x2, 0x0
  "030180d2", // mov x3, 0x8
  "e81080d2", // mov x8, 0x87
  "010000d4", // svc 0x0
  "200280d2", // mov x0, 0x11
  "010080d2", // mov x1, 0x0
  "020080d2", // mov x2, 0x0
  "030080d2", // mov x3, 0x0
  "040080d2", // mov x4, 0x0
  "881b80d2", // mov x8, 0xdc
  "010000d4", // svc 0x0
  "40040034", // cbz w0, child
  "6003f837", // tbnz w0, #31, fail
  "f603002a", // mov w22, w0
  "000080d2", // mov x0, 0x0
  "280780d2", // mov x8, 0x39
  "010000d4", // svc 0x0
  "200080d2", // mov x0, 0x1
  "010000d4", // svc 0x0
  "400080d2", // mov x0, 0x2
  "010000d4", // svc 0x0
  // next:
  "00008092", // mov x0, 0xffffffffffffffff
  "e1030091", // mov x1, sp
  "020080d2", // mov x2, 0x0
  "030080d2", // mov x3, 0x0
  "882080d2", // mov x8, 0x104
  "010000d4", // svc 0x0
  "e001f837", // tbnz w0, #31, end
  "1f00166b", // cmp w0, w22
  "01ffff54", // b.ne next
  "600080d2", // mov x0, 0x3
  "e1030091", // mov x1, sp
  "820080d2", // mov x2, 0x4
  "080880d2", // mov x8, 0x40
  "010000d4", // svc 0x0
  "600080d2", // mov x0, 0x3
  "280780d2", // mov x8, 0x39
  "010000d4", // svc 0x0
  "efffff17", // b next
  // fail:
  "c00f80d2", // mov x0, 0x7e
  "c80b80d2", // mov x8, 0x5e
  "010000d4", // svc 0x0
  // end:
  "000080d2", // mov x0, 0x0
  "c80b80d2", // mov x8, 0x5e
  "010000d4", // svc 0x0
  // child:
  "ff0300f9", // str xzr, [sp]
  "400080d2", // mov x0, 0x2
  "e1030091", // mov x1, sp
  "020080d2", // mov x2, 0x0
  "030180d2", // mov x3, 0x8
  "e81080d2", // mov x8, 0x87
  "010000d4", // svc 0x0
  "600080d2", // mov x0, 0x3
  "280780d2", // mov x8, 0x39
  "010000d4", // svc 0x0
  "800640f9", // ldr x0, [x20, #8]
  "81220091", // add x1, x20, 0x8
  "e20315aa", // mov x2, x21
  "a81b80d2", // mov x8, 0xdd
  "010000d4", // svc 0x0
  "e00f80d2", // mov x0, 0x7f
  "c80b80d2", // mov x8, 0x5e
  "010000d4", // svc 0x0
];
