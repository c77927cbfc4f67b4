package bootlog

// Time is a point in time or a length of it in microseconds, if it is known.
type Time struct {
	US    int64
	Known bool
}

func at(us int64) Time { return Time{us, true} }

// Until is the time from t to end, unknown if either is.
func (t Time) Until(end Time) Time {
	if !t.Known || !end.Known {
		return Time{}
	}
	return at(end.US - t.US)
}

// Clock says what the times of a log count from.
type Clock string

// The clocks.
const (
	ClockBoot Clock = "boot" // the kernel's own, which starts early in boot
	ClockWall Clock = "wall" // the day's, counted here from the log's first line
	ClockNone Clock = "none" // the lines have no times
)

// Source is what wrote a log.
type Source string

// The sources.
const (
	SourcePrintk   Source = "printk"    // initcall_debug
	SourceTpPrintk Source = "tp_printk" // the trace events of initcalls, as messages of the kernel
	SourceFtrace   Source = "ftrace"    // the trace events, as ftrace's own text
)

// Function is a function as the log writes it: name+0x0/0x10 [module], or an
// address where the kernel has no kallsyms.
type Function struct {
	Name    string // empty if only the address is known
	Module  string // of a loadable module, else empty
	Offset  uint64 // behind the name: other than 0 if an entry is no function's start
	Size    uint64 // up to the next symbol, 0 if not known
	Address uint64 // 0 if not known
}

// Status says how a call ended.
type Status string

// The statuses.
const (
	Returned Status = "returned"
	Running  Status = "running"     // not back when the log ends
	Lost     Status = "return lost" // its thread went on, but the line of its return is missing
	Unlogged Status = "not logged"  // this kernel prints no returns
)

// Call is one call of a function.
type Call struct {
	Function
	Cookie    string // of an asynchronous call, else empty
	PID       int    // -1 if not known
	Start     Time   // of the line that announces the call
	End       Time   // of the line of its return
	Duration  Time   // as the kernel measured it; from the times where it did not
	FromTimes bool   // the duration is End - Start
	Units     int64  // microseconds in a unit of the duration: 1 or 1000
	Return    int
	Code      bool   // Return is known
	Remark    string // what the kernel found wrong after the call ("preemption imbalance")
	Level     string // the level that the log says runs, empty if it says none
	Line      int    // in the log: of the announcement, or of the return if that is all there is
	Announced bool   // the line before the call was read
	Group     string // of LG's user initcalls
	Status    Status
}

// Probe is the probe of a device by a driver, which initcall_debug logs too.
type Probe struct {
	Device   string
	Return   int
	Duration Time
	End      Time
	Line     int // in the log
}

// Wait is the time for which a thread waited for asynchronous calls.
type Wait struct {
	PID      int
	End      Time
	Duration Time
}

// Unreadable is a line that speaks of an initcall and could not be read.
type Unreadable struct {
	Line int
	Text string
}

// Log is what one boot's log says of initcalls.
type Log struct {
	Source      Source // of the calls: the first that the log has
	Others      int    // messages of another source, which tell of the same calls again
	Clock       Clock
	Calls       []Call // in the order in which they were announced
	Async       []Call
	Probes      []Probe
	Waits       []Wait
	Blacklisted []string // functions that the log says were not called
	Banner      string   // "Linux version …", empty if the log has none
	CommandLine string
	UserSpace   Time   // when the first process of user space was started
	UserLine    int    // the line that says so, 0 if there is none
	Trouble     string // the first line of a panic, oops or hang since the last call began
	TroubleLine int
	First, Last Time // of the log
	Lines       int
	Boots       int  // boots in the log; this is one of them
	Boot        int  // which, from 1
	Back        Time // by how much the times first go back, as another boot's do
	BackLine    int  // the line from which on they do, 0 if there is none
	Dropped     int  // messages that the kernel or ftrace says it lost
	Repeated    int  // lines that are there twice in a row
	Mended      int  // lines that were torn, but gave what they had to say
	Unreadable  int
	Samples     []Unreadable // the first of them
	NoReturns   bool         // the kernel is one that logs no returns

	userNamed bool // UserSpace is from the line that names the process
	lastCall  int  // the line in which the last call began
}
