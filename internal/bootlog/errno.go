package bootlog

import "strings"

// Errno returns the name of an error number, as the headers of v6.12 have it,
// or an empty string. The machine is uname's, or empty if it is not known:
// numbers above 34 differ between machines, and without one those of most are
// assumed, which the second result says.
func Errno(code int, machine string) (name string, assumed bool) {
	for _, same := range []map[int]string{errnoBase, errnoKernel} {
		if name := same[code]; name != "" {
			return name, false
		}
	}
	if strings.HasPrefix(machine, "mips") {
		return errnoMIPS[code], false
	}
	for _, own := range []string{"alpha", "parisc", "sparc"} {
		if strings.HasPrefix(machine, own) {
			return "", false // numbers of its own
		}
	}
	name = errnoGeneric[code]
	return name, machine == "" && name != ""
}

// errnoBase is include/uapi/asm-generic/errno-base.h, which every architecture has.
var errnoBase = map[int]string{
	1: "EPERM", 2: "ENOENT", 3: "ESRCH", 4: "EINTR", 5: "EIO", 6: "ENXIO", 7: "E2BIG", 8: "ENOEXEC", 9: "EBADF",
	10: "ECHILD", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 14: "EFAULT", 15: "ENOTBLK", 16: "EBUSY",
	17: "EEXIST", 18: "EXDEV", 19: "ENODEV", 20: "ENOTDIR", 21: "EISDIR", 22: "EINVAL", 23: "ENFILE",
	24: "EMFILE", 25: "ENOTTY", 26: "ETXTBSY", 27: "EFBIG", 28: "ENOSPC", 29: "ESPIPE", 30: "EROFS", 31: "EMLINK",
	32: "EPIPE", 33: "EDOM", 34: "ERANGE",
}

// errnoGeneric is include/uapi/asm-generic/errno.h.
var errnoGeneric = map[int]string{
	35: "EDEADLK", 36: "ENAMETOOLONG", 37: "ENOLCK", 38: "ENOSYS", 39: "ENOTEMPTY", 40: "ELOOP", 42: "ENOMSG",
	43: "EIDRM", 44: "ECHRNG", 45: "EL2NSYNC", 46: "EL3HLT", 47: "EL3RST", 48: "ELNRNG", 49: "EUNATCH",
	50: "ENOCSI", 51: "EL2HLT", 52: "EBADE", 53: "EBADR", 54: "EXFULL", 55: "ENOANO", 56: "EBADRQC",
	57: "EBADSLT", 59: "EBFONT", 60: "ENOSTR", 61: "ENODATA", 62: "ETIME", 63: "ENOSR", 64: "ENONET",
	65: "ENOPKG", 66: "EREMOTE", 67: "ENOLINK", 68: "EADV", 69: "ESRMNT", 70: "ECOMM", 71: "EPROTO",
	72: "EMULTIHOP", 73: "EDOTDOT", 74: "EBADMSG", 75: "EOVERFLOW", 76: "ENOTUNIQ", 77: "EBADFD", 78: "EREMCHG",
	79: "ELIBACC", 80: "ELIBBAD", 81: "ELIBSCN", 82: "ELIBMAX", 83: "ELIBEXEC", 84: "EILSEQ", 85: "ERESTART",
	86: "ESTRPIPE", 87: "EUSERS", 88: "ENOTSOCK", 89: "EDESTADDRREQ", 90: "EMSGSIZE", 91: "EPROTOTYPE",
	92: "ENOPROTOOPT", 93: "EPROTONOSUPPORT", 94: "ESOCKTNOSUPPORT", 95: "EOPNOTSUPP", 96: "EPFNOSUPPORT",
	97: "EAFNOSUPPORT", 98: "EADDRINUSE", 99: "EADDRNOTAVAIL", 100: "ENETDOWN", 101: "ENETUNREACH",
	102: "ENETRESET", 103: "ECONNABORTED", 104: "ECONNRESET", 105: "ENOBUFS", 106: "EISCONN", 107: "ENOTCONN",
	108: "ESHUTDOWN", 109: "ETOOMANYREFS", 110: "ETIMEDOUT", 111: "ECONNREFUSED", 112: "EHOSTDOWN",
	113: "EHOSTUNREACH", 114: "EALREADY", 115: "EINPROGRESS", 116: "ESTALE", 117: "EUCLEAN", 118: "ENOTNAM",
	119: "ENAVAIL", 120: "EISNAM", 121: "EREMOTEIO", 122: "EDQUOT", 123: "ENOMEDIUM", 124: "EMEDIUMTYPE",
	125: "ECANCELED", 126: "ENOKEY", 127: "EKEYEXPIRED", 128: "EKEYREVOKED", 129: "EKEYREJECTED",
	130: "EOWNERDEAD", 131: "ENOTRECOVERABLE", 132: "ERFKILL", 133: "EHWPOISON",
}

// errnoMIPS is arch/mips/include/uapi/asm/errno.h.
var errnoMIPS = map[int]string{
	35: "ENOMSG", 36: "EIDRM", 37: "ECHRNG", 38: "EL2NSYNC", 39: "EL3HLT", 40: "EL3RST", 41: "ELNRNG",
	42: "EUNATCH", 43: "ENOCSI", 44: "EL2HLT", 45: "EDEADLK", 46: "ENOLCK", 50: "EBADE", 51: "EBADR",
	52: "EXFULL", 53: "ENOANO", 54: "EBADRQC", 55: "EBADSLT", 56: "EDEADLOCK", 59: "EBFONT", 60: "ENOSTR",
	61: "ENODATA", 62: "ETIME", 63: "ENOSR", 64: "ENONET", 65: "ENOPKG", 66: "EREMOTE", 67: "ENOLINK", 68: "EADV",
	69: "ESRMNT", 70: "ECOMM", 71: "EPROTO", 73: "EDOTDOT", 74: "EMULTIHOP", 77: "EBADMSG", 78: "ENAMETOOLONG",
	79: "EOVERFLOW", 80: "ENOTUNIQ", 81: "EBADFD", 82: "EREMCHG", 83: "ELIBACC", 84: "ELIBBAD", 85: "ELIBSCN",
	86: "ELIBMAX", 87: "ELIBEXEC", 88: "EILSEQ", 89: "ENOSYS", 90: "ELOOP", 91: "ERESTART", 92: "ESTRPIPE",
	93: "ENOTEMPTY", 94: "EUSERS", 95: "ENOTSOCK", 96: "EDESTADDRREQ", 97: "EMSGSIZE", 98: "EPROTOTYPE",
	99: "ENOPROTOOPT", 120: "EPROTONOSUPPORT", 121: "ESOCKTNOSUPPORT", 122: "EOPNOTSUPP", 123: "EPFNOSUPPORT",
	124: "EAFNOSUPPORT", 125: "EADDRINUSE", 126: "EADDRNOTAVAIL", 127: "ENETDOWN", 128: "ENETUNREACH",
	129: "ENETRESET", 130: "ECONNABORTED", 131: "ECONNRESET", 132: "ENOBUFS", 133: "EISCONN", 134: "ENOTCONN",
	135: "EUCLEAN", 137: "ENOTNAM", 138: "ENAVAIL", 139: "EISNAM", 140: "EREMOTEIO", 141: "EINIT", 142: "EREMDEV",
	143: "ESHUTDOWN", 144: "ETOOMANYREFS", 145: "ETIMEDOUT", 146: "ECONNREFUSED", 147: "EHOSTDOWN",
	148: "EHOSTUNREACH", 149: "EALREADY", 150: "EINPROGRESS", 151: "ESTALE", 158: "ECANCELED", 159: "ENOMEDIUM",
	160: "EMEDIUMTYPE", 161: "ENOKEY", 162: "EKEYEXPIRED", 163: "EKEYREVOKED", 164: "EKEYREJECTED",
	165: "EOWNERDEAD", 166: "ENOTRECOVERABLE", 167: "ERFKILL", 168: "EHWPOISON", 1133: "EDQUOT",
}

// errnoKernel is include/linux/errno.h: the kernel's own, which user space never sees.
var errnoKernel = map[int]string{
	512: "ERESTARTSYS", 513: "ERESTARTNOINTR", 514: "ERESTARTNOHAND", 515: "ENOIOCTLCMD",
	516: "ERESTART_RESTARTBLOCK", 517: "EPROBE_DEFER", 518: "EOPENSTALE", 519: "ENOPARAM", 521: "EBADHANDLE",
	522: "ENOTSYNC", 523: "EBADCOOKIE", 524: "ENOTSUPP", 525: "ETOOSMALL", 526: "ESERVERFAULT", 527: "EBADTYPE",
	528: "EJUKEBOX", 529: "EIOCBQUEUED", 530: "ERECALLCONFLICT", 531: "ENOGRACE",
}
