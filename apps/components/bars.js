// Bars that are links. What is there already is changed in place, so that a focus stays where it is.

function made(name, attributes = {}) {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  return node
}

export function render({model}) {
  const root = made("section", {class: "frame"})
  const title = made("h3")
  const list = made("ul")
  root.append(title, list)

  function drawRow(row) {
    const item = made("li", {"data-state": row.state})
    const link = made("a")
    const bar = made("span", {class: "bar", "aria-hidden": "true"})
    bar.append(made("span", {class: row.state}))
    link.append(made("span", {class: "state"}), bar, made("span", {class: "count"}))
    item.append(link)
    return item
  }

  function draw() {
    title.textContent = model.label
    const most = Math.max(1, ...model.rows.map((row) => row.count))
    const items = model.rows.map((row) =>
      list.querySelector(`[data-state="${CSS.escape(row.state)}"]`) ?? drawRow(row))
    if (items.length !== list.children.length || items.some((item, index) => item !== list.children[index]))
      list.replaceChildren(...items)
    model.rows.forEach((row, index) => {
      const link = items[index].firstChild
      link.href = row.href
      link.querySelector(".state").textContent = row.state.replaceAll("_", " ")
      link.querySelector(".bar span").style.width = `${(100 * row.count) / most}%`
      link.querySelector(".count").textContent = row.text
    })
  }

  for (const name of ["label", "rows"]) model.on(name, draw)
  draw()
  return root
}
