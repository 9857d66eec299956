// A window onto a drawing: zoom and pan by changing its viewBox. Without this it scrolls.
"use strict";

(() => {
  const STEP = 1.25, STRIDE = 60, FITTED_MIN = 0.75, ZOOM_MAX = 3, CLICK = 4, MILLISECONDS = 140;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  for (const figure of document.querySelectorAll("figure.graph")) {
    const frame = figure.querySelector(".frame");
    const svg = frame.querySelector("svg");
    const bar = figure.querySelector(".zoom");
    const whole = { w: svg.viewBox.baseVal.width, h: svg.viewBox.baseVal.height };
    // `x` and `y` are the middle of what is seen, `scale` is in pixels of the screen a unit.
    let view = { x: whole.w / 2, y: whole.h / 2, scale: 1 };
    // Where it is moving to: a key that is pressed meanwhile goes on from there.
    let goal = view, moving = 0;

    frame.style.setProperty("--tall", `${whole.h + 8}px`);
    frame.classList.add("live");
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    bar.hidden = false;

    const size = () => ({ w: svg.clientWidth || 1, h: svg.clientHeight || 1 });
    const fitting = () => Math.min(1, size().w / whole.w, size().h / whole.h);

    function kept(wanted) {
      const scale = Math.min(ZOOM_MAX, Math.max(fitting() * 0.9, wanted.scale));
      // Never so far aside that nothing of the drawing is left.
      const side = (value, end) => Math.min(end, Math.max(0, value));
      return { scale, x: side(wanted.x, whole.w), y: side(wanted.y, whole.h) };
    }

    function show(next) {
      view = next;
      const { w, h } = size();
      const wide = w / view.scale, tall = h / view.scale;
      svg.setAttribute("viewBox", `${view.x - wide / 2} ${view.y - tall / 2} ${wide} ${tall}`);
      frame.classList.toggle("zoomed", view.scale > fitting() * 1.01);
    }

    function go(wanted, { atOnce = calm.matches } = {}) {
      cancelAnimationFrame(moving);
      const from = view, to = kept(wanted), began = performance.now();
      goal = to;
      if (atOnce) return show(to);
      const step = (now) => {
        const part = Math.min(1, Math.max(0, now - began) / MILLISECONDS), eased = 1 - (1 - part) ** 3;
        const between = (name) => from[name] + (to[name] - from[name]) * eased;
        show(part < 1 ? { x: between("x"), y: between("y"), scale: between("scale") } : to);
        if (part < 1) moving = requestAnimationFrame(step);
      };
      moving = requestAnimationFrame(step);
    }

    // What is under the point (pixels from the middle of the window) stays there.
    function zoom(by, point = { x: 0, y: 0 }, options = {}) {
      const { scale } = kept({ ...goal, scale: goal.scale * by });
      const shift = 1 / goal.scale - 1 / scale;
      go({ scale, x: goal.x + point.x * shift, y: goal.y + point.y * shift }, options);
    }

    const pan = (x, y) => go({ ...goal, x: goal.x + x / goal.scale, y: goal.y + y / goal.scale });
    const fit = (options) => go({ x: whole.w / 2, y: whole.h / 2, scale: fitting() }, options);

    // At first all of it, or where that would be too small to read, what it is about.
    function begin() {
      const about = svg.querySelector(".centre") || svg.querySelector(".lit") || svg.querySelector(".node");
      if (fitting() >= FITTED_MIN || !about) return fit({ atOnce: true });
      const box = about.getBBox();
      const wide = size().w / FITTED_MIN / 2, tall = size().h / FITTED_MIN / 2;
      const inside = (value, half, end) => (2 * half > end ? end / 2 : Math.min(end - half, Math.max(half, value)));
      go({
        x: inside(box.x + box.width / 2, wide, whole.w),
        y: inside(box.y + box.height / 2, tall, whole.h),
        scale: FITTED_MIN,
      }, { atOnce: true });
    }

    const keys = {
      "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), 0: () => fit(),
      ArrowLeft: () => pan(-STRIDE, 0), ArrowRight: () => pan(STRIDE, 0),
      ArrowUp: () => pan(0, -STRIDE), ArrowDown: () => pan(0, STRIDE),
    };
    frame.addEventListener("keydown", (event) => {
      if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
    bar.addEventListener("click", (event) => {
      const key = event.target.closest("button")?.dataset.key;
      if (key in keys) keys[key]();
    });

    // The wheel zooms in a window that was chosen; over another one the page goes on scrolling.
    frame.addEventListener("wheel", (event) => {
      if (!frame.contains(document.activeElement) && !event.ctrlKey) return;
      event.preventDefault();
      const edge = svg.getBoundingClientRect();
      const point = { x: event.clientX - edge.left - edge.width / 2, y: event.clientY - edge.top - edge.height / 2 };
      zoom(STEP ** (-Math.sign(event.deltaY) / 2), point, { atOnce: true });
    }, { passive: false });

    let held = null;
    frame.addEventListener("pointerdown", (event) => {
      if (event.button === 0) held = { x: event.clientX, y: event.clientY, view, moved: false };
    });
    window.addEventListener("pointermove", (event) => {
      if (!held) return;
      const x = event.clientX - held.x, y = event.clientY - held.y;
      held.moved ||= Math.hypot(x, y) > CLICK;
      frame.classList.toggle("held", held.moved);
      if (held.moved) go({ ...held.view, x: held.view.x - x / view.scale, y: held.view.y - y / view.scale }, { atOnce: true });
    });
    for (const end of ["pointerup", "pointercancel"]) {
      window.addEventListener(end, () => {
        const dragged = held?.moved;
        held = null;
        // After the click that follows, which must not follow a link.
        setTimeout(() => frame.classList.remove("held"), dragged ? 50 : 0);
      });
    }
    frame.addEventListener("click", (event) => {
      if (frame.classList.contains("held")) event.preventDefault();
    }, true);
    frame.addEventListener("dragstart", (event) => event.preventDefault());

    // Who goes from box to box by the keyboard sees where they are.
    frame.addEventListener("focusin", (event) => {
      if (!event.target.matches("a:focus-visible")) return;
      const box = event.target.getBBox(), { w, h } = size();
      const x = box.x + box.width / 2, y = box.y + box.height / 2;
      const away = Math.abs(x - view.x) > w / view.scale / 2 - box.width || Math.abs(y - view.y) > h / view.scale / 2 - box.height;
      if (away) go({ ...view, x, y }, { atOnce: true });
      event.target.scrollIntoView({ block: "nearest", inline: "nearest" });
    });

    begin();
    new ResizeObserver(() => go(goal, { atOnce: true })).observe(frame);
  }
})();
