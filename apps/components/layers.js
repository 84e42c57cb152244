// A graph in layers: each node in the layer behind the last of those that it waits for. All text is text.

const SVG = "http://www.w3.org/2000/svg"
const WIDTH = 186, HEIGHT = 46, ACROSS = 64, DOWN = 18, MARGIN = 4, LETTERS = 25

function made(name, attributes = {}, text) {
  const node = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  if (text !== undefined) node.textContent = text
  return node
}

const shortened = (text) => text.length > LETTERS ? `${text.slice(0, LETTERS - 1)}…` : text
const left = (node) => MARGIN + node.layer * (WIDTH + ACROSS)
const top = (node) => MARGIN + node.row * (HEIGHT + DOWN)

function edge(from, to) {
  const x1 = left(from) + WIDTH, y1 = top(from) + HEIGHT / 2
  const x2 = left(to) - 7, y2 = top(to) + HEIGHT / 2
  const group = made("g")
  const bend = ACROSS / 2
  group.append(
    made("path", {class: "edge", d: `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}),
    made("path", {class: "head", d: `M${x2} ${y2 - 4} l7 4 l-7 4 z`}),
  )
  return group
}

function box(node) {
  const group = made("g")
  const x = left(node), y = top(node)
  group.append(
    made("title", {}, node.note ? `${node.name} (${node.note})` : node.name),
    made("rect", {x, y, width: WIDTH, height: HEIGHT, rx: 8}),
    made("text", {x: x + 10, y: y + (node.note ? 19 : 27)}, shortened(node.name)),
  )
  if (node.note) group.append(made("text", {x: x + 10, y: y + 36, class: "note"}, shortened(node.note)))
  return group
}

export function render({model}) {
  const scroll = document.createElement("div")
  scroll.className = "scroll"
  scroll.tabIndex = 0
  scroll.setAttribute("role", "region")

  function draw() {
    const by_id = new Map(model.nodes.map((node) => [node.id, node]))
    const width = Math.max(0, ...model.nodes.map(left)) + WIDTH + 2 * MARGIN
    const height = Math.max(0, ...model.nodes.map(top)) + HEIGHT + 2 * MARGIN
    const drawing = made("svg", {width, height, role: "img", "aria-label": model.label})
    for (const [from, to] of model.edges) drawing.append(edge(by_id.get(from), by_id.get(to)))
    drawing.append(...model.nodes.map(box))
    scroll.setAttribute("aria-label", model.label)
    scroll.replaceChildren(drawing)
  }

  for (const name of ["nodes", "edges", "label"]) model.on(name, draw)
  draw()
  return scroll
}
