const told = JSON.parse(document.getElementById("pairs").textContent);
const decided = new Map();
let saved = true;
function file() {
  const corrections = [...decided].sort((a, b) => a[0] - b[0]).map(([number, decision]) => ({
    ...told.pairs[number], decision,
  }));
  return JSON.stringify({ format: told.format, corrections }, null, 1) + "\n";
}
function show() {
  document.getElementById("count").textContent = decided.size + " of " + told.pairs.length + " decided";
}
for (const button of document.querySelectorAll("button[data-pair]")) {
  button.addEventListener("click", () => {
    const number = Number(button.dataset.pair), again = decided.get(number) === button.dataset.decision;
    if (again) decided.delete(number); else decided.set(number, button.dataset.decision);
    for (const each of button.parentElement.querySelectorAll("button"))
      each.setAttribute("aria-pressed", String(!again && each === button));
    saved = decided.size === 0;
    show();
  });
}
document.getElementById("save").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([file()], { type: "application/json" }));
  link.download = "corrections.json";
  link.click();
  URL.revokeObjectURL(link.href);
  saved = true;
});
window.addEventListener("beforeunload", (event) => { if (!saved) event.preventDefault(); });
show();
