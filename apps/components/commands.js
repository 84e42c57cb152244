// Commands as buttons, and one dialog for what they ask for. Everything is shown as text, never as HTML.

function made(name, text, attributes = {}) {
  const node = document.createElement(name)
  if (text !== undefined && text !== null) node.textContent = text
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  return node
}

// An instant as a field shows it: in the viewer's zone, to the minute.
function local(iso) {
  const instant = new Date(iso)
  return new Date(instant - instant.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

const KINDS = {
  text: () => made("textarea", null, {rows: "3"}),
  json: () => made("textarea", null, {rows: "6", spellcheck: "false"}),
  flag: () => made("input", null, {type: "checkbox"}),
  instant: () => made("input", null, {type: "datetime-local"}),
  choice: (field) => {
    const select = made("select")
    select.append(...field.options.map((option) => made("option", option.replaceAll("_", " "), {value: option})))
    return select
  },
}
const line = () => made("input", null, {type: "text", autocomplete: "off"})

function control(field, id) {
  const input = (KINDS[field.kind] ?? line)(field)
  input.id = id
  input.name = field.name
  input.required = field.is_required
  if (field.value !== null && field.kind !== "flag")
    input.value = field.kind === "instant" ? local(field.value) : field.value
  return input
}

function entered(field, input, before) {
  if (field.kind === "flag") return input.checked
  if (field.kind !== "instant") return input.value
  if (input.value === before) return field.value
  return input.value ? new Date(input.value).toISOString() : null
}

export function render({model}) {
  const root = made("div", null, {class: "root"})
  const bar = made("div", null, {class: "bar-of-buttons", role: "group"})
  const dialog = made("dialog", null, {"aria-labelledby": "title"})
  root.append(bar, dialog)
  let number = 0
  let open = null

  // What the browser itself draws in a field, such as a calendar, goes by this.
  const isDark = () => {
    const [red, green, blue] = getComputedStyle(dialog).color.match(/\d+/g).map(Number)
    return red + green + blue > 384
  }
  const buttonOf = (name) => bar.querySelector(`[data-name="${CSS.escape(name)}"]`)

  function draw() {
    const focused = root.getRootNode().activeElement?.dataset?.name
    bar.setAttribute("aria-label", model.label)
    bar.replaceChildren(...model.actions.map((action) => {
      const button = made("button", action.label, {type: "button", "data-name": action.name})
      if (action.is_grave) button.classList.add("grave")
      button.addEventListener("click", () => choose(action))
      return button
    }))
    if (focused) buttonOf(focused)?.focus({preventScroll: true})
  }

  function send(action, values, version) {
    number += 1
    model.send_msg({action: action.name, values, version, number})
  }

  function choose(action) {
    if (action.fields.length === 0 && !action.is_grave) send(action, {}, model.version)
    else ask(action)
  }

  function ask(action) {
    const form = made("form", null, {method: "dialog"})
    const problem = made("p", "", {class: "problem", role: "alert"})
    const cancel = made("button", "Back", {type: "button"})
    const does = made("button", action.label, {type: "submit", class: `does${action.is_grave ? " grave" : ""}`})
    form.append(made("h2", action.label, {id: "title"}), made("p", model.about, {class: "about"}))
    const inputs = action.fields.map((field) => {
      const id = `field-${field.name}`
      const input = control(field, id)
      const label = made("label", field.label, {for: id})
      if (field.kind === "flag") {
        label.className = "flag"
        label.prepend(input)
        form.append(label)
      } else {
        form.append(label, input)
      }
      if (field.kind === "person") {
        const people = made("datalist", null, {id: `${id}-people`})
        people.append(...field.options.map((person) => made("option", null, {value: person})))
        input.setAttribute("list", people.id)
        form.append(people)
      }
      if (field.help) {
        form.append(made("p", field.help, {class: "help", id: `${id}-help`}))
        input.setAttribute("aria-describedby", `${id}-help`)
      }
      return [field, input, input.value]
    })
    const ends = made("div", null, {class: "ends"})
    ends.append(cancel, does)
    form.append(problem, ends)
    cancel.addEventListener("click", () => dialog.close())
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      problem.textContent = ""
      does.disabled = true
      send(action, Object.fromEntries(inputs.map(([field, input, before]) =>
        [field.name, entered(field, input, before)])), open.version)
      open.number = number
    })
    dialog.replaceChildren(form)
    open = {version: model.version, number: 0, name: action.name, problem, does}
    dialog.showModal()
    dialog.style.colorScheme = isDark() ? "dark" : "light"
    ;(inputs[0]?.[1] ?? does).focus()
  }

  function hear() {
    if (open === null || model.answer.number !== open.number) return
    if (!model.answer.problem) return dialog.close()
    // Who has read the refusal has seen what the item is now.
    open.version = model.version
    open.does.disabled = false
    open.problem.textContent = model.answer.problem
  }

  dialog.addEventListener("close", () => {
    const name = open?.name
    open = null
    dialog.replaceChildren()
    const button = (name && buttonOf(name)) ?? bar.querySelector("button")
    button?.focus({preventScroll: true})
  })
  for (const name of ["actions", "label"]) model.on(name, draw)
  model.on("answer", hear)
  model.on("version", () => { if (open?.problem.textContent) open.version = model.version })
  draw()
  return root
}
