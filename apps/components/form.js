// A form. What is right is decided at the server: every change of an input is sent there, and what is wrong comes
// back by the key of the input, which is the way to it through the draft. Nothing that is typed is ever replaced.

const QUIET = 900 // milliseconds without a key after which a field that is being typed into is judged, too

const MOMENT = 250

function made(name, text, attributes = {}) {
  const node = document.createElement(name)
  if (text !== undefined && text !== null) node.textContent = text
  for (const [key, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(key, value)
  return node
}

// Numbers as the viewer writes them -----------------------------------------------------------------------

const PARTS = new Intl.NumberFormat(undefined, {useGrouping: true}).formatToParts(-1234567.5)
const mark = (type, other) => PARTS.find((part) => part.type === type)?.value ?? other
const GROUP = mark("group", ","), POINT = mark("decimal", ".")
const EXAMPLE = new Intl.NumberFormat().format(12345.6)

function spelled(text) {
  // The text as JSON writes numbers; as it is when it is none in the viewer's way of writing them. A text that is one
  // to JSON only (1.5 in German) is left, too: when the field is left, the viewer sees how it was understood.
  const plain = text.trim().replaceAll(/[\u00a0\u202f]/g, " ")
  const group = GROUP.replaceAll(/[\u00a0\u202f]/g, " ")
  const [whole, ...rest] = plain.split(POINT)
  const groups = whole.split(group)
  const isGrouped = groups.length === 1 || (/^[-+]?\d{1,3}$/.test(groups[0]) && groups.slice(1).every((g) => /^\d{3}$/.test(g)))
  if (!plain || rest.length > 1 || !isGrouped) return text.trim()
  return [groups.join(""), ...rest].join(".")
}

function written(text) {
  // A number of JSON as the viewer writes it, digit by digit, so that none is lost.
  const found = /^([-+]?)(\d+)(?:\.(\d*))?$/.exec(text)
  if (!found) return text
  const grouped = found[2].length > 4 ? found[2].replaceAll(/\B(?=(\d{3})+$)/g, GROUP) : found[2]
  return found[1] + grouped + (found[3] ? POINT + found[3] : "")
}

const isNumber = (text) => /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)

// Instants in the viewer's zone ---------------------------------------------------------------------------

function local(text) {
  const instant = new Date(text)
  if (!text || Number.isNaN(instant.getTime())) return ""
  return new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

function instant(text) {
  return text ? new Date(text).toISOString().replace(/\.\d+Z$/, "Z") : ""
}

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone

export function render({model}) {
  const root = made("div", null, {class: "root"})
  let draft, shown, judged, serial, timer, later, uses, refusals

  // The draft ---------------------------------------------------------------------------------------------

  function put(way, value) {
    if (way.length === 0) { draft = value; return }
    let around = draft
    for (const step of way.slice(0, -1)) around = around[step]
    around[way.at(-1)] = value
  }

  function got(way) {
    return way.reduce((around, step) => around?.[step], draft)
  }

  function send(what) {
    serial += 1
    model.send_msg({what, draft, serial, number: model.asked.number})
  }

  function changed(way, value) {
    put(way, value)
    send("draft")
    clearTimeout(timer)
    timer = setTimeout(() => judge(way), QUIET)
  }

  function judge(way) {
    judged.add(JSON.stringify(way))
    tell()
  }

  // What is wrong -----------------------------------------------------------------------------------------

  function tell() {
    // An older draft's verdict would say of what was just put right that it is wrong.
    if (model.verdict.number !== model.asked.number || model.verdict.serial !== serial) return
    const problems = model.verdict.problems
    for (const [key, {controls, problem, about}] of shown) {
      const said = judged.has(key) || refusals > 0 ? problems[key] ?? "" : ""
      const text = said && about === "number" && !isNumber(got(JSON.parse(key)) ?? "") && got(JSON.parse(key))
        ? `${said}; write it like ${EXAMPLE}` : said
      if (problem.textContent !== text) problem.textContent = text
      for (const control of controls()) control.setAttribute("aria-invalid", String(Boolean(said)))
    }
  }

  function refuse() {
    tell()
    const wrong = [...shown].filter(([key]) => model.verdict.problems[key])
    summary.textContent = wrong.length === 1 ? "One field needs another look." :
      `${Object.keys(model.verdict.problems).length} fields need another look.`
    // The first in the order of the page; a group or list comes before what is in it.
    const first = wrong.map(([, {controls}]) => controls()[0]).find(Boolean)
    first?.focus()
  }

  // Inputs ------------------------------------------------------------------------------------------------

  function named(field, id, tag = "label") {
    const label = made(tag, field.label, tag === "label" ? {for: id, class: "name"} : {class: "name"})
    if (!field.is_required) label.append(made("span", " (optional)", {class: "optional"}))
    return label
  }

  function framed(field, way, tag, id) {
    // A field with its name, its help and the place of what is wrong with it.
    const isGroup = tag === "fieldset"
    const frame = made(tag, null, {class: `field ${field.kind}`})
    if (field.label) frame.append(named(field, id, isGroup ? "legend" : "label"))
    const help = made("p", field.help, {class: "help", id: `${id}-help`})
    if (field.help) frame.append(help)
    const problem = made("p", "", {class: "problem", id: `${id}-problem`, "aria-live": "polite"})
    const described = `${field.help ? `${id}-help ` : ""}${id}-problem`
    if (isGroup) frame.setAttribute("aria-describedby", described)
    return {frame, problem, described}
  }

  function single(field, way, labelled) {
    const id = `input-${uses += 1}`
    const {frame, problem, described} = framed(field, way, "div", id)
    const control = CONTROLS[field.kind]?.(field, way) ?? text(field, way)
    control.id = id
    control.setAttribute("aria-describedby", described)
    if (field.is_required) control.setAttribute("aria-required", "true")
    if (!field.label) control.setAttribute("aria-label", labelled)
    // A moment later, for what moves while the mouse is pressed on it is not clicked.
    control.addEventListener("blur", () => setTimeout(() => judge(way), MOMENT))
    frame.append(control, problem)
    const about = field.kind === "integer" ? "number" : field.kind
    shown.set(JSON.stringify(way), {controls: () => [control], problem, about})
    return frame
  }

  function text(field, way, attributes = {}) {
    const control = made("input", null, {type: "text", autocomplete: "off", ...attributes})
    control.value = got(way) ?? ""
    control.addEventListener("input", () => changed(way, control.value))
    return control
  }

  function area(field, way, attributes) {
    const control = made("textarea", null, attributes)
    control.value = got(way) ?? ""
    control.addEventListener("input", () => changed(way, control.value))
    return control
  }

  function number(field, way) {
    const control = made("input", null, {
      type: "text", autocomplete: "off", inputmode: field.kind === "integer" ? "numeric" : "decimal", class: "short",
    })
    control.value = written(got(way) ?? "")
    control.addEventListener("input", () => changed(way, spelled(control.value)))
    control.addEventListener("change", () => { control.value = written(got(way)) })
    return control
  }

  function choice(field, way) {
    const control = made("select")
    control.append(made("option", "Choose …", {value: ""}))
    for (const [value, label] of field.options) control.append(made("option", label, {value}))
    control.value = got(way) ?? ""
    control.addEventListener("change", () => { changed(way, control.value); judge(way) })
    return control
  }

  const CONTROLS = {
    long_text: (field, way) => area(field, way, {rows: "4"}),
    json: (field, way) => area(field, way, {rows: "6", class: "json", spellcheck: "false", placeholder: "{ }"}),
    number, integer: number, choice,
    date: (field, way) => text(field, way, {type: "date", class: "short"}),
    date_time: (field, way) => {
      const control = made("input", null, {type: "datetime-local", class: "short", title: `In your time zone, ${ZONE}`})
      control.value = local(got(way))
      control.addEventListener("input", () => changed(way, instant(control.value)))
      return control
    },
  }

  function ticked(field, way) {
    // One of yes and no, or any of several: a group of its own, since each has its own label.
    const id = `input-${uses += 1}`
    const {frame, problem} = framed(field, way, "fieldset", id)
    const isOne = field.kind === "yes_no"
    const options = isOne ? [["true", "Yes"], ["false", "No"], ...(field.is_required ? [] : [["", "Not said"]])] : field.options
    const controls = []
    for (const [value, label] of options) {
      const control = made("input", null, {type: isOne ? "radio" : "checkbox", name: id, value, id: `${id}-${controls.length}`})
      control.checked = isOne ? (got(way) ?? "") === value : (got(way) ?? []).includes(value)
      control.addEventListener("change", () => {
        changed(way, isOne ? value : controls.filter((one) => one.checked).map((one) => one.value))
        judge(way)
      })
      controls.push(control)
      const around = made("label", null, {class: "tick", for: control.id})
      around.append(control, ` ${label}`)
      frame.append(around)
    }
    frame.append(problem)
    shown.set(JSON.stringify(way), {controls: () => controls, problem, about: field.kind})
    return frame
  }

  function group(field, way) {
    if (way.length === 0) {
      const all = made("div", null, {class: "fields"})
      all.append(...field.fields.map((inner) => drawn(inner, [inner.name])))
      return all
    }
    const id = `input-${uses += 1}`
    const {frame, problem} = framed(field, way, "fieldset", id)
    if (typeof got(way) !== "object" || got(way) === null) put(way, {...field.start})
    frame.append(...field.fields.map((inner) => drawn(inner, [...way, inner.name])), problem)
    shown.set(JSON.stringify(way), {controls: () => [], problem, about: "group"})
    return frame
  }

  function list(field, way) {
    const id = `input-${uses += 1}`
    const {frame, problem} = framed(field, way, "fieldset", id)
    const rows = made("ol", null, {class: "rows"})
    const add = made("button", `Add to ${field.label || "the list"}`, {type: "button", id})
    if (!Array.isArray(got(way))) put(way, [])
    const key = JSON.stringify(way)

    function draw() {
      for (const inner of [...shown.keys()]) if (inner !== key && inner.startsWith(`${key.slice(0, -1)},`)) shown.delete(inner)
      rows.replaceChildren(...got(way).map((_, index) => {
        const row = made("li")
        const away = made("button", "Remove", {type: "button", "aria-label": `Remove ${field.label} ${index + 1}`})
        away.addEventListener("click", () => {
          changed(way, got(way).filter((_, other) => other !== index))
          draw()
          add.focus()
        })
        row.append(drawn(field.item, [...way, index], `${field.label} ${index + 1}`), away)
        return row
      }))
      tell()
    }

    add.addEventListener("click", () => {
      changed(way, [...got(way), structuredClone(field.item.start)])
      draw()
      rows.lastElementChild.querySelector("input, select, textarea, button")?.focus()
    })
    shown.set(key, {controls: () => [add], problem, about: "list"})
    draw()
    frame.append(rows, add, problem)
    return frame
  }

  function drawn(field, way, labelled) {
    const draw = {group, list, yes_no: ticked, choices: ticked}[field.kind] ?? single
    return draw(field, way, labelled)
  }

  // The whole ---------------------------------------------------------------------------------------------

  const form = made("form", null, {novalidate: ""})
  const summary = made("p", "", {class: "summary", role: "alert"})
  const whole = made("p", "", {class: "problem", "aria-live": "polite"})
  const submit = made("button", "", {type: "submit", class: "primary"})
  const cancel = made("button", "", {type: "button"})
  const buttons = made("div", null, {class: "buttons"})
  buttons.append(submit, cancel)
  root.append(form)

  form.addEventListener("submit", (event) => {
    event.preventDefault()
    clearTimeout(timer)
    send("submit")
  })
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit()
    // Enter in a field goes on to nothing: a form is completed on purpose.
    else if (event.key === "Enter" && event.target.localName === "input") event.preventDefault()
    else if (event.key === "Escape" && !cancel.hidden) cancel.click()
  })
  cancel.addEventListener("click", () => model.send_msg({what: "cancel", number: model.asked.number}))

  function begin() {
    const asked = model.asked
    root.hidden = !asked.root
    if (!asked.root) return
    draft = structuredClone(asked.draft)
    shown = new Map()
    judged = new Set()
    serial = uses = 0
    refusals = 0
    summary.textContent = ""
    form.setAttribute("aria-label", asked.label)
    submit.textContent = asked.submit
    cancel.textContent = asked.cancel
    cancel.hidden = !asked.cancel
    const fields = drawn({...asked.root, label: asked.root.kind === "json" ? "Data (JSON)" : ""}, [])
    if (!shown.has("[]")) shown.set("[]", {controls: () => [], problem: whole, about: "group"})
    form.replaceChildren(fields, whole, summary, buttons)
    root.style.colorScheme = isDark() ? "dark" : "light"
    tell()
    if (asked.is_focused) focus()
  }

  function focus(tries = 8) {
    // Until it holds: what was just shown is laid out anew, which takes the focus away again.
    const first = form.querySelector("input, select, textarea") ?? submit
    if (root.getRootNode().activeElement !== first) first.focus()
    if (tries > 0) later = setTimeout(() => focus(tries - 1), 50)
  }

  root.addEventListener("keydown", () => clearTimeout(later))
  root.addEventListener("pointerdown", () => clearTimeout(later))

  function isDark() {
    const channels = getComputedStyle(root).color.match(/[\d.]+/g) ?? [0, 0, 0]
    return channels.slice(0, 3).reduce((sum, channel) => sum + Number(channel), 0) > 382
  }

  root.addEventListener("focusin", () => { root.style.colorScheme = isDark() ? "dark" : "light" })
  model.on("asked", begin)
  model.on("verdict", () => {
    if (model.verdict.number !== model.asked.number) return
    const isRefused = model.verdict.refusals > refusals
    refusals = model.verdict.refusals
    if (isRefused) refuse()
    else tell()
    if (Object.keys(model.verdict.problems).length === 0) summary.textContent = ""
  })
  model.on("msg:custom", (message) => { if (message.focus) focus() })
  model.on("remove", () => { clearTimeout(timer); clearTimeout(later) })
  begin()
  return root
}
