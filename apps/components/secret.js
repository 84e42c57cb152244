// A secret that is told once, with a button that copies it.

export function render({model}) {
  const root = document.createElement("div")
  root.className = "told"
  root.setAttribute("role", "status")
  const about = document.createElement("p")
  const row = document.createElement("div")
  const shown = document.createElement("input")
  shown.readOnly = true
  shown.addEventListener("focus", () => shown.select())
  const copy = document.createElement("button")
  copy.type = "button"
  row.append(shown, copy)
  root.append(about, row)

  function draw() {
    root.hidden = !model.text
    about.textContent = `${model.label} It is shown only now: keep it where it belongs.`
    shown.setAttribute("aria-label", model.label)
    shown.value = model.text.startsWith("/") ? window.location.origin + model.text : model.text
    copy.textContent = "Copy"
  }

  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(shown.value)
      copy.textContent = "Copied"
    } catch {
      shown.focus()
    }
  })
  model.on("text", draw)
  model.on("label", draw)
  draw()
  return root
}
