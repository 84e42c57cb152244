// What is typed is told when somebody pauses, presses Enter or leaves. The field is theirs: while they are in it,
// nothing is put into it from elsewhere.

const PAUSE = 300

export function render({model}) {
  const root = document.createElement("label")
  const name = document.createElement("span")
  const input = document.createElement("input")
  input.type = "search"
  input.maxLength = 500
  root.append(name, input)
  let waiting = null

  function tell() {
    clearTimeout(waiting)
    if (model.value !== input.value) model.value = input.value
  }

  function draw() {
    name.textContent = model.label
    input.placeholder = model.placeholder
    if (root.getRootNode().activeElement !== input) input.value = model.value
  }

  input.addEventListener("input", () => {
    clearTimeout(waiting)
    waiting = setTimeout(tell, PAUSE)
  })
  input.addEventListener("change", tell)
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") tell() })
  for (const changed of ["label", "placeholder", "value"]) model.on(changed, draw)
  model.on("remove", () => clearTimeout(waiting))
  draw()
  return root
}
