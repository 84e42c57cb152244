// Signs in, or sets a password by a one-time link: /sign-in#link=<token>. The token stays in the browser, for the
// part of an address behind # is never sent.
const link = new URLSearchParams(location.hash.slice(1)).get("link");
const element = (id) => document.getElementById(id);
if (link) {
  element("about").textContent = "Set your password: at least 15 characters; several words are easy to keep.";
  element("password_label").textContent = "New password";
  element("password").autocomplete = "new-password";
  element("who").remove();
  element("send").textContent = "Set password and sign in";
}
element("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const password = element("password").value;
  const [path, body] = link
    ? ["/api/auth/link", { token: link, password }]
    : ["/api/auth/sign-in", { user_id: element("user_id").value, password }];
  element("send").disabled = true;
  element("problem").textContent = "";
  try {
    const reply = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (reply.ok) {
      const next = new URLSearchParams(location.search).get("next") || "/";
      location.replace(/^\/(?![\/\\])/.test(next) ? next : "/");
      return;
    }
    const problem = await reply.json();
    element("problem").textContent = reply.status === 401
      ? (link ? "This link is not good any more. Ask for a new one." : "That did not work. Check id and password; after several tries, wait a while.")
      : problem.detail;
  } catch {
    element("problem").textContent = "The server cannot be reached. Try again.";
  }
  element("send").disabled = false;
});
