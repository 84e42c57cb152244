// A button that downloads a file which the server makes when it is asked.

export function render({model}) {
  const button = document.createElement("button")
  button.type = "button"

  function draw() {
    button.textContent = model.is_busy ? "Making the file …" : model.label
    button.disabled = model.is_busy
  }

  function save() {
    if (!model.file.name) return
    const bytes = Uint8Array.from(atob(model.file.base64), (letter) => letter.charCodeAt(0))
    const link = document.createElement("a")
    link.download = model.file.name
    link.href = URL.createObjectURL(new Blob([bytes], {type: "application/octet-stream"}))
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  }

  button.addEventListener("click", () => model.send_msg("make"))
  model.on("file", save)
  model.on("label", draw)
  model.on("is_busy", draw)
  draw()
  return button
}
