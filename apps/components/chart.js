// Columns by day. What the picture says is said in words too: of the whole in its name, of one day below it (on
// hover, and by the arrow keys), and of every day in a table.

const SVG = "http://www.w3.org/2000/svg"
const HEIGHT = 160, BOTTOM = 20, LEFT = 34, RIGHT = 4, TOP = 6

function made(name, text, attributes = {}) {
  const node = document.createElement(name)
  if (text !== undefined && text !== null) node.textContent = text
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  return node
}

function drawn(name, attributes = {}, text = null) {
  const node = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  if (text !== null) node.textContent = text
  return node
}

// A day of the viewer's calendar has no zone of its own.
const dayName = (day, style) => new Date(`${day}T00:00:00`).toLocaleDateString(undefined, style)
const shortDay = (day) => dayName(day, {day: "numeric", month: "short"})
const wholeDay = (day) => dayName(day, {weekday: "long", day: "numeric", month: "long"})

function ceiling(most) {
  const size = 10 ** Math.floor(Math.log10(Math.max(most, 4)))
  return [1, 2, 4, 5, 10].map((step) => step * size).find((top) => top >= Math.max(most, 4))
}

export function render({model}) {
  const root = made("section", null, {class: "chart"})
  const top = made("div", null, {class: "top"})
  const title = made("h3")
  const legend = made("div", null, {class: "legend"})
  top.append(title, legend)
  const picture = drawn("svg", {role: "img", tabindex: "0", preserveAspectRatio: "none"})
  const said = made("div", "", {class: "figures-of-day", "aria-live": "polite"})
  const details = made("details")
  const table = made("table")
  const scroll = made("div", null, {class: "scroll"})
  scroll.append(table)
  details.append(made("summary", "As a table"), scroll)
  root.append(top, picture, said, details)
  let chosen = -1
  let width = 0

  const figures = (index) => model.figures.series.map((one) => `${one.values[index].toLocaleString()} ${one.name}`).join(", ")

  function overall() {
    return model.figures.series.map((one) => {
      const sum = one.values.reduce((before, value) => before + value, 0)
      return `${sum.toLocaleString()} ${one.name}`
    }).join(", ")
  }

  function say(index) {
    said.textContent = index < 0 ? `${model.figures.days.length} days: ${overall()}` :
      `${wholeDay(model.figures.days[index])}: ${figures(index)}`
    for (const [number, group] of picture.querySelectorAll(".day").entries())
      group.classList.toggle("chosen", number === index)
  }

  function draw() {
    title.textContent = model.label
    if (!model.figures.days) {
      legend.replaceChildren()
      picture.replaceChildren()
      said.textContent = "Loading …"
      return
    }
    legend.replaceChildren(...model.figures.series.map((one) => {
      const entry = made("span")
      const key = made("span", null, {class: "key", "aria-hidden": "true"})
      key.style.background = one.colour
      entry.append(key, one.name)
      return entry
    }))
    chosen = Math.min(chosen, model.figures.days.length - 1)
    drawPicture()
    drawTable()
    say(chosen)
  }

  function drawPicture() {
    width = picture.clientWidth || 560
    picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`)
    picture.setAttribute("aria-label", `${model.label}, ${model.figures.days.length} days: ${overall()}. Arrow keys go through the days.`)
    const most = ceiling(Math.max(...model.figures.series.flatMap((one) => one.values)))
    const ground = HEIGHT - BOTTOM
    const y = (value) => ground - (value / most) * (ground - TOP)
    const step = (width - LEFT - RIGHT) / model.figures.days.length
    const nodes = []
    for (const value of [0, most / 2, most]) {
      nodes.push(drawn("line", {class: "rule", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value)}))
      nodes.push(drawn("text", {x: LEFT - 6, y: y(value) + 4, "text-anchor": "end"}, value.toLocaleString()))
    }
    const each = Math.max(1, (step * 0.72) / model.figures.series.length)
    const marked = Math.max(1, Math.ceil(64 / step))
    model.figures.days.forEach((day, index) => {
      const left = LEFT + index * step
      const group = drawn("g", {class: "day"})
      group.append(drawn("rect", {class: "ground", x: left, y: 0, width: step, height: ground}))
      model.figures.series.forEach((one, number) => {
        const x = left + step * 0.14 + number * each
        const height = ground - y(one.values[index])
        group.append(drawn("rect", {x, y: ground - height, width: each - 0.6, height, fill: one.colour, rx: 1}))
      })
      group.addEventListener("mouseenter", () => say(index))
      nodes.push(group)
      if ((model.figures.days.length - 1 - index) % marked === 0)
        nodes.push(drawn("text", {x: left + step / 2, y: HEIGHT - 5, "text-anchor":
          index === model.figures.days.length - 1 ? "end" : "middle", dx: index === model.figures.days.length - 1 ? step / 2 : 0},
          shortDay(day)))
    })
    picture.replaceChildren(...nodes)
  }

  function drawTable() {
    const head = made("tr")
    head.append(made("th", "Day", {scope: "col"}), ...model.figures.series.map((one) => made("th", one.name, {scope: "col"})))
    const rows = model.figures.days.map((day, index) => {
      const row = made("tr")
      row.append(made("th", wholeDay(day), {scope: "row"}),
        ...model.figures.series.map((one) => made("td", one.values[index].toLocaleString())))
      return row
    }).reverse()
    const heading = made("thead")
    heading.append(head)
    const body = made("tbody")
    body.append(...rows)
    table.replaceChildren(heading, body)
  }

  picture.addEventListener("mouseleave", () => { if (model.figures.days) say(chosen) })
  picture.addEventListener("keydown", (event) => {
    const last = (model.figures.days?.length ?? 0) - 1
    const next = {ArrowLeft: chosen < 0 ? last : chosen - 1, ArrowRight: chosen + 1, Home: 0, End: last, Escape: -1}[event.key]
    if (next === undefined || last < 0) return
    event.preventDefault()
    chosen = event.key === "Escape" ? -1 : Math.max(0, Math.min(last, next))
    say(chosen)
  })
  picture.addEventListener("blur", () => { chosen = -1; if (model.figures.days) say(-1) })
  const resized = new ResizeObserver(() => {
    if (picture.clientWidth !== width && model.figures.days) { drawPicture(); say(chosen) }
  })
  resized.observe(picture)
  for (const name of ["label", "figures"]) model.on(name, draw)
  model.on("remove", () => resized.disconnect())
  draw()
  return root
}
