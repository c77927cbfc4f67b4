# The spoilt kernels: part of the Makefile one folder up. README.md says what
# each is.

# $(call machine,NAME,ARCH,RELEASE,DEFINES,LINKER OPTIONS,ORACLE OPTIONS)
define machine
arch.$(1) := $(2)
release.$(1) := $(3)
defines.$(1) := $(4)
ldoptions.$(1) := $(5)
options.$(1) := $(6)
endef

$(eval $(call machine,amd64-prel32-6.12,amd64,6.12.0,-DPREL32 -DBASE=0xffffffff81000000,,--prel32))
$(eval $(call machine,amd64-absolute-3.10,amd64,3.10.0,-DBASE=0xffffffff81000000,,))
$(eval $(call machine,amd64-absolute-2.6.28,amd64,2.6.28,-DBASE=0xffffffff80209000,,))
$(eval $(call machine,i386-prel32-6.1,i386,6.1.0,-DPREL32 -DBASE=0xc1000000,,--prel32))
$(eval $(call machine,arm-absolute-4.9,arm,4.9.0,-DBASE=0xc0008000,,))
$(eval $(call machine,arm64-prel32-6.12,arm64,6.12.0,-DPREL32 -DBASE=0xffff800080000000,-shared -Bsymbolic -z notext -z norelro --no-apply-dynamic-relocs,--prel32))
$(eval $(call machine,mips-absolute-6.1,mips,6.1.0,-DBASE=0x80100000,,))
$(eval $(call machine,ppc64le-pie-6.1,ppc64le,6.1.0,-DKEEP_DYNAMIC -DBASE=0xc000000000000000,-pie -z notext,--rela))
$(eval $(call machine,riscv64-rela-6.12,riscv64,6.12.0,-DKEEP_DYNAMIC -DBASE=0xffffffff80000000,-shared -Bsymbolic -z notext,--rela))
$(eval $(call machine,s390x-pie-6.1,s390x,6.1.0,-DKEEP_DYNAMIC -DBASE=0x100000,-pie,--rela))
$(eval $(call machine,s390x-absolute-6.12,s390x,6.12.0,-DBASE=0x3ffe0100000,,))
# More ways to call a function.
$(eval $(call machine,arm-thumb2-4.9,arm,4.9.0,-DBASE=0xc0008000,,--thumb))
$(eval $(call machine,riscv64-relax-6.12,riscv64,6.12.0,-DKEEP_DYNAMIC -DBASE=0xffffffff80000000,-shared -Bsymbolic -z notext,--rela))
CFLAGS_riscv64_relax := -mcmodel=medany
# One whose code is not read.
$(eval $(call machine,m68k-absolute-6.1,m68k,6.1.0,-DBASE=0x1000,,))

X86 := amd64-prel32-6.12 i386-prel32-6.1
EACH := $(X86) arm-absolute-4.9 arm64-prel32-6.12 mips-absolute-6.1 \
	ppc64le-pie-6.1 riscv64-rela-6.12 s390x-pie-6.1
CALLS := $(EACH) arm-thumb2-4.9 riscv64-relax-6.12
ORIGINAL := amd64-absolute-2.6.28 amd64-absolute-3.10
SOME := amd64-prel32-6.12 arm-absolute-4.9 s390x-absolute-6.12
AMD64 := amd64-prel32-6.12
# Where a symbol without a definition needs no dynamic relocation.
STATIC := amd64-prel32-6.12 arm-absolute-4.9 mips-absolute-6.1

# $(call spoil,DEFECT,MACHINES,DEFINES,EXPECTED,LINKER OPTIONS,MORE SOURCES)
# Each of EXPECTED is RULE:SUBJECT; oracle.py knows the forms of a subject.
define spoil_one
SPOILT += spoilt/$(2)-$(1)
$$(O)/spoilt/$(2)-$(1): MACHINE := $(2)
$$(O)/spoilt/$(2)-$(1): DEFINES := $(defines.$(2)) $(3)
$$(O)/spoilt/$(2)-$(1): LDOPTIONS := $(ldoptions.$(2)) $(5)
$$(O)/spoilt/$(2)-$(1): PARTS := boot drivers $(6)
$$(B)/$(2)-$(1).rows: OPTIONS := $(options.$(2))
$$(B)/$(2)-$(1).rows: EXPECTED := $(4)
endef
spoil = $(foreach machine,$(2),$(eval $(call spoil_one,$(1),$(machine),$(3),$(4),$(5),$(6))))

DEFER := -DDEFERRED=TIM_BIRD -DTRIGGER
UNTRIGGERED := -DDEFERRED=TIM_BIRD
TABLE := __def_initcall_start
ALL_DEFERRED = $(foreach fn,piix ehci uhci,$(1):$(fn)_init@deferred)
PLACE := --orphan-handling=place

# sound
$(call spoil,plain,$(EACH) $(ORIGINAL),-DNO_DEFERRED -DFREE_DIRECT)
$(call spoil,deferred,$(CALLS) $(ORIGINAL),$(DEFER))
$(call spoil,deferred-empty,$(SOME),$(DEFER) -DNO_DEFERRED -DFREE_DIRECT)
$(call spoil,deferred-padded,$(SOME),$(DEFER) -DPADDED)
$(call spoil,deferred-spared,$(AMD64) arm-absolute-4.9,$(DEFER) -DSPARED -DFREE_DIRECT)
$(call spoil,deferred-by-data,$(SOME) arm64-prel32-6.12 s390x-pie-6.1,$(UNTRIGGERED) -DBY_DATA)
$(call spoil,deferred-by-boot,$(EACH),$(UNTRIGGERED) -DBY_BOOT)
$(call spoil,deferred-fallback,$(SOME),$(DEFER) -DFALLBACK)
$(call spoil,deferred-namesake,$(AMD64),$(DEFER),,,namesake)

# tables
$(call spoil,half,$(STATIC),$(DEFER) -DHALF -DWEAK,IS001:$(TABLE))
$(call spoil,half-console,$(AMD64),$(DEFER) -DHALF_CONSOLE -DWEAK,IS001:__con_initcall_start)
$(call spoil,reversed,$(SOME),$(DEFER) -DREVERSED,IS002:$(TABLE))
$(call spoil,reversed-console,$(AMD64),$(DEFER) -DREVERSED_CONSOLE,IS002:__con_initcall_start)
$(call spoil,empty,$(AMD64) arm-absolute-4.9,-DNO_DEFERRED -DNO_KEEP -DFREE_DIRECT,IS003:__initcall_start,--gc-sections -u start_kernel -u linux_banner)
$(call spoil,outside,$(SOME),$(DEFER) -DOUTSIDE,IS004:$(TABLE))
$(call spoil,outside-console,$(AMD64) arm-absolute-4.9,$(DEFER) -DOUTSIDE_CONSOLE,IS004:__con_initcall_start)
$(call spoil,misaligned,amd64-absolute-3.10 arm-absolute-4.9 mips-absolute-6.1,$(DEFER) -DMISALIGNED=1,IS005:__initcall_start)
$(call spoil,misaligned,s390x-absolute-6.12,$(DEFER) -DMISALIGNED=2,IS005:__initcall_start)
$(call spoil,misaligned-deferred,amd64-absolute-3.10 arm-absolute-4.9,$(DEFER) -DMISALIGNED_DEFERRED=1,IS005:$(TABLE))
$(call spoil,misaligned-deferred,s390x-absolute-6.12,$(DEFER) -DMISALIGNED_DEFERRED=2,IS005:$(TABLE))
$(call spoil,odd-size,$(SOME),$(DEFER) -DODD_SIZE,IS006:__initcall7_start)
$(call spoil,odd-size-level,$(X86),$(DEFER) -DODD_LEVEL,IS006:__initcall6_start)
$(call spoil,odd-size-inside,$(AMD64),$(DEFER) -DODD_INSIDE,IS006:__initcall6_start IS102:-@__initcall6_start+8)
$(call spoil,odd-size-deferred,$(SOME),$(DEFER) -DODD_DEFERRED,IS006:$(TABLE))
$(call spoil,level-order,$(SOME),$(DEFER) -DLEVEL_ORDER,IS007:__initcall6_start)
$(call spoil,level-missing,$(STATIC),$(DEFER) -DLEVEL_MISSING -DWEAK,IS008:__initcall3_start)
$(call spoil,folded,$(SOME) amd64-absolute-3.10,$(DEFER) -DFOLDED,IS009:$(TABLE) IS202:$(TABLE))

# entries
$(call spoil,null-entry,$(SOME) mips-absolute-6.1,$(DEFER) -DNULL_ENTRY,IS101:usb_init@6)
$(call spoil,not-code,$(SOME),$(DEFER) -DNOT_CODE,IS102:usb_init@6)
$(call spoil,nowhere,$(AMD64) arm-absolute-4.9,$(DEFER) -DNOWHERE,IS102:usb_init@6)
$(call spoil,inside,$(SOME) mips-absolute-6.1,$(DEFER) -DINSIDE,IS103:usb_init+0x4=usb_init@6)
$(call spoil,not-text,$(SOME),$(DEFER) -DNOT_TEXT,IS104:usb_exit@6)
$(call spoil,other-name,$(SOME),$(DEFER) -DOTHER_NAME,IS105:hub_init=usb_init@6)
$(call spoil,wrong-level,$(SOME) amd64-absolute-3.10,$(DEFER) -DWRONG_LEVEL,IS106:usb_init@6)
$(call spoil,lost,$(SOME) $(ORIGINAL),$(DEFER) -DLOST,IS107:usb_init@6,$(PLACE))
$(call spoil,lost-deferred,$(SOME) $(ORIGINAL),$(DEFER) -DLOST_DEFERRED,IS107:usb_init@deferred,$(PLACE))
$(call spoil,lost-level,$(SOME) $(ORIGINAL),$(DEFER) -DLOST_LEVEL,IS107:usb_init@8,$(PLACE))
$(call spoil,twice,$(AMD64) s390x-absolute-6.12,$(DEFER) -DTWICE,IS108:usb_init@6)
$(call spoil,twice-levels,$(AMD64) arm-absolute-4.9,$(DEFER) -DTWICE_LEVELS,IS108:usb_init@6)

# deferred initcalls
$(call spoil,orphan-behind,$(SOME) $(ORIGINAL),$(DEFER) -DORPHAN_BEHIND,$(call ALL_DEFERRED,IS201),$(PLACE))
$(call spoil,orphan-elsewhere,$(SOME) amd64-absolute-3.10,$(DEFER) -DORPHAN_ELSEWHERE,$(call ALL_DEFERRED,IS201),$(PLACE))
$(call spoil,orphan-unbounded,$(STATIC) amd64-absolute-3.10,$(DEFER) -DORPHAN_UNBOUNDED -DWEAK,$(call ALL_DEFERRED,IS201),$(PLACE))
$(call spoil,no-section,$(SOME) amd64-absolute-3.10,$(DEFER) -DSHARED_SECTION,IS202:$(TABLE))
$(call spoil,foreign-behind,$(SOME),$(DEFER) -DFOREIGN_BEHIND,IS203:__def_initcall_end,,tables)
$(call spoil,foreign-before,$(SOME),$(DEFER) -DFOREIGN_BEFORE,IS203:$(TABLE),,tables)
$(call spoil,foreign-around,$(SOME),$(DEFER) -DFOREIGN_AROUND,IS203:$(TABLE) IS203:__def_initcall_end,,tables)
$(call spoil,double,$(SOME) $(ORIGINAL),$(DEFER) -DDOUBLE,IS204:usb_init@deferred)
$(call spoil,unreachable,$(CALLS),$(UNTRIGGERED),IS205:$(TABLE))
$(call spoil,unreachable-mentioned,$(AMD64) s390x-absolute-6.12,$(UNTRIGGERED) -DMENTIONED,IS205:$(TABLE))
$(call spoil,early-free,$(CALLS),$(DEFER) -DFREE_DIRECT,IS206:$(TABLE))
$(call spoil,early-free-deep,$(EACH),$(DEFER) -DFREE_DEEP,IS206:$(TABLE))
$(call spoil,early-free-tail,$(CALLS),$(DEFER) -DFREE_TAIL,IS206:$(TABLE))
$(call spoil,deferred,m68k-absolute-6.1,$(DEFER),IS207:$(TABLE))
$(call spoil,early-seal,$(X86),$(DEFER) -DSEAL,IS206:$(TABLE))

$(SPOILT:%=$(O)/%): ARCH = $(arch.$(MACHINE))
$(SPOILT:%=$(O)/%): RELEASE = $(release.$(MACHINE))
$(filter $(O)/spoilt/arm-thumb2-%,$(SPOILT:%=$(O)/%)): CPU := thumb
$(filter $(O)/spoilt/riscv64-relax-%,$(SPOILT:%=$(O)/%)): CPU := riscv64_relax
$(SPOILT:%=$(O)/%): $(wildcard spoilt/src/*) $(SRC) Makefile spoilt/spoilt.mk $(B)/stamp
	@mkdir -p $(B)/$(@F) $(@D)
	for part in $(PARTS); do \
		source=src/$$part.c; [ -e $$source ] || source=spoilt/src/$$part.c; \
		$(CC) $(COMMON) -Wno-unused-function $(CFLAGS_$(CPU)) $(defines) -Isrc \
			-DKBUILD_MODNAME=$$part -c $$source -o $(B)/$(@F)/$$part.o; \
	done
	$(CC) -E -P -undef -x assembler-with-cpp $(LDS_$(ARCH)) $(defines) -Isrc \
		spoilt/src/spoilt.lds.S -o $(B)/$(@F)/kernel.lds
	$(LINKER) $(LDOPTIONS) -T $(B)/$(@F)/kernel.lds -o $@ \
		$(PARTS:%=$(B)/$(@F)/%.o)
	chmod 644 $@

# What each must give, checked against the file itself.
$(SPOILT:spoilt/%=$(B)/%.rows): $(B)/%.rows: $(O)/spoilt/% spoilt/oracle.py $(ORACLE)
	spoilt/oracle.py $(OPTIONS) $< $(EXPECTED) >$@
$(O)/spoilt/defects.tsv: $(SPOILT:spoilt/%=$(B)/%.rows)
	(printf 'fixture\trule\tfunction\tsymbol\taddress\n'; cat $(sort $^)) >$@

spoilt: $(O)/spoilt/defects.tsv
.PHONY: spoilt
