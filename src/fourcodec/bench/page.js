for (const figure of document.querySelectorAll(".compare")) {
  const frame = figure.querySelector(".frame");
  const slider = figure.querySelector("input[type=range]");
  const original = figure.querySelector("input[type=checkbox]");
  const right = figure.querySelector(".tag.right");
  const peer = right.textContent;
  const move = (percent) => {
    slider.value = percent;
    frame.style.setProperty("--at", `${percent}%`);
  };
  const follow = (event) => {
    const box = frame.getBoundingClientRect();
    move(Math.min(100, Math.max(0, (100 * (event.clientX - box.left)) / box.width)));
  };
  slider.addEventListener("input", () => move(slider.value));
  frame.addEventListener("pointerdown", (event) => {
    frame.setPointerCapture(event.pointerId);
    follow(event);
  });
  frame.addEventListener("pointermove", (event) => event.buttons && follow(event));
  original.addEventListener("change", () => {
    frame.classList.toggle("with-original", original.checked);
    right.textContent = original.checked ? "original" : peer;
  });
}
// Tables that are wider than their box say so. A folded one has no width until it is opened.
const mark = () => {
  for (const box of document.querySelectorAll(".scroll")) box.classList.toggle("cut", box.scrollWidth > box.clientWidth + 1);
};
addEventListener("resize", mark);
addEventListener("toggle", mark, true);
mark();
document.documentElement.dataset.ready = "yes";
