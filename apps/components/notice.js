// A word to the person, shown as text.

const SIGNS = {error: "✕", warning: "!", info: "i", success: "✓"}

export function render({model}) {
  const root = document.createElement("div")
  const sign = document.createElement("span")
  sign.className = "sign"
  sign.setAttribute("aria-hidden", "true")
  const text = document.createElement("span")
  text.className = "text"
  const close = document.createElement("button")
  close.type = "button"
  close.textContent = "✕"
  close.setAttribute("aria-label", "Close this message")
  close.addEventListener("click", () => model.send_msg("close"))
  root.append(sign, text, close)

  function draw() {
    root.className = `notice ${model.severity}`
    root.setAttribute("role", model.severity === "error" ? "alert" : "status")
    sign.textContent = SIGNS[model.severity]
    text.textContent = model.object
    close.hidden = !model.closeable
  }

  for (const name of ["object", "severity", "closeable"]) model.on(name, draw)
  draw()
  return root
}
