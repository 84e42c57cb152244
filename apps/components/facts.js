// Names with their values; everything is shown as text, never as HTML.

const UNITS = [["d", 1440], ["h", 60], ["m", 1]]

function relative(instant) {
  const minutes = Math.abs(Date.now() - instant) / 60_000
  if (minutes < 1) return "now"
  const [unit, length] = UNITS.find(([, length]) => minutes >= length)
  const count = Math.floor(minutes / length)
  return instant > Date.now() ? `in ${count}${unit}` : `${count}${unit} ago`
}

function value(item) {
  if (item.kind === "instant") {
    const instant = new Date(item.value)
    const time = document.createElement("time")
    time.dateTime = item.value
    const said = {weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
                  timeZoneName: "short"}
    time.textContent = `${instant.toLocaleString(undefined, said)} (${relative(instant)})`
    time.title = instant.toLocaleString(undefined, {dateStyle: "full", timeStyle: "long"})
    return time
  }
  const node = document.createElement(item.kind === "code" ? "pre" : "span")
  if (item.kind === "code") node.tabIndex = 0
  if (item.kind === "badge") node.className = `badge ${item.value}`
  node.textContent = item.kind === "badge" ? item.value.replaceAll("_", " ") : item.value
  return node
}

export function render({model}) {
  const list = document.createElement("dl")
  function draw() {
    list.replaceChildren(...model.items.flatMap((item) => {
      const name = document.createElement("dt")
      name.textContent = item.name
      const said = document.createElement("dd")
      said.append(value(item))
      return [name, said]
    }))
  }
  model.on("items", draw)
  draw()
  return list
}
