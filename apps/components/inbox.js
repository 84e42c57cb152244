// Lists of tasks. The arrows go through them; letters give commands, only while the lists have the focus.

const MINUTE = 60_000
const UNITS = [["d", 1440], ["h", 60], ["m", 1]]

function relative(instant, now) {
  const minutes = Math.abs(now - instant) / MINUTE
  if (minutes < 1) return "now"
  const [unit, length] = UNITS.find(([, length]) => minutes >= length)
  const count = Math.floor(minutes / length)
  return instant > now ? `due in ${count}${unit}` : `${count}${unit} late`
}

function made(name, text, attributes = {}) {
  const node = document.createElement(name)
  if (text !== undefined && text !== null) node.textContent = text
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  return node
}

export function render({model}) {
  const root = made("div", null, {class: "root"})
  const lists = made("div", null, {class: "lists"})
  const legend = made("p", null, {class: "legend"})
  root.append(lists, legend)

  const buttons = () => [...lists.querySelectorAll("button")]

  function due(task) {
    if (!task.due) return made("span", "no due date", {class: "due"})
    const instant = new Date(task.due)
    const time = made("time", relative(instant, Date.now()), {
      datetime: task.due, class: "due", title: instant.toLocaleString(undefined, {dateStyle: "full", timeStyle: "long"}),
    })
    time.classList.toggle("late", instant < Date.now())
    return time
  }

  function item(task) {
    const button = made("button", null, {type: "button", "data-id": task.id, title: task.name})
    if (task.id === model.chosen) button.setAttribute("aria-current", "true")
    const first = made("span", null, {class: "line"})
    first.append(made("span", task.name, {class: "title"}), due(task))
    const second = made("span", null, {class: "line small"})
    const state = made("span", null, {class: "state"})
    state.append(made("span", null, {class: `dot ${task.state}`, "aria-hidden": "true"}), task.said)
    second.append(made("span", task.note, {class: "title"}), state)
    const third = made("span", null, {class: `priority ${task.priority}`})
    third.append(made("span", null, {class: `dot ${task.priority}`, "aria-hidden": "true"}), `${task.priority} priority`)
    second.insertBefore(third, state)
    button.append(first, second)
    button.addEventListener("click", () => choose(task.id))
    const row = made("li")
    row.append(button)
    return row
  }

  function draw() {
    const focused = root.getRootNode().activeElement?.dataset?.id
    const top = lists.scrollTop
    lists.replaceChildren(...model.groups.flatMap(({title, empty, tasks}) => {
      const heading = made("h2", title)
      if (!tasks.length) return [heading, made("p", empty, {class: "none"})]
      const list = made("ul", null, {"aria-label": title})
      list.append(...tasks.map(item))
      return [heading, list]
    }))
    lists.scrollTop = top
    mark()
    // Whoever goes through the list goes on, also when a task has left it.
    if (focused) (find(focused) ?? find(model.chosen) ?? buttons()[0])?.focus({preventScroll: true})
    legend.textContent = buttons().length ? ["↑ ↓ choose", ...Object.entries(model.keys).map(([key, does]) => `${key} ${does}`)].join(" · ") : ""
  }

  const find = (id) => buttons().find((button) => button.dataset.id === id)

  function mark() {
    const all = buttons()
    const stop = find(model.chosen) ?? all[0]
    for (const button of all) {
      if (button.dataset.id === model.chosen) button.setAttribute("aria-current", "true")
      else button.removeAttribute("aria-current")
      button.tabIndex = button === stop ? 0 : -1
    }
  }

  function choose(id) {
    model.chosen = id
    mark()
  }

  lists.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const all = buttons()
    const here = all.indexOf(event.target)
    if (here < 0) return
    const step = {ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, Home: -all.length, End: all.length}[event.key]
    if (step !== undefined) {
      const there = all[Math.min(all.length - 1, Math.max(0, here + step))]
      there.focus()
      there.scrollIntoView({block: "nearest"})
      choose(there.dataset.id)
      event.preventDefault()
    } else if (Object.hasOwn(model.keys, event.key)) {
      choose(event.target.dataset.id)
      model.send_msg({key: event.key, task: event.target.dataset.id})
      event.preventDefault()
    }
  })

  model.on("groups", draw)
  model.on("keys", draw)
  model.on("chosen", mark)
  const ticking = setInterval(() => {
    for (const time of lists.querySelectorAll("time")) time.textContent = relative(new Date(time.dateTime), Date.now())
  }, 30_000)
  model.on("remove", () => clearInterval(ticking))
  draw()
  return root
}
