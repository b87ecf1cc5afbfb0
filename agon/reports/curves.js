// Draws the plots of the page as SVG, which takes its colours from the style sheet, and again when the width changes.
(() => {
  const HEIGHT = 230, LEFT = 48, RIGHT = 10, TOP = 8, BOTTOM = 34;
  const DASHES = { solid: "", dash: "6 4", dot: "2 3", dashdot: "6 3 2 3", longdash: "10 5", longdashdot: "10 4 2 4" };
  const figures = JSON.parse(document.getElementById("figures").textContent);

  const svg = (tag, attributes, parent, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    if (parent) parent.appendChild(element);
    return element;
  };
  const html = (tag, kind, parent, text) => {
    const element = document.createElement(tag);
    element.className = kind;
    if (text !== undefined) element.textContent = text;
    parent.appendChild(element);
    return element;
  };

  const finite = (values) => values.filter((value) => value !== null);
  const short = (value) => {
    const size = Math.abs(value);
    if (size >= 1e9) return value.toExponential(1).replace("e+", "e");
    if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
    if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
    return size > 0 && size < 1e-3 ? value.toExponential(1) : String(+value.toPrecision(4));
  };

  const linearTicks = (low, high, most) => {
    const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
    const ticks = [];
    for (let at = Math.ceil(low / step); at * step <= high + step * 1e-9; at++) ticks.push(at * step);
    return ticks;
  };
  const logTicks = (low, high) => {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); 10 ** power <= high * 1.0001; power++)
      for (const factor of Math.log10(high / low) < 1.5 ? [1, 2, 5] : [1])
        if (factor * 10 ** power >= low * 0.9999 && factor * 10 ** power <= high * 1.0001) ticks.push(factor * 10 ** power);
    return ticks;
  };

  // Least and greatest value, widened where they are equal.
  const range = (values, margin, logarithmic) => {
    let low = Infinity, high = -Infinity;
    for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
    if (low > high) return [0, 1];
    if (logarithmic) return [low / 1.1, high * 1.1];
    const more = high > low ? margin * (high - low) : Math.abs(low) / 10 || 1;
    return [low - more, high + more];
  };

  const scale = (low, high, from, to, logarithmic) => {
    const map = logarithmic ? Math.log : (value) => value;
    return (value) => from + ((map(value) - map(low)) / (map(high) - map(low))) * (to - from);
  };

  // The path of a curve; a value of null is a gap.
  const path = (trace, x, y) => {
    let words = "", pen = "M", last = null;
    trace.x.forEach((at, index) => {
      const value = trace.y[index];
      if (at === null || value === null) { pen = "M"; last = null; return; }
      const steps = trace.line.shape === "hv" && last !== null ? `H${x(at).toFixed(1)}` : "";
      words += `${steps}${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L"; last = value;
    });
    return words;
  };

  const axes = (drawing, figure, x, y, bounds, width) => {
    const [left, right, low, high] = bounds;
    const ticks = figure.logarithmic ? logTicks(low, high) : linearTicks(low, high, 5);
    for (const tick of ticks) {
      svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }, drawing);
      svg("text", { class: "tick", x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, drawing, short(tick));
    }
    const floor = HEIGHT - BOTTOM;
    svg("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: floor, y2: floor }, drawing);
    const across = figure.spaced === "log" ? logTicks(left, right) : linearTicks(left, right, Math.max(2, Math.floor(width / 90)));
    for (const tick of across) {
      svg("line", { class: "axis", x1: x(tick), x2: x(tick), y1: floor, y2: floor + 4 }, drawing);
      svg("text", { class: "tick", x: x(tick), y: floor + 16, "text-anchor": "middle" }, drawing, short(tick));
    }
    svg("text", { class: "tick", x: width - RIGHT, y: HEIGHT - 3, "text-anchor": "end" }, drawing, figure.axis);
  };

  const curve = (drawing, trace, x, y) => {
    const { color, dash, width } = trace.line;
    const line = { stroke: color, "stroke-width": width || 1.6, "stroke-dasharray": DASHES[dash] || "" };
    svg("path", { class: "curve", d: path(trace, x, y), ...line }, drawing);
    const marked = (trace.mode || "").includes("markers"), errors = (trace.error_y || {}).array;
    trace.x.forEach((at, index) => {
      const value = trace.y[index], error = errors ? errors[index] : 0;
      if (at === null || value === null) return;
      if (error) svg("path", { d: `M${x(at)} ${y(value - error)}V${y(value + error)}`, stroke: color }, drawing);
      if (marked) svg("circle", { cx: x(at), cy: y(value), r: 2.4, fill: color }, drawing);
    });
  };

  // Over the plot: a band for each alarm, from where it began, that leads to the samples there.
  const strip = (place, marks, x, width) => {
    if (!marks.length) return;
    const bands = svg("svg", { class: "strip", width, height: 20 * marks.length }, place);
    const end = width - RIGHT;
    marks.forEach((mark, row) => {
      const from = Math.min(x(mark.since), end - 4), to = Math.min(Math.max(x(mark.until), from + 4), end);
      const link = svg("a", { href: mark.link }, bands);
      svg("rect", { class: `band ${mark.severity}`, x: from, y: 20 * row + 1, width: to - from, height: 17, rx: 3 }, link);
      const text = svg("text", { x: from + 5, y: 20 * row + 14 }, link, `${mark.name} since step ${mark.since.toLocaleString("en")}`);
      const room = text.getComputedTextLength() + 5;
      if (from + room <= end) return;
      text.setAttribute("text-anchor", "end");
      text.setAttribute("x", from > room ? from - 5 : end);
    });
  };
  const since = (drawing, marks, x, width) => {
    for (const mark of marks) {
      const at = Math.min(x(mark.since), width - RIGHT);
      svg("line", { class: `since ${mark.severity}`, x1: at, x2: at, y1: TOP, y2: HEIGHT - BOTTOM }, drawing);
    }
  };

  const legend = (place, traces) => {
    if (!traces.some((trace, index) => index > 0 && trace.showlegend !== false)) return;
    const list = html("p", "legend", place);
    for (const trace of traces.filter((trace) => trace.showlegend !== false)) {
      const entry = html("span", "", list);
      const line = { stroke: trace.line.color, "stroke-width": 2, "stroke-dasharray": DASHES[trace.line.dash] || "" };
      svg("line", { x1: 0, x2: 22, y1: 5, y2: 5, ...line }, svg("svg", { width: 22, height: 10 }, entry));
      html("span", "", entry, trace.name);
    }
  };

  // Under the pointer: the values of all curves at the nearest logged place.
  const readout = (place, drawing, traces, x) => {
    const box = html("div", "readout", place), rule = svg("line", { class: "rule", y1: TOP, y2: HEIGHT - BOTTOM }, drawing);
    const places = [...new Set(traces.flatMap((trace) => finite(trace.x)))];
    const show = (on) => { box.hidden = !on; rule.style.display = on ? "" : "none"; };
    drawing.addEventListener("pointerleave", () => show(false));
    drawing.addEventListener("pointermove", (event) => {
      const at = event.clientX - drawing.getBoundingClientRect().left;
      const near = places.reduce((best, value) => Math.abs(x(value) - at) < Math.abs(x(best) - at) ? value : best, places[0]);
      rule.setAttribute("x1", x(near)); rule.setAttribute("x2", x(near));
      box.replaceChildren();
      html("div", "", box, near.toLocaleString("en"));
      for (const trace of traces) {
        const index = trace.x.indexOf(near);
        if (index < 0 || trace.y[index] === null) continue;
        html("div", "", box, `${trace.name}: ${+trace.y[index].toPrecision(4)}`).style.color = trace.line.color;
      }
      box.style[x(near) < place.clientWidth / 2 ? "right" : "left"] = `${RIGHT}px`;
      box.style[x(near) < place.clientWidth / 2 ? "left" : "right"] = "auto";
      show(true);
    });
    show(false);
  };

  const draw = (figure, place) => {
    const width = place.clientWidth, traces = figure.traces;
    place.replaceChildren();
    const ends = ({ y, error_y: { array = [] } = {} }) => y.flatMap((at, i) => at === null ? [] : [at - (array[i] || 0), at + (array[i] || 0)]);
    const values = traces.flatMap(ends);
    const spaced = figure.spaced === "log", first = figure.axis === "step" && !spaced ? 0 : Infinity;
    const [least, right] = range(traces.flatMap((trace) => finite(trace.x)), 0, spaced), left = Math.min(first, least);
    const [low, high] = range(values, 0.05, figure.logarithmic);
    const x = scale(left, right, LEFT, width - RIGHT - 6, spaced);
    const y = scale(low, high, HEIGHT - BOTTOM, TOP, figure.logarithmic);
    const marks = figure.marks || [];
    strip(place, marks, x, width);
    const drawing = svg("svg", { class: "plot", width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` }, place);
    axes(drawing, figure, x, y, [left, right, low, high], width);
    const drawn = traces.filter((trace) => finite(trace.x).length);
    since(drawing, marks, x, width);
    for (const trace of drawn) curve(drawing, trace, x, y);
    readout(place, drawing, drawn, x);
    legend(place, traces);
  };

  figures.forEach((figure, index) => {
    const place = document.getElementById(`figure-${index}`);
    let width = 0;
    new ResizeObserver(() => {
      if (place.clientWidth === width) return;
      width = place.clientWidth;
      draw(figure, place);
    }).observe(place);
  });
})();
