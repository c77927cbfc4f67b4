package report

// Diff is the document of the diff command. Package initdiff makes it.
type Diff struct {
	Schema  Schema       `json:"schema"`
	Old     DiffSide     `json:"old"`
	New     DiffSide     `json:"new"`
	Notes   []string     `json:"notes"` // what was not compared, and why; what else there is
	Query   DiffQuery    `json:"query"`
	Facts   []DiffFact   `json:"facts"`
	Tables  []DiffTable  `json:"tables"` // their sizes, which are no differences of their own
	Levels  []DiffLevel  `json:"levels"` // in run order
	Total   DiffTotal    `json:"total"`  // of the levels
	Changes []DiffChange `json:"changes"`
	Counted int          `json:"counted"` // facts and changes for which the exit status is 1
}

// DiffSide is one of the two that were compared.
type DiffSide struct {
	File  string `json:"file"`  // an image, or a document saved before
	Saved bool   `json:"saved"` // it is a document; image.path is what that was made from
	Image Image  `json:"image"`
}

// DiffQuery is what was asked for.
type DiffQuery struct {
	Only   []string `json:"only"`    // kinds of difference that are shown
	Levels []string `json:"levels"`  // empty for all
	Module *string  `json:"module"`  // null for all
	FailOn []string `json:"fail_on"` // kinds that count
}

// DiffFact is a difference that is no initcall's: of a table, or of the image.
type DiffFact struct {
	Kind  string  `json:"kind"`  // table, image
	Table *string `json:"table"` // null for the image
	Fact  string  `json:"fact"`
	Old   string  `json:"old"`
	New   string  `json:"new"`
}

// DiffTable is the size of one table.
type DiffTable struct {
	Table string    `json:"table"`
	Old   *DiffSize `json:"old"` // null if there is no such table
	New   *DiffSize `json:"new"`
}

// DiffSize is the size of a table in one of the two kernels.
type DiffSize struct {
	Count int    `json:"count"` // entries
	Bytes uint64 `json:"bytes"`
}

// DiffCount says what became of the initcalls of a level, or of all. Always
//
//	old = unchanged + reordered + renamed + removed + moved_out
//	new = unchanged + reordered + renamed + added + moved_in
type DiffCount struct {
	Old       int `json:"old"`
	New       int `json:"new"`
	Unchanged int `json:"unchanged"`
	Added     int `json:"added"`
	Removed   int `json:"removed"`
	MovedIn   int `json:"moved_in"`
	MovedOut  int `json:"moved_out"`
	Reordered int `json:"reordered"`
	Renamed   int `json:"renamed"`
}

// DiffLevel is one level of one table, as far as both sides can tell it from
// others.
type DiffLevel struct {
	Table string `json:"table"`
	Level string `json:"level"`
	DiffCount
}

// DiffTotal adds up the levels. Moved counts once what moved between two of
// them.
type DiffTotal struct {
	DiffCount
	Moved int `json:"moved"`
}

// DiffChange is what became of one initcall.
type DiffChange struct {
	Kind  string     `json:"kind"`  // added, removed, moved, reordered, renamed
	Guess bool       `json:"guess"` // concluded, not read: of renamed ones
	Table string     `json:"table"` // with level, one of levels: where it is, or was if it is removed
	Level string     `json:"level"`
	Old   *DiffPlace `json:"old"` // null if added
	New   *DiffPlace `json:"new"` // null if removed
}

// DiffPlace is an initcall in one of the two kernels.
type DiffPlace struct {
	Order  int     `json:"order"`
	Table  string  `json:"table"`
	Level  string  `json:"level"`
	Group  *string `json:"group"`
	Symbol *string `json:"symbol"` // the function that was registered
	Module *string `json:"module"`
	Line   *int    `json:"line"`
	After  *string `json:"after"` // the function that runs before it at that level, in words if it has no name; null if none does
}
