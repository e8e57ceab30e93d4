// The clickable board. Streamlit calls the exported function whenever `data`, a `Picture`, changes;
// only the cells that differ from the last picture are drawn anew.

const CELL = 40; // units from line to line
const MARGIN = 46; // units from the rim to the first line: half a cell and the coordinates
const boards = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const host = parentElement.querySelector(".goban");
  if (boards.get(host)?.size !== data.size) {
    boards.set(host, new Goban(host, data.size, data.names));
  }
  boards.get(host).show(data, (point) => setTriggerValue("click", { point, turn: data.turn }));
  parentElement.querySelector(".announcement").textContent = data.announcement;
}

class Goban {
  constructor(host, size, names) {
    this.size = size;
    this.pending = null; // a stone drawn at the click, before the page has answered
    const extent = CELL * (size - 1) + 2 * MARGIN;
    this.svg = element("svg", { viewBox: `0 0 ${extent} ${extent}`, role: "grid" });
    this.svg.append(...background(size, extent, names));
    this.cells = [];
    for (let row = 0; row < size; row++) {
      const group = element("g", { role: "row" });
      for (let column = 0; column < size; column++) {
        const x = MARGIN + CELL * column;
        const y = MARGIN + CELL * row;
        const cell = element("g", { role: "gridcell", tabindex: -1, transform: `translate(${x} ${y})` });
        this.cells.push(cell);
        group.append(cell);
      }
      this.svg.append(group);
    }
    this.cells[(size * size - 1) >> 1].setAttribute("tabindex", 0);
    this.svg.addEventListener("click", (event) => this.play(this.at(event)));
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("focusin", (event) => this.focused(this.at(event)));
    host.replaceChildren(this.svg);
  }

  show(picture, send) {
    this.picture = picture;
    this.send = send;
    this.svg.setAttribute("aria-label", picture.title);
    this.cells.forEach((cell, point) => {
      const parts = content(picture, point);
      const seen = JSON.stringify([picture.labels[point], parts]);
      if (cell.seen === seen && point !== this.pending) return;
      cell.seen = seen;
      cell.setAttribute("aria-label", picture.labels[point]);
      cell.setAttribute("class", picture.playable[point] ? "playable" : "");
      cell.replaceChildren(...parts.map(([name, attributes, text]) => element(name, attributes, text)));
    });
    this.pending = null;
  }

  at(event) {
    return this.cells.indexOf(event.target.closest("[role=gridcell]"));
  }

  play(point) {
    if (point < 0 || point === this.pending) return;
    this.cells[point].focus({ preventScroll: true });
    if (this.picture.ghost && this.picture.playable[point]) {
      this.pending = point;
      this.cells[point].append(...stone(this.picture.ghost).map(([name, attributes]) => element(name, attributes)));
    }
    this.send(point);
  }

  key(event) {
    const point = this.at(event);
    if (point < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const row = Math.floor(point / this.size);
    const column = point % this.size;
    const last = this.size - 1;
    const target = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 0],
      End: [row, last],
      PageUp: [0, column],
      PageDown: [last, column],
    }[event.key];
    if (target) {
      const [to, along] = target.map((line) => Math.min(Math.max(line, 0), last));
      this.cells[to * this.size + along].focus();
    } else if (event.key === "Enter" || event.key === " ") {
      this.play(point);
    } else {
      return;
    }
    event.preventDefault();
  }

  focused(point) {
    if (point < 0) return;
    this.svg.querySelector("[tabindex='0']").setAttribute("tabindex", -1);
    this.cells[point].setAttribute("tabindex", 0);
  }
}

// What stands on one point: a list of [element, attributes, text].
function content(picture, point) {
  const parts = [["rect", { class: "hit", x: -CELL / 2, y: -CELL / 2, width: CELL, height: CELL, rx: 5 }]];
  const colour = { X: "black", O: "white" }[picture.stones[point]];
  const hint = picture.hints.find((hint) => hint.point === point);
  if (colour) {
    parts.push(...stone(colour, picture.dead.includes(point) ? " dead" : ""));
  } else if (picture.ghost && picture.playable[point]) {
    parts.push(["circle", { class: `ghost ${picture.ghost}`, r: 18 }]);
  }
  if (picture.plane[point]) {
    parts.push(["rect", { class: "plane", x: -CELL / 2, y: -CELL / 2, width: CELL, height: CELL }]);
  }
  if (hint) {
    parts.push(["circle", { class: hint.rank === 1 ? "hint best" : "hint", r: 18, style: `--share: ${hint.shade}` }]);
    parts.push(["text", { class: hint.shade > 0.45 ? "percent light" : "percent", y: 5.5 }, hint.text]);
  }
  if (point === picture.ko) {
    parts.push(["rect", { class: "ko", x: -9, y: -9, width: 18, height: 18 }]);
  }
  if (point === picture.last) {
    parts.push(["circle", { class: `last ${colour}`, r: 8.5 }]);
  }
  const owner = { X: "black", O: "white" }[picture.owner[point]];
  if (owner && (!colour || picture.dead.includes(point))) {
    parts.push(["rect", { class: `owner ${owner}`, x: -6.5, y: -6.5, width: 13, height: 13, rx: 1.5 }]);
  }
  return parts;
}

function stone(colour, more = "") {
  return [
    ["circle", { class: `shadow${more}`, cx: 1.6, cy: 2.8, r: 19 }],
    ["circle", { class: `stone ${colour}${more}`, r: 19 }],
  ];
}

function background(size, extent, names) {
  const far = MARGIN + CELL * (size - 1);
  const defs = element("defs");
  defs.append(
    gradient("radialGradient", "black", { cx: 0.36, cy: 0.3, r: 0.75 }, ["#75757c", "#2c2c30", "#09090a"]),
    gradient("radialGradient", "white", { cx: 0.36, cy: 0.3, r: 0.8 }, ["#ffffff", "#f4f1ea", "#c9c3b6"]),
    gradient("linearGradient", "wood", { x1: 0, y1: 0, x2: 1, y2: 1 }, ["#ecc680", "#e3b566", "#d6a252"]),
  );
  const parts = [defs, element("rect", { class: "wood", width: extent, height: extent, rx: 8 })];
  for (let line = 1; line < 14; line++) {
    const x = (extent * line) / 14 + 16 * Math.sin(7 * line);
    const sway = 26 * Math.sin(3 * line);
    const curve = `M${x} 2C${x + sway} ${extent / 3} ${x - sway} ${extent / 1.5} ${x + sway / 2} ${extent - 2}`;
    parts.push(element("path", { class: "grain", d: curve }));
  }
  let lines = "";
  for (let line = MARGIN; line <= far; line += CELL) {
    lines += `M${MARGIN} ${line}H${far}M${line} ${MARGIN}V${far}`;
  }
  parts.push(element("path", { class: "lines", d: lines }));
  parts.push(element("path", { class: "lines edge", d: `M${MARGIN} ${MARGIN}H${far}V${far}H${MARGIN}Z` }));
  for (const [row, column] of hoshi(size)) {
    parts.push(element("circle", { class: "hoshi", cx: MARGIN + CELL * column, cy: MARGIN + CELL * row, r: 4.2 }));
  }
  for (let line = 0; line < size; line++) {
    const along = MARGIN + CELL * line;
    const column = names[line][0];
    const row = names[line * size].slice(1);
    for (const side of [13, extent - 13]) {
      parts.push(element("text", { class: "coordinate", x: along, y: side + 5.5 }, column));
      parts.push(element("text", { class: "coordinate", x: side, y: along + 5.5 }, row));
    }
  }
  parts.forEach((part) => part.setAttribute("aria-hidden", true));
  return parts;
}

function hoshi(size) {
  if (size < 7) return [];
  const near = size < 13 ? 2 : 3;
  const lines = [near, size - 1 - near];
  const middle = (size - 1) / 2;
  const odd = size % 2 === 1;
  if (odd && size >= 15) lines.push(middle);
  const points = lines.flatMap((row) => lines.map((column) => [row, column]));
  return odd && size < 15 ? [...points, [middle, middle]] : points;
}

function gradient(kind, id, attributes, colours) {
  const shade = element(kind, { id, ...attributes });
  colours.forEach((colour, index) => {
    shade.append(element("stop", { offset: index / (colours.length - 1), "stop-color": colour }));
  });
  return shade;
}

function element(name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}
