// The side of dss.widgets.viewer.picture that runs in the browser.

const NEAR = 5; // pixels within which an edge of the selection is taken hold of
const STILL = 3; // pixels that a click may move
const BAR = 0.86; // of the height of a row, as in dss.plot.bars
const KEYS = [
  "ArrowLeft", "ArrowRight", "+", "-", " ", "n", "p", "Escape", "Enter", "Delete", "Backspace",
  "undo", "redo", ..."0123456789",
];

function render({ model, el }) {
  const picture = child(el, "div", "dss-picture");
  const image = child(picture, "img");
  image.draggable = false;
  const mark = child(picture, "div", "dss-mark");
  const canvas = child(picture, "canvas", "dss-bars");
  const line = child(picture, "div", "dss-line");

  // Places: parts of the time axis, 0 to 1, and pixels from the left of the picture.
  const clip = (place) => Math.min(1, Math.max(0, place));
  const width = () => {
    const [left, right] = model.get("edges");
    return image.clientWidth * (right - left);
  };
  const toPixel = (place) => image.clientWidth * model.get("edges")[0] + place * width();
  const toPlace = (event) => {
    const pixel = event.clientX - image.getBoundingClientRect().left;
    return (pixel - toPixel(0)) / width();
  };

  const show = (selection) => {
    const [start, stop] = selection;
    const isSeen = selection.length && stop >= 0 && start <= 1;
    mark.style.display = isSeen ? "" : "none";
    if (!isSeen) return;
    mark.style.left = `${toPixel(clip(start))}px`;
    mark.style.width = `${Math.max(1, toPixel(clip(stop)) - toPixel(clip(start)))}px`;
    const [, , top, bottom] = model.get("edges");
    mark.style.top = `${100 * top}%`;
    mark.style.bottom = `${100 * (1 - bottom)}%`;
  };
  // The line: `at` is from 0 at the bottom of its row to 1.
  const lineTop = (at) => {
    const [top, bottom] = model.get("line");
    return image.clientHeight * (bottom - at * (bottom - top));
  };
  const showLine = (at) => {
    line.style.display = at === undefined ? "none" : "";
    if (at === undefined) return;
    line.style.top = `${lineTop(at) - 1}px`;
    line.style.left = `${toPixel(0)}px`;
    line.style.width = `${width()}px`;
  };
  const lineAt = (event) => {
    const pixel = event.clientY - image.getBoundingClientRect().top;
    return clip((pixel - lineTop(0)) / (lineTop(1) - lineTop(0)));
  };
  const isOnLine = (event) => {
    const at = model.get("line")[2];
    if (at === undefined) return false;
    return Math.abs(event.clientY - image.getBoundingClientRect().top - lineTop(at)) <= NEAR;
  };
  // Bars: a row of the picture that changes without the picture.
  const showBars = () => {
    const { row, color, places } = model.get("bars");
    canvas.style.display = row ? "" : "none";
    if (!row) return;
    const [top, bottom] = row.map((side) => image.clientHeight * side);
    const ratio = window.devicePixelRatio || 1;
    Object.assign(canvas.style, { left: `${toPixel(0)}px`, top: `${top}px` });
    Object.assign(canvas.style, { width: `${width()}px`, height: `${bottom - top}px` });
    canvas.width = Math.round(width() * ratio);
    canvas.height = Math.round((bottom - top) * ratio);
    const context = canvas.getContext("2d");
    context.fillStyle = color;
    const times = typed(places, Float32Array);
    for (let i = 0; i < times.length; i += 2) {
      const [left, right] = [clip(times[i]) * canvas.width, clip(times[i + 1]) * canvas.width];
      const isEvent = times[i] === times[i + 1];
      const margin = isEvent ? 0 : ((1 - BAR) / 2) * canvas.height;
      context.fillRect(left, margin, Math.max(ratio, right - left), canvas.height - 2 * margin);
    }
  };
  const followBars = () => {
    if (!model.get("bars").row) return; // they stay until the picture is there that has them
    showBars();
    answered();
  };

  const showMarks = () => {
    if (held) return;
    show(model.get("selection"));
    showLine(model.get("line")[2]);
  };

  const fit = () => {
    showBars();
    showMarks();
  };

  let held = null; // while the mouse button is down: where the selection began, or the line
  const showImage = () => {
    showJpeg(image, model.get("value"), fit);
    answered();
  };

  // What comes faster than pictures do is added up, and told with the next one.
  let waiting = null, asked = {};
  const answered = () => {
    clearTimeout(waiting);
    waiting = null;
    tell();
  };
  const tell = () => {
    if (waiting || !Object.keys(asked).length) return;
    const [name] = Object.keys(asked);
    model.send({ do: name, ...asked[name] });
    delete asked[name];
    waiting = setTimeout(answered, 1000);
  };

  let isDragged = false; // by the last press: a browser calls that a click, too
  const edge = (event) => {
    const [start, stop] = model.get("selection");
    const pixel = toPixel(toPlace(event));
    if (start === undefined || start === stop) return null;
    if (Math.abs(pixel - toPixel(start)) <= NEAR) return { from: stop, isEdge: true };
    if (Math.abs(pixel - toPixel(stop)) <= NEAR) return { from: start, isEdge: true };
    return null;
  };
  const dragged = (event) => {
    const place = clip(toPlace(event));
    return [Math.min(held.from, place), Math.max(held.from, place)];
  };
  const onDown = (event) => {
    if (event.button) return;
    take(picture, event);
    held = isOnLine(event) ? { isLine: true } : edge(event) || { from: clip(toPlace(event)), isEdge: false };
    held.x = event.clientX;
  };
  const onMove = (event) => {
    const { isLine, isEdge } = held || { isLine: isOnLine(event), isEdge: edge(event) };
    picture.style.cursor = isLine ? "ns-resize" : isEdge ? "ew-resize" : "";
    if (held?.isLine) {
      showLine(lineAt(event));
      asked.line = { at: lineAt(event) };
      tell();
      return;
    }
    if (held && Math.abs(event.clientX - held.x) > STILL) held.isMoved = true;
    if (held?.isMoved) show(dragged(event));
  };
  const onUp = (event) => {
    if (!held) return;
    isDragged = Boolean(held.isMoved || held.isLine);
    if (held.isMoved) {
      const [start, stop] = dragged(event);
      model.send({ do: "select", start, stop, is_edge: held.isEdge });
    }
    held = null;
  };
  const onClick = (event) => {
    const isFirst = event.detail < 2; // the second one is told as double
    if (!isDragged && isFirst) model.send({ do: "click", at: clip(toPlace(event)) });
  };
  const onCancel = () => {
    held = null;
    showMarks();
  };
  const onDouble = (event) => model.send({ do: "double", at: clip(toPlace(event)) });

  const onWheel = (event) => {
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!event.ctrlKey && !isSideways) return; // the page scrolls
    event.preventDefault();
    if (event.ctrlKey) {
      const factor = (asked.zoom?.factor || 1) * Math.exp(-event.deltaY / 250);
      asked.zoom = { at: clip(toPlace(event)), factor };
    } else {
      asked.scroll = { by: (asked.scroll?.by || 0) + (event.deltaX || event.deltaY) / width() };
    }
    tell();
  };
  listenToKeys(picture, KEYS, (key, event) => {
    if (event.repeat && waiting) return;
    asked.key = { key };
    tell();
  });

  listen(picture, {
    pointerdown: onDown, pointermove: onMove, pointerup: onUp, pointercancel: onCancel,
    click: onClick, dblclick: onDouble, wheel: onWheel,
  });
  showImage();
  const shown = [
    ["change:value", showImage],
    ["change:bars", followBars],
    ["change:selection change:edges change:line", showMarks],
  ];
  return watch(model, shown, image, fit);
}

export default { render };
