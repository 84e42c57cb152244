// Views of a list as links. Those that a person keeps are names for addresses, in this browser's storage only.

function made(name, text, attributes = {}) {
  const node = document.createElement(name)
  if (text) node.textContent = text
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  return node
}

// Two addresses show the same if they say the same, in whichever order and however it is written.
function same(one, other) {
  const said = (address) => {
    const {pathname, searchParams} = new URL(address, window.location.href)
    return pathname + JSON.stringify([...searchParams].filter(([name]) => name !== "page").sort())
  }
  return said(one) === said(other)
}

export function render({model}) {
  const key = `gndp.views ${model.place}`

  function kept() {
    try {
      const found = JSON.parse(window.localStorage.getItem(key)) ?? []
      return found.filter(([name, address]) =>
        typeof name === "string" && typeof address === "string" && address.split("?")[0] === model.place)
    } catch {
      return []
    }
  }

  function keep(views) {
    try {
      window.localStorage.setItem(key, JSON.stringify(views))
    } catch {
      said.textContent = "This browser keeps nothing."
    }
    draw()
  }

  const nav = made("nav", null, {"aria-label": "Views of the list"})
  const list = made("ul")
  const open = made("button", "Keep this view", {type: "button"})
  const form = made("form")
  const name = made("input", null, {"aria-label": "Name of the view", placeholder: "name", maxlength: "60"})
  const save = made("button", "Keep", {type: "submit"})
  const leave = made("button", "Cancel", {type: "button"})
  const said = made("span", "", {role: "status"})
  form.append(name, save, leave)
  form.hidden = true
  nav.append(list, open, form, said)

  function link(title, address) {
    const item = made("li")
    const shown = made("a", title, {href: address, title})
    if (same(address, model.here)) shown.setAttribute("aria-current", "page")
    item.append(shown)
    return item
  }

  function draw() {
    const own = kept()
    list.replaceChildren(
      ...model.ready.map(([title, address]) => link(title, address)),
      ...own.map(([title, address]) => {
        const item = link(title, address)
        const forget = made("button", "×", {type: "button", class: "forget", "aria-label": `Forget the view ${title}`})
        forget.addEventListener("click", () => keep(kept().filter((one) => one[0] !== title)))
        item.append(forget)
        return item
      }))
  }

  function toggle(isOpen) {
    form.hidden = !isOpen
    open.hidden = isOpen
    ;(isOpen ? name : open).focus()
  }

  open.addEventListener("click", () => toggle(true))
  leave.addEventListener("click", () => toggle(false))
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") toggle(false) })
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    const title = name.value.trim()
    if (!title) return
    keep([...kept().filter((one) => one[0] !== title), [title, model.here.replace(/([?&])page=\d+&?/, "$1")]])
    name.value = ""
    toggle(false)
  })
  for (const changed of ["here", "ready"]) model.on(changed, draw)
  draw()
  return nav
}
