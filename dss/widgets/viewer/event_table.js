// The side of dss.widgets.viewer.event_table that runs in the browser.

const HEIGHT = 22; // pixels of a row, as in the style sheet
const BEYOND = 6; // rows that are drawn above and below those in sight
const KEYS = ["Enter", "Delete", "Backspace", " ", "undo", "redo", ..."0123456789"];
const HEADINGS = ["type", "start (s)", "duration (ms)", "confidence", "from"];
const { compare: compareTexts } = new Intl.Collator(undefined, { numeric: true });
const MOVES = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 };

function render({ model, el }) {
  const root = child(el, "div", "dss-events");
  const head = child(root, "div", "dss-events-row dss-events-head");
  const body = child(root, "div", "dss-events-body");
  const high = child(body, "div");

  let rows = []; // what a row shows, by its number
  let order = []; // numbers of rows as they are sorted
  let sorted = { by: 1, isDown: false };
  let place = -1; // in the order, of the row that is marked, or of one that is gone

  const read = () => {
    const sent = model.get("rows");
    const [times, confidence] = [typed(sent.times, Float64Array), typed(sent.confidence, Float32Array)];
    const tables = typed(sent.tables, Uint16Array);
    rows = Array.from(typed(sent.names, Uint16Array), (name, i) => [
      name, times[2 * i], times[2 * i + 1] - times[2 * i], confidence[i], tables[i],
    ]);
    root.classList.toggle("dss-events-sure", confidence.some((value) => !Number.isNaN(value)));
    root.classList.toggle("dss-events-several", sent.table_labels?.length > 1);
    high.style.height = `${rows.length * HEIGHT}px`;
    sort();
  };
  const sort = () => {
    const { by, isDown } = sorted;
    const { name_labels: names, table_labels: tables } = model.get("rows");
    const labels = { 0: names, 4: tables }[by];
    const alphabet = labels && [...labels].sort(compareTexts);
    const rank = labels?.map((label) => alphabet.indexOf(label));
    const values = rows.map((row) => (rank ? rank[row[by]] : row[by]));
    const compare = (i, j) => {
      const [a, b] = [values[i], values[j]];
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b); // last
      return isDown ? b - a : a - b;
    };
    order = rows.map((_, i) => i).sort((i, j) => compare(i, j) || i - j);
    follow();
  };
  const follow = () => {
    const pointed = model.get("pointed");
    if (pointed >= 0) {
      place = order.indexOf(pointed);
      const [top, bottom] = [place * HEIGHT, (place + 1) * HEIGHT - body.clientHeight];
      if (body.scrollTop > top) body.scrollTop = top;
      else if (body.scrollTop < bottom) body.scrollTop = bottom;
    }
    draw();
  };
  const showHead = () => {
    head.replaceChildren();
    HEADINGS.forEach((heading, by) => {
      const button = child(head, "button");
      const arrow = sorted.by === by ? (sorted.isDown ? " ▾" : " ▴") : "";
      button.textContent = heading + arrow;
      button.title = "Sort by this column; click again to reverse";
      button.onclick = () => {
        sorted = { by, isDown: sorted.by === by && !sorted.isDown };
        showHead();
        sort();
      };
    });
  };
  const draw = () => {
    const first = Math.max(0, Math.floor(body.scrollTop / HEIGHT) - BEYOND);
    const last = Math.ceil((body.scrollTop + body.clientHeight) / HEIGHT) + BEYOND;
    const { name_labels: labels, name_colors: colors, table_labels: from } = model.get("rows");
    const pointed = model.get("pointed");
    high.replaceChildren();
    order.slice(first, last).forEach((number, i) => {
      const [name, start, duration, confidence, table] = rows[number];
      const row = child(high, "div", "dss-events-row");
      row.classList.toggle("dss-events-pointed", number === pointed);
      row.style.top = `${(first + i) * HEIGHT}px`;
      const type = child(row, "span");
      child(type, "i").style.background = colors[name];
      type.append(labels[name]);
      type.title = labels[name];
      child(row, "span").textContent = start.toFixed(3);
      child(row, "span").textContent = duration > 0 ? (1000 * duration).toFixed(1) : "–";
      child(row, "span").textContent = Number.isNaN(confidence) ? "" : confidence.toFixed(2);
      child(row, "span").textContent = from[table];
      row.onclick = () => go(first + i);
    });
  };
  const go = (to) => {
    place = Math.min(order.length - 1, Math.max(0, to));
    if (order.length) model.send({ do: "row", row: order[place] });
  };

  listenToKeys(body, [...KEYS, ...Object.keys(MOVES)], (key) => {
    if (KEYS.includes(key)) {
      model.send({ do: "key", key });
      return;
    }
    // Where the row that was marked is gone, the next one has taken its place.
    const isGone = model.get("pointed") < 0 && MOVES[key] === 1;
    go(place + (isGone ? 0 : MOVES[key]));
  });
  body.addEventListener("scroll", draw, { passive: true });

  const watched = [["change:rows", read], ["change:pointed", follow]];
  showHead();
  read();
  return watch(model, watched, body, draw);
}

export default { render };
