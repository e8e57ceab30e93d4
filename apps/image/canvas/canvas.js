// The paper to draw on. Streamlit calls the exported function whenever `data` changes; the strokes
// in it count only when the paper is new, as those drawn since may still be on their way.

const STEPS = 28; // of the pen by arrow key, from side to side
const papers = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const svg = parentElement.querySelector(".paper");
  if (!papers.has(svg)) {
    papers.set(svg, new Paper(parentElement, svg, data));
  }
  papers.get(svg).send = (strokes) => setTriggerValue("draw", { strokes });
}

class Paper {
  constructor(root, svg, { side, pen, strokes }) {
    this.svg = svg;
    this.side = side;
    this.strokes = strokes.map((stroke) => [...stroke]);
    this.down = false; // whether the last stroke is still being drawn
    this.place = [side / 2, side / 2]; // of the pen that the arrow keys move
    this.ink = svg.querySelector(".ink");
    this.pen = svg.querySelector(".pen");
    this.announcement = root.querySelector(".announcement");
    svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
    this.ink.setAttribute("stroke-width", pen);
    this.pen.setAttribute("r", pen / 2);
    svg.addEventListener("pointerdown", (event) => this.press(event));
    svg.addEventListener("pointermove", (event) => this.drag(event));
    svg.addEventListener("pointerup", () => this.lift());
    svg.addEventListener("pointercancel", () => this.lift());
    svg.addEventListener("keydown", (event) => this.key(event));
    svg.addEventListener("blur", () => this.lift());
    root.querySelector(".undo").onclick = () => this.keep(this.strokes.slice(0, -1));
    root.querySelector(".clear").onclick = () => this.keep([]);
    this.show();
  }

  press(event) {
    if (!event.isPrimary || event.button !== 0) return;
    this.lift();
    this.svg.setPointerCapture(event.pointerId);
    this.move(this.at(event));
    this.lower();
  }

  drag(event) {
    if (event.isPrimary && this.svg.hasPointerCapture(event.pointerId)) this.move(this.at(event));
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const way = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (way) {
      const step = this.side / STEPS;
      this.move(this.place.map((value, axis) => (Math.round(value / step) + way[axis]) * step));
      const [column, row] = this.place.map((value) => Math.round(value / step));
      this.announcement.textContent = `${this.down ? "drawing, " : ""}column ${column}, row ${row}`;
    } else if (event.key === " ") {
      if (this.down) this.lift();
      else this.lower();
    } else {
      return;
    }
    event.preventDefault();
  }

  at(event) {
    const box = this.svg.getBoundingClientRect();
    const along = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    return along.map((share) => Math.round(share * this.side));
  }

  move(place) {
    this.place = place.map((value) => Math.min(Math.max(value, 0), this.side));
    if (this.down) this.strokes.at(-1).push(this.place);
    this.show();
  }

  lower() {
    this.down = true;
    this.strokes.push([this.place]);
    this.announcement.textContent = "pen down";
    this.show();
  }

  lift() {
    if (!this.down) return;
    this.down = false;
    this.keep(this.strokes);
  }

  keep(strokes) {
    this.strokes = strokes;
    this.announcement.textContent = `pen up, strokes: ${strokes.length}`;
    this.show();
    this.send(strokes);
  }

  show() {
    // The first point twice: so a stroke of one point is a dot.
    this.ink.setAttribute("d", this.strokes.map((stroke) => `M${stroke[0]}L${stroke.join("L")}`).join(""));
    this.pen.setAttribute("cx", this.place[0]);
    this.pen.setAttribute("cy", this.place[1]);
    this.svg.classList.toggle("down", this.down);
  }
}
