// The token goes once to the gateway, and becomes a cookie that scripts cannot read.
const onward = () => {
  const next = new URLSearchParams(location.search).get("next") || "";
  location.replace(next.startsWith("/gui/") ? next : "/gui/");
};
document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = document.querySelector("#token").value.trim(), why = document.querySelector("#why");
  why.textContent = "";
  try {
    const answer = await fetch("/api/v1/session", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({token})});
    if (answer.ok) onward(); else why.textContent = (await answer.json()).detail;
  } catch (error) {
    why.textContent = "The gateway cannot be reached.";
  }
});
