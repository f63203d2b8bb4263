// The side of dss.widgets.segment_map.scatter that runs in the browser.

const NEAR = 8; // pixels from a point that belong to it
const STILL = 3; // pixels that a click may move
const MARGIN = 14; // pixels around the points
const KEYS = [
  "Escape", "Enter", "Delete", "Backspace", " ", "undo", "redo", "all", ..."123456789",
];

function isInside(polygon, x, y) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i], [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

function howOf(event) {
  return event.shiftKey || event.ctrlKey || event.metaKey ? "add" : "set";
}

function render({ model, el }) {
  const root = child(el, "div", "dss-map");
  const key = child(root, "div", "dss-map-key");
  const both = child(root, "div", "dss-map-both");
  const area = child(both, "div", "dss-map-points");
  const points = child(area, "canvas").getContext("2d");
  const lasso = child(area, "canvas").getContext("2d");
  const pointed = child(area, "div", "dss-map-pointed");
  pointed.style.display = "none";
  const side = child(both, "div", "dss-map-side");
  const heading = child(side, "div", "dss-map-heading");
  const gallery = child(side, "div", "dss-map-gallery");

  let xy, kinds, chosen, pixels = []; // what is drawn, and where
  let zoom = { by: 1, x: 0, y: 0 }; // how many times, and pixels by which it is moved
  const size = () => [area.clientWidth, area.clientHeight];

  const place = () => {
    const [width, height] = size();
    let right = 0, top = 0;
    for (let i = 0; i < xy.length; i += 2) {
      right = Math.max(right, xy[i]);
      top = Math.max(top, xy[i + 1]);
    }
    const scaleX = (width - 2 * MARGIN) / (right || 1);
    const scaleY = (height - 2 * MARGIN) / (top || 1);
    pixels = new Float32Array(xy.length);
    for (let i = 0; i < xy.length; i += 2) {
      pixels[i] = (MARGIN + xy[i] * scaleX) * zoom.by + zoom.x;
      pixels[i + 1] = (height - MARGIN - xy[i + 1] * scaleY) * zoom.by + zoom.y;
    }
  };
  const draw = () => {
    const [width, height] = size();
    const ratio = window.devicePixelRatio || 1;
    for (const context of [points, lasso]) {
      context.canvas.width = width * ratio;
      context.canvas.height = height * ratio;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    const colors = model.get("colors");
    const radius = xy.length > 6000 ? 2.2 : xy.length > 1500 ? 3 : 4;
    const paths = colors.map(() => [new Path2D(), new Path2D()]);
    const isChosen = new Uint8Array(xy.length / 2);
    for (const i of chosen) isChosen[i] = 1;
    for (let i = 0; i < kinds.length; i++) {
      const path = paths[kinds[i]]?.[isChosen[i]];
      if (!path) continue;
      const [x, y] = [pixels[2 * i], pixels[2 * i + 1]];
      path.moveTo(x + radius, y);
      path.arc(x, y, radius, 0, 2 * Math.PI);
    }
    points.strokeStyle = getComputedStyle(root).color;
    points.lineWidth = chosen.length > 20 ? 0.4 : 1.2; // many lie side by side: not all outline
    for (const which of [0, 1]) {
      points.globalAlpha = which || !chosen.length ? 0.85 : 0.3;
      paths.forEach((path, kind) => {
        points.fillStyle = colors[kind];
        points.fill(path[which]);
        if (which) points.stroke(path[which]);
      });
    }
  };
  const redraw = () => {
    place();
    draw();
  };
  const read = () => {
    xy = typed(model.get("xy"), Float32Array);
    kinds = typed(model.get("kinds"), Uint16Array);
    chosen = typed(model.get("chosen"), Uint32Array);
    redraw();
  };
  const showKey = () => {
    const [colors, labels] = [model.get("colors"), model.get("labels")];
    const counts = new Array(labels.length).fill(0);
    for (const kind of typed(model.get("kinds"), Uint16Array)) counts[kind] += 1;
    key.replaceChildren();
    labels.forEach((label, kind) => {
      if (!counts[kind]) return;
      const button = child(key, "button");
      button.title = "Select all of these; with Shift, add them";
      child(button, "i").style.background = colors[kind];
      child(button, "span").textContent = `${label} · ${counts[kind]}`;
      button.onclick = (event) => {
        model.send({ do: "kind", kind, how: howOf(event) });
        area.focus({ preventScroll: true });
      };
    });
  };

  const showGallery = () => {
    heading.textContent = model.get("heading");
    gallery.replaceChildren();
    for (const { point, text, picture: bytes } of model.get("gallery")) {
      const figure = child(gallery, "figure");
      figure.title = `${text}: click to choose and hear it, with Shift to take it out`;
      const image = child(figure, "img");
      image.draggable = false;
      showJpeg(image, bytes);
      child(figure, "figcaption").textContent = text;
      figure.onclick = (event) => {
        if (howOf(event) === "add") model.send({ do: "choose", points: [point], how: "toggle" });
        else model.send({ do: "open", point });
        area.focus({ preventScroll: true });
      };
    }
  };
  let hovered = -1;
  const showPointed = () => {
    const { point, text, picture: bytes } = model.get("pointed");
    const isShown = point !== undefined && point === hovered;
    pointed.style.display = isShown ? "" : "none";
    if (!isShown) return;
    pointed.replaceChildren();
    showJpeg(child(pointed, "img"), bytes, () => point === hovered && putBeside(point));
    child(pointed, "div").textContent = text;
    putBeside(point);
  };
  const putBeside = (point) => {
    const [x, y] = [pixels[2 * point], pixels[2 * point + 1]];
    const [width, height] = size();
    const [wide, high] = [pointed.offsetWidth, pointed.offsetHeight];
    const left = x < width / 2 ? x + 12 : x - 12 - wide;
    const top = y < height / 2 ? y + 8 : y - 8 - high;
    pointed.style.left = `${Math.max(2, Math.min(left, width - wide - 2))}px`;
    pointed.style.top = `${Math.max(2, Math.min(top, height - high - 2))}px`;
  };

  const at = (event) => {
    const box = area.getBoundingClientRect();
    return [event.clientX - box.left - area.clientLeft, event.clientY - box.top - area.clientTop];
  };
  const nearest = ([x, y]) => {
    let [best, distance] = [-1, NEAR * NEAR];
    for (let i = 0; i < pixels.length; i += 2) {
      const here = (pixels[i] - x) ** 2 + (pixels[i + 1] - y) ** 2;
      if (here < distance) [best, distance] = [i / 2, here];
    }
    return best;
  };
  const hover = (point) => {
    if (point === hovered) return;
    hovered = point;
    pointed.style.display = "none";
    if (point >= 0) setTimeout(() => point === hovered && model.send({ do: "hover", point }), 60);
  };
  let drawn = null; // while the mouse button is down: the line so far
  const drawLasso = () => {
    const [width, height] = size();
    lasso.clearRect(0, 0, width, height);
    if (!drawn) return;
    lasso.beginPath();
    drawn.forEach(([x, y]) => lasso.lineTo(x, y));
    lasso.closePath();
    lasso.fillStyle = "rgba(42, 125, 225, 0.15)";
    lasso.strokeStyle = "#2a7de1";
    lasso.lineWidth = 1.5;
    lasso.fill();
    lasso.stroke();
  };
  const onDown = (event) => {
    if (event.button) return;
    take(area, event);
    drawn = [at(event)];
    hover(-1);
  };
  const onMove = (event) => {
    if (!drawn) {
      hover(nearest(at(event)));
      return;
    }
    drawn.push(at(event));
    requestAnimationFrame(drawLasso);
  };
  const onUp = (event) => {
    if (!drawn) return;
    const line = drawn;
    drawn = null;
    drawLasso();
    const [x, y] = line[0];
    if (!line.some((here) => Math.hypot(here[0] - x, here[1] - y) > STILL)) {
      const point = nearest(line[0]);
      if (point < 0) {
        if (howOf(event) === "set") model.send({ do: "choose", points: [], how: "set" });
      } else if (howOf(event) === "add") {
        model.send({ do: "choose", points: [point], how: "toggle" });
      } else model.send({ do: "open", point });
      return;
    }
    const inside = [];
    for (let i = 0; i < pixels.length; i += 2) {
      if (isInside(line, pixels[i], pixels[i + 1])) inside.push(i / 2);
    }
    model.send({ do: "choose", points: inside, how: howOf(event) });
  };
  const onCancel = () => {
    drawn = null;
    drawLasso();
  };
  const onWheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    const [x, y] = at(event);
    const by = Math.min(40, Math.max(1, zoom.by * Math.exp(-event.deltaY / 250)));
    const factor = by / zoom.by;
    zoom = { by, x: x - (x - zoom.x) * factor, y: y - (y - zoom.y) * factor };
    if (by === 1) zoom = { by, x: 0, y: 0 };
    redraw();
  };
  const onDouble = (event) => {
    if (nearest(at(event)) >= 0) return;
    zoom = { by: 1, x: 0, y: 0 };
    redraw();
  };
  listenToKeys(area, KEYS, (key) => model.send({ do: "key", key }));
  listen(area, {
    pointerdown: onDown, pointermove: onMove, pointerup: onUp, pointercancel: onCancel,
    pointerleave: () => hover(-1), wheel: onWheel, dblclick: onDouble,
  });

  const watched = [
    ["change:xy change:kinds change:chosen change:colors", read],
    ["change:kinds change:labels change:colors", showKey],
    ["change:gallery change:heading", showGallery],
    ["change:pointed", showPointed],
  ];
  read();
  showKey();
  showGallery();
  return watch(model, watched, area, redraw);
}

export default { render };
