//go:build browser

package render_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/bootlog"
	"github.com/initsect/initsect/internal/render"
	"github.com/initsect/initsect/internal/report"
)

// browser is a page in headless Chromium, and what it complained of.
type browser struct {
	*testing.T
	ctx context.Context

	mu       sync.Mutex
	trouble  []string
	requests []string
}

// open writes a page of a log and opens it.
func open(t *testing.T, logText string) *browser {
	parsed, err := bootlog.Read(strings.NewReader(logText), bootlog.Options{})
	require.NoError(t, err)
	doc := report.NewBoot("boot.log", bootlog.Alone(parsed), nil, bootlog.SummaryOptions{Gap: 1000, Candidate: 10_000})
	var page bytes.Buffer
	require.NoError(t, render.Boot(0)(&page, doc, render.HTML, render.Style{}))
	path := filepath.Join(t.TempDir(), "boot.html")
	require.NoError(t, os.WriteFile(path, page.Bytes(), 0o600))

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.WSURLReadTimeout(time.Minute), chromedp.WindowSize(1400, 1000))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	b := &browser{T: t, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, b.listen))
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, cdp.Empty{})
	b.do(chromedp.Navigate("file://"+path), chromedp.WaitReady(chromedp.CSS("#calls")))
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.trouble = append(b.trouble, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		b.trouble = append(b.trouble, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	require.NoError(b, chromedp.Do(b.ctx, actions...))
}

// get returns what an action finds.
func get[T any](b *browser, action chromedp.Action[T]) T {
	b.Helper()
	value, err := chromedp.Run(b.ctx, action)
	require.NoError(b, err)
	return value
}

// call sends a command of the protocol.
func call[P, R any](b *browser, command cdp.Command[P, R], params P) {
	b.Helper()
	_, err := chromedp.Call(b.ctx, command, params)
	require.NoError(b, err)
}

// click and write do what a user does with an element; write replaces what is
// in a field.
func (b *browser) click(css string) { b.Helper(); b.do(chromedp.Click(chromedp.CSS(css))) }

func (b *browser) write(css, text string) {
	b.Helper()
	b.do(chromedp.Focus(chromedp.CSS(css)))
	b.key("a", chromedp.KeyModifiers(kb.ModifierCtrl))
	b.key(kb.Backspace + text)
}

// js evaluates an expression.
func js[T any](b *browser, expression string) T {
	b.Helper()
	return get(b, chromedp.Evaluate[T](expression))
}

// key presses a key on what has the focus.
func (b *browser) key(keys string, modifiers ...chromedp.KeyOption) {
	b.Helper()
	b.do(chromedp.KeyEvent(keys, modifiers...))
}

func (b *browser) visible() int {
	return js[int](b, `document.querySelectorAll("#calls tbody tr:not([hidden])").length`)
}

// firstRow is the function in the first row of the table.
func (b *browser) firstRow() string {
	return js[string](b, `document.querySelector("#calls tbody tr").cells[1].textContent`)
}

func (b *browser) selected() string {
	return js[string](b, `[...document.querySelectorAll("#calls tr.on")].map(r => r.cells[1].textContent).join()`)
}

// zoom is where the view begins, and how long it is, in microseconds.
func (b *browser) zoom() (from, length float64) {
	view := js[[]float64](b, `document.querySelector("#bars").getAttribute("viewBox").split(" ").map(Number)`)
	return view[0], view[2]
}

// shot keeps a picture for people to look at, in the folder INITSECT_SCREENSHOTS.
func (b *browser) shot(name string) {
	dir := os.Getenv("INITSECT_SCREENSHOTS")
	if dir == "" {
		return
	}
	png := get(b, chromedp.CaptureScreenshot())
	require.NoError(b, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
}

// calm fails the test if the page complained, or asked for anything but itself.
func (b *browser) calm() {
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b, b.trouble)
	require.Len(b, b.requests, 1, "%v", b.requests)
	require.True(b, strings.HasPrefix(b.requests[0], "file://"))
}

// aLog has n calls of 100 µs in the levels fs and device, but for these: the
// 7th takes 50 ms, the 11th fails, the last is of a deferred initcall's kind.
func aLog(n int) string {
	var log strings.Builder
	now := 1_000_000
	line := func(format string, args ...any) {
		fmt.Fprintf(&log, "[%5d.%06d] %s\n", now/1e6, now%1e6, fmt.Sprintf(format, args...))
	}
	line("Linux version 6.12.0-page (gcc) #1 SMP")
	call := func(name string, pid, us, code int) {
		line("calling  %s+0x0/0x20 @ %d", name, pid)
		now += us
		line("initcall %s+0x0/0x20 returned %d after %d usecs", name, code, us)
		now += 20
	}
	for i := 1; i < n; i++ {
		switch i {
		case 1:
			line("entering initcall level: fs")
		case n / 2:
			line("entering initcall level: device")
		}
		us, code := 100, 0
		switch i {
		case 7:
			us = 50_000
		case 11:
			code = -19
		}
		call(fmt.Sprintf("driver_%04d_init", i), 1, us, code)
	}
	line("Run /init as init process")
	now += 5000
	call("late_disk_init", 77, 3000, 0)
	return log.String()
}

func TestFilter(t *testing.T) {
	b := open(t, aLog(300))
	require.Equal(t, 300, b.visible())
	b.shot("wide-light")
	b.write("#find", "driver_012")
	require.Equal(t, 10, b.visible(), "0120 to 0129")
	require.Contains(t, js[string](b, `document.querySelector("#shown").textContent`), "10 of 300 calls, 1.000 ms")
	require.Equal(t, 290, js[int](b, `document.querySelectorAll("#bars .off").length`))
	b.write("#find", "ENODEV")
	require.Equal(t, 1, b.visible())
	b.write("#find", "")
	b.write("#least", "2.5")
	require.Equal(t, 2, b.visible(), "50 ms and 3 ms")
	b.write("#least", "")
	b.click(`button[data-level="5"]`)
	require.Equal(t, 149, b.visible(), "the calls of level fs")
	b.click(`button[data-level="5"]`)
	require.Equal(t, 300, b.visible())
	b.calm()
}

func TestSort(t *testing.T) {
	b := open(t, aLog(300))
	took := `#calls th:nth-child(6) button`
	b.click(took)
	require.Equal(t, "driver_0007_init", b.firstRow(), "the slowest")
	b.click(took)
	require.Equal(t, "driver_0001_init", b.firstRow(), "equal ones stay in their order")
	b.do(chromedp.Focus(chromedp.CSS(`#calls th:nth-child(1) button`)))
	b.key(kb.Enter)
	b.key(kb.Enter)
	require.Equal(t, "late_disk_init", b.firstRow(), "by number, from the last, by keyboard")
	b.calm()
}

func TestTimelineByMouse(t *testing.T) {
	b := open(t, aLog(300))
	_, whole := b.zoom()
	box := js[[]float64](b, `(r => [r.x, r.y, r.width, r.height])(document.querySelector("rect[data-call='7']").getBoundingClientRect())`)
	x, y := box[0]+box[2]/2, box[1]+box[3]/2
	b.do(chromedp.MouseClickXY(x, y))
	require.Equal(t, "driver_0007_init", b.selected())
	require.Contains(t, js[string](b, `document.querySelector("#detail").textContent`), "took 50.000 ms")

	// A drag over the bar makes it all that is seen.
	b.do(chromedp.DragAndDropXY(box[0], y, box[0]+box[2], y))
	_, length := b.zoom()
	require.InDelta(t, 50_000, length, 2000)
	b.shot("zoomed")
	b.click(`[data-do="all"]`)
	_, length = b.zoom()
	require.Equal(t, whole, length)
	b.click(`[data-do="boot"]`)
	_, length = b.zoom()
	require.Less(t, length, whole)
	b.calm()
}

func TestTimelineByKeyboard(t *testing.T) {
	b := open(t, aLog(300))
	b.do(chromedp.Focus(chromedp.CSS("#plot")))
	b.key(kb.ArrowRight)
	require.Equal(t, "driver_0001_init", b.selected())
	b.key(kb.ArrowRight)
	require.Equal(t, "driver_0002_init", b.selected())
	b.key(kb.ArrowLeft)
	require.Equal(t, "driver_0001_init", b.selected())
	_, whole := b.zoom()
	b.key("+")
	from, length := b.zoom()
	require.InDelta(t, whole/2, length, 1)
	b.key(kb.ArrowRight, chromedp.KeyModifiers(kb.ModifierShift))
	panned, _ := b.zoom()
	require.InDelta(t, from+length/5, panned, 1)
	b.key("0")
	_, length = b.zoom()
	require.Equal(t, whole, length)
	b.key(kb.Enter)
	require.Equal(t, "c1", js[string](b, `document.activeElement.id`))
	b.key(kb.ArrowDown)
	require.Equal(t, "driver_0002_init", b.selected())
	b.key(kb.Enter)
	require.Equal(t, "plot", js[string](b, `document.activeElement.id`))
	b.calm()
}

func TestDarkAndLight(t *testing.T) {
	b := open(t, aLog(300))
	background := `getComputedStyle(document.body).backgroundColor`
	light := js[string](b, background)
	require.Equal(t, "rgb(255, 255, 255)", light)
	b.click("#theme")
	dark := js[string](b, background)
	require.Equal(t, "rgb(21, 25, 30)", dark)
	b.shot("wide-dark")
	b.click("#theme")
	require.Equal(t, light, js[string](b, background))

	b = open(t, aLog(300))
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	require.Equal(t, dark, js[string](b, background))
	b.calm()
}

func TestNarrow(t *testing.T) {
	b := open(t, aLog(300))
	b.do(chromedp.EmulateViewport(400, 900))
	require.LessOrEqual(t, js[int](b, `document.documentElement.scrollWidth`), 400)
	b.shot("narrow")
	b.calm()
}

// Without its script the page still shows every call and the timeline.
func TestWithoutScript(t *testing.T) {
	b := open(t, aLog(300))
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.do(chromedp.Reload())
	text := get(b, chromedp.Text(chromedp.CSS("#calls tbody tr:last-child")))
	require.Contains(t, text, "late_disk_init")
	require.NotEmpty(t, get(b, chromedp.Attributes(chromedp.CSS("#bars rect:last-child"))))
	b.shot("no-script")
}

// What a hostile log names its functions and devices is text, and stays so.
func TestHostileNames(t *testing.T) {
	b := open(t, aLog(12)+"[    9.1] calling  </script><script>alert(1)</script>+0x0/0x9 @ 1\n")
	require.Contains(t, js[string](b, `document.querySelector("#notes").parentNode.textContent`), "<script>alert(1)")
	require.Equal(t, 1, js[int](b, `document.querySelectorAll("script").length`))
	b.calm()
}

// 2,000 calls stay smooth: what a key or a letter does takes no longer than
// twice what the browser needs to lay out a plain table of that size. The
// best of some tries counts, as the machine may have other work.
func TestSmooth(t *testing.T) {
	b := open(t, aLog(2000))
	best := func(work string) float64 {
		return js[float64](b, `Math.min(...[...Array(6).keys()].map((i) => {
			const t = performance.now(); `+work+`; document.body.offsetHeight; return performance.now() - t }))`)
	}
	plain := best(`const table = document.createElement("table");
		for (let n = 0; n < 2000; n++) for (let row = table.insertRow(), c = 0; c < 9; c++) row.insertCell().textContent = n + c;
		document.body.append(table); document.body.offsetHeight; table.remove()`)
	t.Logf("%.0f ms: a plain table", plain)
	for _, work := range []string{
		`document.querySelector(i % 2 ? "[data-do=in]" : "[data-do=all]").click()`,
		`(f => { f.value = "driver_" + i % 2; f.dispatchEvent(new Event("input")) })(document.querySelector("#find"))`,
		`document.querySelector("#calls th:nth-child(6) button").click()`,
	} {
		ms := best(work)
		t.Logf("%.0f ms: %s", ms, work)
		require.Less(t, ms, 2*plain, work)
	}
	b.calm()
}
