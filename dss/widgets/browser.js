// What all widgets of dss share in the browser; each script follows this one.

function child(parent, name, className) {
  const made = parent.appendChild(document.createElement(name));
  made.className = className || "";
  return made;
}

function typed(view, Type) {
  if (!view?.byteLength) return new Type(0);
  return new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

function showJpeg(image, bytes, loaded = () => {}) {
  const url = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
  image.onload = () => {
    URL.revokeObjectURL(url);
    loaded();
  };
  image.src = url;
}

// These listeners may keep the page from scrolling.
function listen(element, listeners) {
  for (const [name, listener] of Object.entries(listeners)) {
    element.addEventListener(name, listener, { passive: false });
  }
}

// Keys, and what the mouse does until its button is up, are for this element.
function take(element, event) {
  element.focus({ preventScroll: true });
  element.setPointerCapture(event.pointerId);
}

// Acts on these keys, named as browsers do; "undo", "redo" and "all" are Ctrl Z, Ctrl Y and Ctrl A.
function listenToKeys(element, keys, act) {
  element.tabIndex = 0;
  element.dataset.lmSuppressShortcuts = "true"; // keys are for the element, not for JupyterLab
  element.addEventListener("keydown", (event) => {
    const commands = { z: event.shiftKey ? "redo" : "undo", y: "redo", a: "all" };
    const isCommand = event.ctrlKey || event.metaKey;
    const key = isCommand ? commands[event.key.toLowerCase()] : event.key;
    if (!keys.includes(key) || (event.altKey && !isCommand)) return;
    event.preventDefault();
    event.stopPropagation();
    act(key, event);
  });
}

// Calls listeners when values change, and one when an element changes size; returns how to end it.
function watch(model, listeners, element, resized) {
  for (const [names, listener] of listeners) model.on(names, listener);
  const watcher = new ResizeObserver(resized);
  watcher.observe(element);
  return () => {
    watcher.disconnect();
    for (const [names, listener] of listeners) model.off(names, listener);
  };
}
