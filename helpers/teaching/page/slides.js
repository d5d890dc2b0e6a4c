// One slide at a time. Forward shows what the slide's cells have printed, one by one, and then the next slide.
"use strict";
const slides = [...document.querySelectorAll("section")];
const where = document.body.appendChild(Object.assign(document.createElement("div"), { id: "where" }));
let current = 0;

function show(number, answered) {
  current = Math.max(0, Math.min(slides.length - 1, number));
  slides.forEach((slide, index) => slide.classList.toggle("shown", index === current));
  outputs().forEach((output) => output.classList.toggle("hidden", !answered));
  where.textContent = `${current + 1} / ${slides.length}`;
  history.replaceState(null, "", `#${current + 1}`);
  window.scrollTo(0, 0);
}

function outputs() {
  return [...slides[current].querySelectorAll(".output_wrapper")];
}

function forward() {
  const next = outputs().find((output) => output.classList.contains("hidden"));
  if (!next) return show(current + 1, false);
  next.classList.remove("hidden");
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const moves = {
    ArrowRight: forward, PageDown: forward, " ": forward,
    ArrowLeft: () => show(current - 1, true), PageUp: () => show(current - 1, true),
    Home: () => show(0, false), End: () => show(slides.length - 1, true),
  };
  if (!moves[event.key]) return;
  event.preventDefault();
  moves[event.key]();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("a, summary, pre")) forward();
});
window.addEventListener("hashchange", () => show(Number(location.hash.slice(1) || 1) - 1, false));
show(Number(location.hash.slice(1) || 1) - 1, false);
