// One slide at a time. Forward shows what the slide's cells have printed, one by one, then the rest of a long slide, and
// then the next slide.
"use strict";
// A slide may be set that much smaller, so that it fits its screen. One that would not fit even so is set in between, and
// scrolls.
const SMALLEST = 0.7, SCROLLING = 0.8;
const slides = [...document.querySelectorAll("section")];
const where = document.body.appendChild(Object.assign(document.createElement("div"), { id: "where" }));
let current = 0;

function show(number, answered) {
  current = Math.max(0, Math.min(slides.length - 1, number));
  slides.forEach((slide, index) => slide.classList.toggle("shown", index === current));
  outputs().forEach((output) => output.classList.toggle("hidden", !answered));
  fit(slides[current]);
  history.replaceState(null, "", `#${current + 1}`);
  window.scrollTo(0, 0);
  tellWhere();
}

function fit(slide) {
  slide.style.fontSize = "";
  const full = parseFloat(getComputedStyle(slide).fontSize);
  const fits = (share) => {
    slide.style.fontSize = `${full * share}px`;
    return slide.scrollHeight <= window.innerHeight;
  };
  for (let share = 1; share >= SMALLEST; share -= 0.05) if (fits(share)) return;
  fits(SCROLLING);
}

function more() {
  const page = document.documentElement;
  return window.scrollY + window.innerHeight < page.scrollHeight - 1;
}

function tellWhere() {
  where.textContent = `${more() ? "↓ " : ""}${current + 1} / ${slides.length}`;
}

function outputs() {
  return [...slides[current].querySelectorAll(".output_wrapper")];
}

function forward() {
  const next = outputs().find((output) => output.classList.contains("hidden"));
  const codeIsSeen = next && next.getBoundingClientRect().top <= window.innerHeight;
  if (codeIsSeen || (next && !more())) {
    next.classList.remove("hidden");
    next.scrollIntoView({ block: "nearest" });
  } else if (more()) {
    window.scrollBy(0, 0.8 * window.innerHeight);
  } else {
    show(current + 1, false);
  }
}

function back() {
  if (window.scrollY > 0) window.scrollBy(0, -0.8 * window.innerHeight);
  else show(current - 1, true);
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const moves = {
    ArrowRight: forward, PageDown: forward, " ": forward, ArrowLeft: back, PageUp: back,
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
window.addEventListener("scroll", tellWhere);
for (const change of ["load", "resize"]) window.addEventListener(change, () => (fit(slides[current]), tellWhere()));
show(Number(location.hash.slice(1) || 1) - 1, false);
