package report

import "github.com/initsect/initsect/internal/bootlog"

// BootPair is a call of two logs.
type BootPair struct {
	Change   string  `json:"change"`
	Function string  `json:"function"`
	Module   *string `json:"module"` // that was loaded
	Old      *int    `json:"old"`    // its number in the log
	New      *int    `json:"new"`
	OldTime  *int64  `json:"old_us"`
	NewTime  *int64  `json:"new_us"`
	Saved    *int64  `json:"saved_us"` // negative if it became slower
}

// BootSaved is what the new boot needs less than the old one; negative if more.
type BootSaved struct {
	Total  int64  `json:"total_us"`             // of the sums of all calls
	Before int64  `json:"before_user_space_us"` // of those before user space began
	Wall   *int64 `json:"before_user_space_wall_us"`
}

// BootCompare is the document of boot --compare.
type BootCompare struct {
	Schema     Schema     `json:"schema"`
	Old        BootLog    `json:"old"`
	New        BootLog    `json:"new"`
	MinTime    int64      `json:"min_us"`
	MinPercent float64    `json:"min_percent"`
	OldTotal   BootTotals `json:"old_total"`
	NewTotal   BootTotals `json:"new_total"`
	OldBefore  BootTotals `json:"old_before_user_space"`
	NewBefore  BootTotals `json:"new_before_user_space"`
	Saved      BootSaved  `json:"saved"`
	Calls      []BootPair `json:"calls"`
	Notes      []string   `json:"notes"`
}

// NewBootCompare makes the document of two logs.
func NewBootCompare(oldPath, newPath string, older, newer *bootlog.Log, c *bootlog.Comparison, t bootlog.Thresholds) *BootCompare {
	doc := &BootCompare{
		Schema: BootCompareSchema,
		Old:    newBootLog(oldPath, older), New: newBootLog(newPath, newer),
		MinTime: t.US, MinPercent: t.Percent,
		OldTotal: newBootTotals(c.Old.All), NewTotal: newBootTotals(c.New.All),
		OldBefore: newBootTotals(c.Old.Boot), NewBefore: newBootTotals(c.New.Boot),
		Saved: BootSaved{
			Total:  c.Old.All.Sum - c.New.All.Sum,
			Before: c.Old.Boot.Sum - c.New.Boot.Sum,
			Wall:   us(c.New.Boot.Wall.Until(c.Old.Boot.Wall)),
		},
		Calls: []BootPair{},
		Notes: append([]string{}, c.Notes...),
	}
	for _, p := range c.Pairs {
		doc.Calls = append(doc.Calls, newBootPair(p))
	}
	return doc
}

func newBootPair(p bootlog.Pair) BootPair {
	doc := BootPair{Change: string(p.Change), Saved: us(p.Saved)}
	if p.Old != nil {
		doc.Function, doc.Module = bootFunction(p.Old.Function), known(p.Old.Module)
		number := p.OldIndex + 1
		doc.Old, doc.OldTime = &number, us(p.Old.Duration)
	}
	if p.New != nil {
		doc.Function, doc.Module = bootFunction(p.New.Function), known(p.New.Module)
		number := p.NewIndex + 1
		doc.New, doc.NewTime = &number, us(p.New.Duration)
	}
	return doc
}
