// Facts with names. Everything is shown as text, never as HTML.

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

function time(iso) {
  const instant = new Date(iso)
  const said = instant.toLocaleString(undefined, {dateStyle: "full", timeStyle: "long"})
  return made("time", relative(instant, Date.now()), {datetime: iso, title: said, class: "nowrap"})
}

function dot(level) {
  const cell = made("span", null, {class: "nowrap"})
  cell.append(made("span", null, {class: `dot ${level}`, "aria-hidden": "true"}), level.replaceAll("_", " "))
  return cell
}

const KINDS = {
  text: (value) => [made("span", value ?? "—")],
  code: (value) => [made("pre", value, {tabindex: "0"})],
  link: (value) => [value === null ? made("span", "—") : made("a", value.text, {href: value.href})],
  badge: (value) => [made("span", value.replaceAll("_", " "), {class: `badge ${value}`})],
  dot: (value) => [dot(value)],
  instant: (value) => [value === null ? made("span", "—") : time(value)],
  progress: (value) => {
    const bar = made("span", null, {class: "bar", "aria-hidden": "true"})
    const filled = made("span", null, {class: "running"})
    filled.style.width = `${Math.min(100, value.percent)}%`
    bar.append(filled)
    return [bar, made("span", value.text)]
  },
  clock: (value) => {
    const first = made("span", null, {class: "nowrap"})
    if (value.status) first.append(dot(value.status), " · ")
    first.append(value.text)
    const note = made("div", value.note ? `${value.note} · ` : "", {class: "note"})
    note.append("due ", time(value.due))
    return [first, note]
  },
}

export function render({model}) {
  const root = made("div", null, {class: "root"})
  const title = made("h2")
  const list = made("dl")
  root.append(title, list)

  function draw() {
    title.textContent = model.title
    title.hidden = !model.title
    list.hidden = model.facts.length === 0
    if (model.label) list.setAttribute("aria-label", model.label)
    list.replaceChildren(...model.facts.map(({name, kind, value}) => {
      const fact = made("div", null, kind === "code" ? {class: "wide"} : {})
      const said = made("dd")
      said.append(...KINDS[kind](value))
      fact.append(made("dt", name), said)
      return fact
    }))
  }

  const ticking = setInterval(() => {
    for (const shown of list.querySelectorAll("time"))
      shown.textContent = relative(new Date(shown.dateTime), Date.now())
  }, 30_000)
  for (const name of ["facts", "label", "title"]) model.on(name, draw)
  model.on("remove", () => clearInterval(ticking))
  draw()
  return root
}
