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
const wide = new ResizeObserver((entries) => {
  for (const { target } of entries) target.classList.toggle("cut", target.scrollWidth > target.clientWidth + 1);
});
for (const box of document.querySelectorAll(".scroll")) wide.observe(box);
document.documentElement.dataset.ready = "yes";
