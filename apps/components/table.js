// A page of rows. What the columns mean is told apart by their kind; everything is shown as text, never as HTML.

const MINUTE = 60_000
const UNITS = [["d", 1440], ["h", 60], ["m", 1]]

function relative(instant, now) {
  const minutes = Math.abs(now - instant) / MINUTE
  if (minutes < 1) return "just now"
  const [unit, length] = UNITS.find(([, length]) => minutes >= length)
  const count = Math.floor(minutes / length)
  return instant > now ? `in ${count}${unit}` : `${count}${unit} ago`
}

function made(name, text, attributes = {}) {
  const node = document.createElement(name)
  if (text !== undefined && text !== null) node.textContent = text
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  return node
}

const KINDS = {
  text: (value) => made("span", value ?? "—"),
  number: (value) => made("span", value === null ? "—" : value.toLocaleString()),
  link: (value) => {
    const cell = made("div", null, {class: "linked", title: value.text})
    cell.append(made("a", value.text, {href: value.href}))
    if (value.note) cell.append(made("div", value.note, {class: "note"}))
    return cell
  },
  badge: (value) => made("span", value.replaceAll("_", " "), {class: `badge ${value}`}),
  dot: (value) => {
    const cell = made("span", null, {class: "nowrap"})
    cell.append(made("span", null, {class: `dot ${value}`, "aria-hidden": "true"}), value.replaceAll("_", " "))
    return cell
  },
  progress: (value) => {
    const cell = made("span", null, {class: "nowrap"})
    const bar = made("span", null, {class: "bar", "aria-hidden": "true"})
    const filled = made("span", null, {class: value.level ?? "running"})
    filled.style.width = `${Math.min(100, value.percent)}%`
    bar.append(filled)
    cell.append(bar, value.text)
    return cell
  },
  instant: (value) => {
    if (value === null) return made("span", "—")
    const instant = new Date(value)
    const said = instant.toLocaleString(undefined, {dateStyle: "full", timeStyle: "long"})
    return made("time", relative(instant, Date.now()), {datetime: value, title: said, class: "nowrap"})
  },
}

export function render({model}) {
  const root = made("div", null, {class: "root"})
  const tools = made("div", null, {class: "tools"})
  const said = made("span", "", {class: "said", role: "status"})
  const csv = made("button", "CSV", {type: "button", title: "Download the rows as CSV"})
  const cell = made("button", "Notebook", {type: "button", title: "Copy as a notebook cell"})
  tools.append(said, csv, cell)
  const scroll = made("div", null, {class: "scroll", tabindex: "0", role: "region"})
  const table = made("table")
  const head = made("thead")
  const body = made("tbody")
  table.append(head, body)
  const empty = made("div", "", {class: "empty"})
  scroll.append(table)
  const foot = made("div", null, {class: "foot"})
  const before = made("button", "‹ Back", {type: "button"})
  const after = made("button", "Next ›", {type: "button"})
  const place = made("span", "")
  foot.append(before, place, after)
  root.append(tools, scroll, empty, foot)

  function drawHead() {
    const row = made("tr")
    if (model.selectable) {
      const all = made("input", null, {type: "checkbox", "aria-label": "Select all rows of this page"})
      all.checked = model.rows.length > 0 && model.rows.every((row) => model.selected.includes(row.id))
      all.addEventListener("change", () => {
        model.selected = all.checked ? model.rows.map((row) => row.id) : []
        draw()
      })
      const header = made("th", null, {scope: "col"})
      header.append(all)
      row.append(header)
    }
    for (const column of model.columns) {
      const header = made("th", null, {scope: "col"})
      const up = model.sort === column.sort, down = model.sort === `-${column.sort}`
      if (column.sort) {
        const button = made("button", column.title, {type: "button", class: "sort"})
        button.append(made("span", down ? " ↓" : up ? " ↑" : "", {"aria-hidden": "true"}))
        button.addEventListener("click", () => { model.sort = down ? column.sort : `-${column.sort}` })
        header.append(button)
        if (up || down) header.setAttribute("aria-sort", up ? "ascending" : "descending")
      } else {
        header.textContent = column.title
      }
      row.append(header)
    }
    head.replaceChildren(row)
  }

  function drawRow(row) {
    const drawn = made("tr", null, {"data-id": row.id})
    if (model.selectable) {
      const box = made("input", null, {type: "checkbox", "aria-label": `Select ${row.label ?? row.id}`})
      box.checked = model.selected.includes(row.id)
      box.addEventListener("change", () => {
        const others = model.selected.filter((id) => id !== row.id)
        model.selected = box.checked ? [...others, row.id] : others
        drawHead()
      })
      const first = made("td")
      first.append(box)
      drawn.append(first)
    }
    for (const column of model.columns) {
      const cell = made("td")
      cell.append(KINDS[column.kind](row[column.field]))
      drawn.append(cell)
    }
    return drawn
  }

  function draw() {
    // Who goes through the rows by keyboard stays where they are when something changes elsewhere.
    const focused = root.getRootNode().activeElement
    const row = focused?.closest?.("tr[data-id]")?.dataset.id
    const tag = focused?.localName
    cell.hidden = !model.notebook_cell
    drawHead()
    body.replaceChildren(...model.rows.map(drawRow))
    if (row && tag) body.querySelector(`tr[data-id="${CSS.escape(row)}"] ${tag}`)?.focus({preventScroll: true})
    scroll.setAttribute("aria-label", model.label)
    scroll.hidden = model.rows.length === 0
    empty.hidden = model.rows.length > 0
    empty.textContent = model.is_loading ? "Loading …" : model.empty
    drawFoot()
  }

  function drawFoot() {
    const first = model.page * model.page_size
    const about = model.total_is_estimate ? "about " : ""
    place.textContent = model.rows.length === 0 ? "" :
      `${(first + 1).toLocaleString()}–${(first + model.rows.length).toLocaleString()} of ${about}` +
      model.total.toLocaleString()
    before.hidden = after.hidden = model.page === 0 && !model.has_more
    before.disabled = model.page === 0
    after.disabled = !model.has_more
    foot.hidden = model.page === 0 && !model.has_more && model.rows.length === 0
  }

  function save() {
    const {name, text} = model.download
    if (!name) return
    const link = made("a", null, {download: name})
    link.href = URL.createObjectURL(new Blob(["\ufeff", text], {type: "text/csv;charset=utf-8"}))
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(model.notebook_cell)
      said.textContent = "Copied: paste it into a notebook."
    } catch {
      said.textContent = model.notebook_cell
    }
  }

  csv.addEventListener("click", () => model.send_msg("csv"))
  cell.addEventListener("click", copy)
  before.addEventListener("click", () => { model.page -= 1 })
  after.addEventListener("click", () => { model.page += 1 })
  for (const name of ["columns", "rows", "sort", "selected", "selectable", "empty", "label", "is_loading", "notebook_cell"])
    model.on(name, draw)
  for (const name of ["page", "total", "has_more", "total_is_estimate"]) model.on(name, drawFoot)
  model.on("download", save)
  const ticking = setInterval(() => {
    for (const time of body.querySelectorAll("time"))
      time.textContent = relative(new Date(time.dateTime), Date.now())
  }, 30_000)
  model.on("remove", () => clearInterval(ticking))
  draw()
  return root
}
