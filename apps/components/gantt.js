// Rows of bars along time. Everything is shown as text, never as HTML.

const MINUTE = 60_000
const STEPS = [1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 10080, 20160, 43200, 129600, 525600]
const WORK = ["blocked", "queued", "working", "paused"]
const LEGEND = [...WORK, "completed", "failed"]
const KEYS = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}

function made(name, text, attributes = {}) {
  const node = document.createElement(name)
  if (text !== undefined && text !== null) node.textContent = text
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  return node
}

const words = (text) => text.replaceAll("_", " ")
const said = (instant) => new Date(instant).toLocaleString(undefined, {dateStyle: "medium", timeStyle: "short"})

function lasted(milliseconds) {
  const minutes = Math.round(milliseconds / MINUTE)
  if (minutes < 1) return "less than a minute"
  if (minutes < 120) return `${minutes} min`
  return minutes < 2880 ? `${(minutes / 60).toFixed(1)} h` : `${(minutes / 1440).toFixed(1)} days`
}

export function render({model}) {
  const root = made("div", null, {class: "root"})
  const legend = made("ul", null, {class: "legend"})
  for (const kind of LEGEND) {
    const item = made("li")
    item.append(made("span", null, {class: kind, "aria-hidden": "true"}), kind === "blocked" ? "blocked, not ready" : kind)
    legend.append(item)
  }
  const chart = made("div", null, {class: "chart", role: "group"})
  const told = made("div", "", {class: "said", role: "status"})
  root.append(legend, chart, told)
  let begin = 0, end = 1, focus = null

  const place = (instant) => `${(100 * (instant - begin) / (end - begin)).toFixed(3)}%`

  function measure() {
    const now = Date.now()
    const bars = model.rows.flatMap((row) => row.bars)
    begin = Math.min(...bars.map((bar) => Date.parse(bar.begins)), now)
    end = Math.max(...bars.map((bar) => bar.ends === null ? now : Date.parse(bar.ends)), begin + MINUTE)
    end += (end - begin) * 0.02
  }

  function axis() {
    const line = made("div", null, {class: "line axis", "aria-hidden": "true"})
    const track = made("div", null, {class: "track"})
    const step = MINUTE * (STEPS.find((minutes) => (end - begin) / (minutes * MINUTE) <= 8) ?? STEPS.at(-1))
    const midnight = new Date(begin).setHours(0, 0, 0, 0)
    const days = step >= 1440 * MINUTE
    for (let at = midnight; at < end; at += step) {
      if (at < begin) continue
      const text = new Date(at).toLocaleString(undefined, days ? {month: "short", day: "numeric"}
        : {weekday: "short", hour: "2-digit", minute: "2-digit"})
      const tick = made("span", text, {class: "tick"})
      tick.style.left = place(at)
      track.append(tick)
    }
    line.append(made("div", "", {class: "name"}), track)
    return line
  }

  function sentence(row, bar) {
    const who = bar.who ? `, ${bar.who}` : ""
    const from = Date.parse(bar.begins), to = bar.ends === null ? Date.now() : Date.parse(bar.ends)
    if (from === to) return `${row.name}: ${words(bar.status)}${who}, ${said(from)}`
    const until = bar.ends === null ? "now" : said(to)
    const kind = bar.kind === bar.status ? "" : ` (${words(bar.status)})`
    return `${row.name}: ${bar.kind}${kind}${who}, ${lasted(to - from)}, ${said(from)} – ${until}`
  }

  function drawBar(row, number, bar) {
    const from = Date.parse(bar.begins), to = bar.ends === null ? Date.now() : Date.parse(bar.ends)
    const text = sentence(row, bar)
    const is_end = from === to && !WORK.includes(bar.kind)
    const drawn = made("span", null, {class: `stretch ${bar.kind}${is_end ? " end" : ""}`, role: "img",
      "aria-label": text, title: text, tabindex: "-1", "data-row": row.id, "data-bar": number})
    drawn.style.left = place(from)
    if (from !== to) drawn.style.width = place(begin + to - from)
    drawn.addEventListener("focus", () => {
      focus = [row.id, number]
      told.textContent = text
    })
    drawn.addEventListener("mouseenter", () => { told.textContent = text })
    return drawn
  }

  function drawRow(row) {
    const line = made("div", null, {class: "line", "data-row": row.id})
    if (row.id === model.chosen) line.classList.add("chosen")
    if (!row.href) line.classList.add("process")
    const name = made("div", null, {class: "name", title: row.name})
    name.append(row.href ? made("a", row.name, {href: row.href, "data-name": row.id}) : row.name)
    if (row.id === model.chosen) name.firstElementChild?.setAttribute("aria-current", "true")
    const track = made("div", null, {class: "track"})
    track.append(...row.bars.map((bar, number) => drawBar(row, number, bar)))
    const now = made("span", null, {class: "now", "aria-hidden": "true"})
    now.style.left = place(Math.min(Date.now(), end))
    if (Date.now() <= end) track.append(now)
    line.append(name, track)
    return line
  }

  const barAt = (row, number) => chart.querySelector(`[data-row="${CSS.escape(row)}"][data-bar="${number}"]`)

  function draw() {
    // Who goes through the bars by keyboard stays where they are when something changes elsewhere.
    const active = root.getRootNode().activeElement?.dataset
    const {scrollTop, scrollLeft} = chart
    measure()
    chart.setAttribute("aria-label", `${model.label}; arrow keys go from bar to bar`)
    chart.replaceChildren(axis(), ...model.rows.map(drawRow))
    chart.scrollTo(scrollLeft, scrollTop)
    const first = (focus && barAt(...focus)) ?? chart.querySelector(".stretch")
    first?.setAttribute("tabindex", "0")
    if (active?.bar) barAt(active.row, active.bar)?.focus({preventScroll: true})
    else if (active?.name) chart.querySelector(`[data-name="${CSS.escape(active.name)}"]`)?.focus({preventScroll: true})
  }

  function move(event) {
    const step = KEYS[event.key]
    const {row, bar} = event.target.dataset
    if (!step || bar === undefined) return
    event.preventDefault()
    const rows = model.rows.map((shown) => shown.id)
    const to = rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(row) + step[0]))]
    const last = model.rows.find((shown) => shown.id === to).bars.length - 1
    const there = barAt(to, Math.min(last, Math.max(0, Number(bar) + step[1])))
    event.target.setAttribute("tabindex", "-1")
    there.setAttribute("tabindex", "0")
    there.focus()
  }

  chart.addEventListener("keydown", move)
  for (const name of ["rows", "chosen", "label"]) model.on(name, draw)
  const ticking = setInterval(draw, 30_000)
  model.on("remove", () => clearInterval(ticking))
  draw()
  return root
}
