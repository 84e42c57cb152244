// Names and values. Everything is shown as text, never as HTML.

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
  text: (value) => [made("span", value)],
  badge: (value) => [made("span", value.replaceAll("_", " "), {class: `badge ${value}`})],
  dot: (value) => [made("span", null, {class: `dot ${value}`, "aria-hidden": "true"}), made("span", value.replaceAll("_", " "))],
  link: (value) => [made("a", value.text, {href: value.href})],
  instant: (value) => {
    const instant = new Date(value)
    const whole = instant.toLocaleString(undefined, {dateStyle: "full", timeStyle: "long"})
    const short = instant.toLocaleString(undefined, {dateStyle: "medium", timeStyle: "short"})
    return [made("time", `${short} (${relative(instant, Date.now())})`, {datetime: value, title: whole})]
  },
}

export function render({model}) {
  const root = made("div", null, {class: "root"})

  function draw() {
    const list = made("dl")
    for (const {name, value, kind} of model.facts) {
      const fact = made("div")
      const said = made("dd")
      said.append(...KINDS[kind](value))
      fact.append(made("dt", name), said)
      list.append(fact)
    }
    root.replaceChildren(...(model.title ? [made("h2", model.title)] : []), ...(model.facts.length ? [list] : []))
  }

  model.on("title", draw)
  model.on("facts", draw)
  const ticking = setInterval(() => {
    // Whoever selects text here keeps the selection.
    if (!window.getSelection()?.toString()) draw()
  }, 60_000)
  model.on("remove", () => clearInterval(ticking))
  draw()
  return root
}
