// The pages as links, and the address bar: a plain click on a link to a page changes the page without loading
// the document again; other clicks do what the browser does.

export function render({model}) {
  const nav = document.createElement("nav")
  nav.setAttribute("aria-label", "Pages")

  function draw() {
    const here = model.url.split("?")[0]
    nav.replaceChildren(...model.groups.flatMap(([title, items]) => {
      const list = document.createElement("ul")
      for (const [path, label] of items) {
        const link = document.createElement("a")
        link.href = path
        link.textContent = label
        if (path === here) {
          link.setAttribute("aria-current", "page")
          document.title = `${label} · GNDP`
        }
        const item = document.createElement("li")
        item.append(link)
        list.append(item)
      }
      if (!title) return [list]
      const heading = document.createElement("h2")
      heading.textContent = title
      return [heading, list]
    }))
  }

  // Panel asks for its files by relative paths, which would lead elsewhere once the address is deeper or less deep.
  const base = document.createElement("base")
  base.href = "/"
  document.head.prepend(base)

  const address = () => window.location.pathname + window.location.search

  function follow(event) {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement)
    if (!link || link.target || link.hasAttribute("download")) return
    const there = new URL(link.href, window.location.href)
    if (there.origin !== window.location.origin || !model.paths.includes(there.pathname)) return
    event.preventDefault()
    show(there.pathname + there.search)
  }

  function show(url) {
    if (url !== address()) window.history.pushState({}, "", url)
    // What a page says of itself may have changed the address since: then the same one is asked for again.
    if (url === model.url) model.send_msg("again")
    else model.url = url
    window.scrollTo(0, 0)
  }

  const back = () => { model.url = address() }
  document.addEventListener("click", follow)
  window.addEventListener("popstate", back)
  model.on("url", () => {
    if (model.url !== address()) window.history.pushState({}, "", model.url)
    draw()
  })
  model.on("groups", draw)
  model.on("left_for", () => { window.location.assign(model.left_for) })
  // What a page says of itself, such as its filters, unless it was left meanwhile: no step in the history.
  model.on("said", () => {
    if (model.said.split("?")[0] === window.location.pathname) window.history.replaceState({}, "", model.said)
  })
  model.on("remove", () => {
    document.removeEventListener("click", follow)
    window.removeEventListener("popstate", back)
  })
  model.zone = Intl.DateTimeFormat().resolvedOptions().timeZone

  // Panel's own notice needs eval, which pages do without.
  const lost = document.createElement("div")
  lost.setAttribute("role", "alert")
  lost.className = "lost"
  lost.hidden = true
  lost.textContent = "The connection to the server is lost. What is shown may be old; trying again …"
  for (const shown of window.Bokeh?.documents ?? []) {
    shown.on_event("connection_lost", () => { lost.hidden = false })
    shown.on_event("client_reconnected", () => { lost.hidden = true })
  }

  const root = document.createElement("div")
  root.append(lost, nav)
  draw()
  return root
}
