# The payload of the accelerator probe: a boot sector that goes through what a
# stock 64-bit kernel needs and then says so. It enters long mode with paging,
# does what has been seen to fail where KVM is present and yet does not work
# (LOCK CMPXCHG16B, FXSAVE and FXRSTOR), counts to thirty million, which takes
# an emulated ring 0 longer than the deadline, writes CAIRN to the first serial
# port and ends QEMU through isa-debug-exit with status 33.
#
#   as --32 -o probe.o probe.S
#   objcopy -O binary -j .text probe.o probe.bin
#
# probe.bin is what these two commands make; a test repeats them.

        .text
        .code16
start:  cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp

        # One 2 MiB page, mapped to itself: tables at 0x1000, 0x2000, 0x3000.
        cld
        xorl    %eax, %eax
        movw    $0x1000, %di
        movw    $0xc00, %cx
        rep stosl
        movl    $0x2003, 0x1000
        movl    $0x3003, 0x2000
        movl    $0x0083, 0x3000

        movl    $0x1000, %eax
        movl    %eax, %cr3
        movl    %cr4, %eax
        orl     $0x220, %eax            # PAE, OSFXSR
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx       # EFER
        rdmsr
        orl     $0x100, %eax            # LME
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000001, %eax       # PG, PE
        andl    $0xfffffffb, %eax       # not EM: FXSAVE is real
        movl    %eax, %cr0
        lgdtl   table - start + 0x7c00
        ljmpl   $8, $(long - start + 0x7c00)

        # In 64-bit code, by its bytes, because one section is assembled as 32-bit.
        .code32
long:   .byte   0xbe; .long 0x6000              # mov    $0x6000, %esi
        .byte   0xf0, 0x48, 0x0f, 0xc7, 0x0e    # lock cmpxchg16b (%rsi)
        .byte   0xbe; .long 0x7000              # mov    $0x7000, %esi
        .byte   0x0f, 0xae, 0x06                # fxsave  (%rsi)
        .byte   0x0f, 0xae, 0x0e                # fxrstor (%rsi)
        .byte   0xb9; .long 30000000            # mov    $30000000, %ecx
        .byte   0xff, 0xc9                      # 1: dec %ecx
        .byte   0x75, 0xfc                      # jnz    1b
        .byte   0xbe; .long words - start + 0x7c00      # mov $words, %esi
        .byte   0x66, 0xba; .word 0x3f8         # mov    $0x3f8, %dx
        .byte   0xb9; .long 6                   # mov    $6, %ecx
        .byte   0xf3, 0x6e                      # rep outsb
        .byte   0xb0, 0x10                      # mov    $0x10, %al
        .byte   0xe6, 0xf4                      # out    %al, $0xf4
        .byte   0xf4                            # hlt

words:  .ascii  "CAIRN\n"
        .balign 8
gdt:    .quad   0
        .quad   0x00209a0000000000              # 64-bit code
table:  .word   15
        .long   gdt - start + 0x7c00

        .org    510
        .word   0xaa55
