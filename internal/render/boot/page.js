"use strict";
// The page is complete without this script, which makes it move: zoom, selection, sorting, filtering.
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  const rows = [...document.querySelectorAll("#calls tbody tr")];
  const plot = $("plot");

  // Dark or light: the system's choice until the button is pressed.
  $("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  // --- the timeline -----------------------------------------------------------
  const bars = plot ? [...document.querySelectorAll("#bars rect")] : [];
  const barOf = new Map(bars.filter((b) => b.dataset.call).map((b) => [+b.dataset.call, b]));
  const inOrder = [...barOf.keys()].sort((a, b) => a - b);
  const box = (b) => ({ x: +b.getAttribute("x"), w: +b.getAttribute("width"), y: +b.getAttribute("y") });
  const boxes = new Map(bars.map((b) => [b, box(b)]));
  const first = plot ? +plot.dataset.from : 0; // in microseconds; bars count from here
  const all = plot ? [0, +plot.dataset.to - first] : [0, 1];
  let [from, to] = all;

  // view shows a part of the time. The drawing is scaled as a whole; only the labels are made anew.
  function view(a, b) {
    const least = 20;
    if (b - a < least) [a, b] = [(a + b - least) / 2, (a + b + least) / 2];
    const length = Math.min(b - a, all[1]);
    from = Math.max(0, Math.min(a, all[1] - length));
    to = from + length;
    $("bars").setAttribute("viewBox", `${from} 0 ${length} ${$("bars").getAttribute("height")}`);
    axis();
    labels();
    const user = $("user");
    if (user) user.style.left = 100 * (+plot.dataset.user - first - from) / length + "%";
  }

  function axis() {
    const length = to - from, wanted = Math.max(2, plot.clientWidth / 110);
    let step = 1;
    for (let i = 0; step < length / wanted; i++) step = [1, 2, 5][i % 3] * 10 ** Math.floor(i / 3);
    const digits = Math.max(0, 6 - Math.floor(Math.log10(step) + 1e-9));
    $("axis").replaceChildren();
    for (let t = Math.ceil((first + from) / step) * step; t <= first + to; t += step) {
      const mark = document.createElement("i"), text = document.createElement("span");
      const share = (t - first - from) / length;
      mark.style.left = 100 * share + "%";
      // What would stand over the edge is left out.
      text.hidden = Math.min(share, 1 - share) * plot.clientWidth < 28;
      text.textContent = (t / 1e6).toFixed(digits) + " s";
      mark.append(text);
      $("axis").append(mark);
    }
  }

  // labels names the long bars: in the bar where it has room, else beside the lane's bars, the longest first.
  function labels() {
    const scale = plot.clientWidth / (to - from), letter = 7.1;
    const lanes = new Map();
    for (const b of bars) {
      const { x, w, y } = boxes.get(b);
      if (x + w < from || x > to || b.classList.contains("off")) continue;
      if (!lanes.has(y)) lanes.set(y, []);
      const left = Math.max(0, (x - from) * scale), right = Math.min(plot.clientWidth, (x + w - from) * scale);
      const us = +b.dataset.us;
      lanes.get(y).push({ text: `${b.dataset.name} ${(us / 1000).toFixed(us < 10000 ? 1 : 0)} ms`, us, left, right });
    }
    const made = [];
    const put = (text, y, style, inside = "") => {
      const label = document.createElement("span");
      label.textContent = text;
      label.className = inside;
      Object.assign(label.style, style, { top: 26 + y + 3 + "px" });
      made.push(label);
    };
    for (const [y, lane] of lanes) {
      const left = Math.min(...lane.map((b) => b.left)), right = Math.max(...lane.map((b) => b.right));
      const beside = [];
      for (const b of lane.sort((a, b) => b.us - a.us)) {
        if (b.right - b.left < 3) continue;
        if (letter * b.text.length + 8 < b.right - b.left) put(b.text, y, { left: b.left + 4 + "px" }, "inside");
        else beside.push(b.text);
      }
      const before = left > plot.clientWidth - right;
      const letters = ((before ? left : plot.clientWidth - right) - 12) / letter;
      while (beside.length && beside.join(" · ").length > letters) beside.pop();
      if (beside.length) {
        put(beside.join(" · "), y, before ? { right: plot.clientWidth - left + 6 + "px" } : { left: right + 6 + "px" });
      }
    }
    $("labels").replaceChildren(...made);
  }

  const zoom = (factor, middle = (from + to) / 2) => view(middle - (middle - from) * factor, middle + (to - middle) * factor);
  const commands = {
    in: () => zoom(0.5),
    out: () => zoom(2),
    all: () => view(...all),
    boot: () => plot.dataset.user && view(0, (+plot.dataset.user - first) * 1.02),
  };

  // --- selection --------------------------------------------------------------
  let selected = 0;

  function detail(bar, row) {
    const out = $("detail");
    if (!out) return;
    const name = document.createElement("b");
    name.textContent = row ? row.cells[1].textContent : bar.dataset.name;
    out.replaceChildren(name);
    if (!row) return;
    const [level, origin, start, took, , thread, outcome] = [...row.cells].slice(2).map((c) => c.textContent);
    const parts = [level, origin, took && "took " + took, start && "from " + start + " s", thread && "thread " + thread, outcome];
    out.append(document.createElement("br"), parts.filter(Boolean).join(" · "));
  }

  function select(number, { reveal = false, scroll = false } = {}) {
    if (selected) {
      barOf.get(selected)?.classList.remove("on");
      $("c" + selected)?.classList.remove("on");
    }
    selected = number;
    const bar = barOf.get(number), row = $("c" + number);
    bar?.classList.add("on");
    row?.classList.add("on");
    detail(bar, row);
    if (scroll) row?.scrollIntoView({ block: "center" });
    if (reveal && bar) {
      const { x, w } = boxes.get(bar);
      if (x < from || x + w > to) view(x + w / 2 - (to - from) / 2, x + w / 2 + (to - from) / 2);
    }
  }

  // step selects the next call that the filter leaves, in the order of the calls.
  function step(by) {
    const usable = inOrder.filter((n) => !barOf.get(n).classList.contains("off"));
    if (!usable.length) return;
    let at = usable.indexOf(selected);
    at = at < 0 ? (by > 0 ? 0 : usable.length - 1) : Math.max(0, Math.min(usable.length - 1, at + by));
    select(usable[at], { reveal: true });
  }

  if (plot) {
    document.querySelectorAll("[data-do]").forEach((b) => b.addEventListener("click", () => commands[b.dataset.do]()));
    plot.addEventListener("keydown", (e) => {
      if (e.ctrlKey || e.altKey || e.metaKey) return;
      const pan = (to - from) / 5;
      const keys = {
        ArrowRight: () => (e.shiftKey ? view(from + pan, to + pan) : step(1)),
        ArrowLeft: () => (e.shiftKey ? view(from - pan, to - pan) : step(-1)),
        "+": commands.in, "=": commands.in, "-": commands.out, 0: commands.all, u: commands.boot,
        Enter: () => selected && ($("c" + selected).focus(), select(selected, { scroll: true })),
      };
      if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
    });

    // Drag to zoom, click to select.
    const brush = $("brush");
    let down = null;
    const where = (e) => Math.max(0, Math.min(plot.clientWidth, e.clientX - plot.getBoundingClientRect().left));
    const timeAt = (px) => from + (px / plot.clientWidth) * (to - from);
    // near finds the call under the pointer; a bar may be a pixel wide, so the nearest within 4 counts.
    function near(e) {
      if (e.target.dataset.name) return e.target;
      const y = e.clientY - $("bars").getBoundingClientRect().top, x = timeAt(where(e));
      const reach = (4 * (to - from)) / plot.clientWidth;
      let best = null, distance = reach;
      for (const [bar, b] of boxes) {
        if (y < b.y || y >= b.y + 24) continue;
        const d = x < b.x ? b.x - x : Math.max(0, x - b.x - b.w);
        if (d < distance) [best, distance] = [bar, d];
      }
      return best;
    }
    plot.addEventListener("pointerdown", (e) => { if (e.button === 0) { down = where(e); plot.setPointerCapture(e.pointerId); } });
    plot.addEventListener("pointermove", (e) => {
      if (down !== null) {
        const [a, b] = [down, where(e)].sort((x, y) => x - y);
        brush.hidden = b - a < 4;
        brush.style.left = a + "px";
        brush.style.width = b - a + "px";
        return;
      }
      const bar = near(e);
      if (bar) detail(bar, bar.dataset.call && $("c" + bar.dataset.call));
    });
    plot.addEventListener("pointerup", (e) => {
      if (down === null) return;
      const [a, b] = [down, where(e)].sort((x, y) => x - y);
      down = null;
      brush.hidden = true;
      if (b - a >= 4) return view(timeAt(a), timeAt(b));
      const bar = near(e);
      if (bar?.dataset.call) select(+bar.dataset.call, { scroll: false });
      else if (bar) detail(bar);
    });
    plot.addEventListener("wheel", (e) => {
      if (!e.ctrlKey) return; // the wheel alone scrolls the page
      e.preventDefault();
      zoom(e.deltaY < 0 ? 0.8 : 1.25, timeAt(where(e)));
    }, { passive: false });
    new ResizeObserver(() => view(from, to)).observe(plot);
  }

  // --- the table --------------------------------------------------------------
  const body = document.querySelector("#calls tbody");
  body.addEventListener("click", (e) => {
    const row = e.target.closest("tr");
    if (row) select(+row.id.slice(1), { reveal: true });
  });
  body.addEventListener("keydown", (e) => {
    const by = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[e.key];
    let row = e.target.closest("tr");
    if (e.key === "Enter" && plot) { plot.focus(); return; }
    if (!by || !row) return;
    e.preventDefault();
    do row = row[by]; while (row && row.hidden);
    if (row) { row.focus(); select(+row.id.slice(1), { reveal: true }); }
  });

  document.querySelectorAll("#calls th button").forEach((button) => button.addEventListener("click", () => {
    const th = button.closest("th"), column = th.cellIndex, numeric = button.dataset.sort === "n";
    const was = th.getAttribute("aria-sort");
    // Durations are looked at from the longest.
    const descending = was ? was === "ascending" : th.textContent.trim() === "took";
    document.querySelectorAll("#calls th").forEach((other) => other.removeAttribute("aria-sort"));
    th.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const value = new Map(rows.map((row) => {
      const text = row.cells[column].textContent;
      return [row, numeric ? (text === "" ? -Infinity : parseFloat(text)) : text];
    }));
    const sign = descending ? -1 : 1;
    rows.sort((a, b) => {
      const [x, y] = [value.get(a), value.get(b)];
      return sign * (x < y ? -1 : x > y ? 1 : 0) || a.id.slice(1) - b.id.slice(1);
    });
    body.append(...rows);
  }));

  function filter() {
    const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const level = $("level").value, least = (parseFloat($("least").value) || 0) * 1000;
    let shown = 0, sum = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase(), us = +(row.dataset.us || 0);
      const fits = words.every((w) => text.includes(w)) && (!level || row.dataset.level === level) && us >= least;
      row.hidden = !fits;
      barOf.get(+row.id.slice(1))?.classList.toggle("off", !fits);
      if (fits) { shown++; sum += us; }
    }
    $("shown").textContent = `${shown} of ${rows.length} calls, ${(sum / 1000).toFixed(3)} ms`;
    if (plot) labels();
  }
  for (const id of ["find", "level", "least"]) $(id).addEventListener("input", filter);
  $("filter").addEventListener("submit", (e) => e.preventDefault());
  document.querySelectorAll("[data-level].link").forEach((b) => b.addEventListener("click", () => {
    $("level").value = $("level").value === b.dataset.level ? "" : b.dataset.level;
    filter();
  }));
  filter();
})();
